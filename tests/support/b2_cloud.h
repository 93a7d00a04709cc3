#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/b2_store.h"
#include "store/curl_client.h"
#include "support/b2_server.h"

namespace rota::test {

inline base::Bytes bytes(std::string_view text) {
  const auto view = base::as_bytes(text);
  return {view.begin(), view.end()};
}

/// A bucket of its own on the shared fake of B2, whose counters and faults begin afresh.
class Cloud {
 public:
  struct Bucket {
    bool lock = false;
    nlohmann::json rules = nlohmann::json::array();
  };

  Cloud() : Cloud(Bucket{}) {}
  explicit Cloud(const Bucket& bucket) : server_(shared_b2_server()), clock_(server_) {
    server_.control({{"clear_faults", true}, {"latency_ms", 0}});
    bucket_ = server_.make_bucket({{"lock", bucket.lock}, {"rules", bucket.rules}});
    control({{"reset", true}});
  }

  /// With the key of all rights unless another is named.
  std::unique_ptr<store::B2Store> open(const std::string& prefix = "",
                                       const std::string& key_id = B2Server::kKeyId,
                                       const std::string& key = B2Server::kKey,
                                       const std::stop_token& stop = {}) {
    return std::make_unique<store::B2Store>(
        std::make_unique<store::CurlClient>(0, stop),
        store::B2Session::Settings{{bucket_, prefix}, {key_id, key}, server_.url(), clock_, stop});
  }

  /// Makes a key for this bucket with these rights, and opens the bucket with it.
  std::unique_ptr<store::B2Store> open_with(const std::vector<std::string>& capabilities,
                                            const std::string& prefix = "") {
    static int number = 0;
    const std::string id = "key" + std::to_string(++number);
    control({{"key",
              {{"id", id},
               {"secret", "s3cret" + id},
               {"capabilities", capabilities},
               {"buckets", {bucket_}}}}});
    return open(prefix, id, "s3cret" + id);
  }

  nlohmann::json control(const nlohmann::json& orders = nlohmann::json::object()) {
    return server_.control(orders);
  }
  void fault(const nlohmann::json& fault) { control({{"faults", {fault}}}); }
  int calls(const std::string& call) { return control()["calls"].value(call, 0); }
  int fired() {
    int sum = 0;
    const nlohmann::json counted = control();
    for (const nlohmann::json& times : counted["fired"]) sum += times.get<int>();
    return sum;
  }
  /// Of all names, markers included.
  int versions() { return control()["versions"][bucket_]; }
  /// Nothing that the answers do not show was done wrong. but: a kind of mistake that may be there.
  void check_manners(const std::string& but = "") {
    nlohmann::json mistakes = control()["mistakes"];
    mistakes.erase(but);
    INFO(mistakes.dump());
    CHECK(mistakes.empty());
  }
  ServerClock& clock() { return clock_; }
  const std::string& bucket() const { return bucket_; }

 private:
  B2Server& server_;
  ServerClock clock_;
  std::string bucket_;
};

/// The Error that `action` must throw, in words and without a secret.
template <typename Action>
base::Error failure(Action action) {
  try {
    action();
  } catch (const base::Error& error) {
    CHECK_THAT(error.what(), !Catch::Contains("s3cret") && !Catch::Contains(B2Server::kKey) &&
                                 !Catch::Contains("Basic") && !Catch::Contains("4_"));
    CHECK(std::string(error.what()).size() > 20);
    return error;
  }
  FAIL("no error");
  throw std::logic_error("unreachable");
}

}  // namespace rota::test
