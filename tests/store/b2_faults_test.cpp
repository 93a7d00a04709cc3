// Everything that goes wrong for a moment, and what B2Store makes of it.
#include <algorithm>
#include <map>
#include <random>

#include "base/pipeline.h"
#include "support/b2_cloud.h"

namespace rota::test {

namespace {

using base::Error;
using base::ErrorKind;
using nlohmann::json;

json fault(const char* call, const char* kind, int times = 1) {
  return {{"call", call}, {"kind", kind}, {"times", times}};
}

json refusal(const char* call, int status, int times = 1) {
  return {{"call", call}, {"kind", "status"}, {"status", status}, {"times", times}};
}

json page(const char* call, int status, int times = 1) {
  return {{"call", call}, {"kind", "html"}, {"status", status}, {"times", times}};
}

constexpr const char* kUpload = "b2_upload_file";
constexpr const char* kPlace = "b2_get_upload_url";
constexpr const char* kDownload = "b2_download_file_by_name";
constexpr const char* kNames = "b2_list_file_names";
constexpr const char* kVersions = "b2_list_file_versions";
constexpr const char* kDelete = "b2_delete_file_version";
constexpr const char* kLogin = "b2_authorize_account";
constexpr const char* kBuckets = "b2_list_buckets";

/// What passes: each strikes once or twice, and whoever tries again gets through.
std::vector<json> passing_faults() {
  std::vector<json> list;
  for (const char* call :
       {kUpload, kPlace, kDownload, kNames, kVersions, kDelete, kLogin, kBuckets}) {
    for (const int status : {408, 500, 503}) list.push_back(refusal(call, status));
    for (const int status : {200, 429, 502}) list.push_back(page(call, status));
    for (const char* kind : {"cut_request", "cut_response", "lose"}) {
      list.push_back(fault(call, kind));
      list.push_back(fault(call, kind, 3));
    }
    if (call != kLogin) {
      list.push_back(fault(call, "expire"));
      list.push_back(fault(call, "expire", 2));
    }
  }
  for (const char* kind : {"truncate", "corrupt"}) list.push_back(fault(kDownload, kind, 2));
  return list;
}

}  // namespace

TEST_CASE("what fails for a moment is done all the same, and without bad manners", "[store][b2]") {
  Cloud cloud;
  for (const json& what : passing_faults()) {
    INFO(what.dump());
    const auto store = cloud.open("p/");
    cloud.control({{"reset", true}, {"clear_faults", true}, {"faults", {what}}});
    const base::Bytes data(5000, std::byte{'x'});
    store->put("a/b", data);
    CHECK(store->get("a/b", 5000) == data);
    base::Bytes part(10);
    CHECK(store->read_some("a/b", 100, part) == 10);
    const store::Page listed = store->list("", "", 10);
    REQUIRE(listed.objects.size() == 1);
    CHECK(listed.objects[0].hash == store::object_hash(store::HashKind::sha1, data));
    CHECK(store->remove("a/b") == store::Removal::gone);
    const json counted = cloud.control();
    CHECK(cloud.fired() >= 1);
    CHECK(cloud.versions() == 0);
    cloud.check_manners();
    // A token that ran out costs one new one.
    const int logins = counted["calls"].value(kLogin, 0);
    CHECK(logins <= 1 + what["times"].get<int>());
  }
}

TEST_CASE("ranges that arrive wrong are asked for again", "[store][b2]") {
  for (const char* kind : {"truncate", "ignore_range", "cut_response"}) {
    INFO(kind);
    Cloud cloud;
    const auto store = cloud.open();
    store->put("x", bytes("0123456789"));
    cloud.fault(fault(kDownload, kind, 2));
    base::Bytes part(4);
    CHECK(store->read_some("x", 3, part) == 4);
    CHECK(part == bytes("3456"));
    CHECK(cloud.fired() == 2);
  }
}

TEST_CASE("what stays damaged is corrupt, and what stays away unavailable", "[store][b2]") {
  struct Row {
    json what;
    ErrorKind kind;
    const char* words;
  };
  for (const Row& row :
       {Row{fault(kDownload, "corrupt", 99), ErrorKind::corrupt, "SHA-1"},
        Row{fault(kDownload, "truncate", 99), ErrorKind::corrupt, "SHA-1"},
        Row{page(kDownload, 200, 99), ErrorKind::corrupt, "proxy"},
        Row{page(kDownload, 503, 99), ErrorKind::unavailable, "503"},
        Row{refusal(kDownload, 503, 99), ErrorKind::unavailable, "503"},
        Row{fault(kDownload, "cut_response", 99), ErrorKind::unavailable, "no answer"},
        Row{fault(kDownload, "lose", 99), ErrorKind::unavailable, "no answer"}}) {
    INFO(row.what.dump());
    Cloud cloud;
    const auto store = cloud.open();
    store->put("x", bytes("0123456789"));
    cloud.fault(row.what);
    const Error error = failure([&] { store->get("x", 10); });
    CHECK(error.kind() == row.kind);
    CHECK_THAT(error.what(), Catch::Contains(row.words) && Catch::Contains("x in the store b2://"));
    CHECK(cloud.calls(kDownload) == 8);
    CHECK(cloud.clock().pauses() == 7);
    CHECK(cloud.clock().slept() >= std::chrono::seconds(63));
    CHECK(cloud.clock().slept() <= std::chrono::seconds(127));
  }
}

TEST_CASE("an upload that fails for good says so after eight places", "[store][b2]") {
  Cloud cloud;
  const auto store = cloud.open();
  cloud.fault(refusal(kUpload, 503, 99));
  const Error error = failure([&] { store->put("x", bytes("x")); });
  CHECK(error.kind() == ErrorKind::unavailable);
  CHECK(cloud.calls(kUpload) == 8);
  CHECK(cloud.calls(kPlace) == 8);
  CHECK(cloud.clock().pauses() == 6);  // the first new place is asked for at once
  cloud.check_manners();
}

TEST_CASE("a pause that the server asks for is kept, and the upload URL stays", "[store][b2]") {
  Cloud cloud;
  const auto store = cloud.open();
  json busy = refusal(kUpload, 429, 2);
  busy["retry_after"] = 20;
  cloud.fault(busy);
  store->put("x", bytes("x"));
  CHECK(cloud.calls(kPlace) == 1);
  CHECK(cloud.clock().slept() >= std::chrono::seconds(40));
  cloud.check_manners();

  json away = refusal(kNames, 503);
  away["retry_after"] = 30;
  cloud.fault(away);
  store->list("", "", 1);
  CHECK(cloud.clock().slept() >= std::chrono::seconds(70));
  cloud.check_manners();

  away["retry_after"] = 100'000;
  cloud.fault(away);
  CHECK(failure([&] { store->list("", "", 1); }).kind() == ErrorKind::unavailable);
}

TEST_CASE("what cannot succeed fails at once and says what to do", "[store][b2]") {
  struct Row {
    const char* call;
    int status;
    const char* code;
    ErrorKind kind;
    const char* words;
  };
  for (const Row& row :
       {Row{kUpload, 403, "cap_exceeded", ErrorKind::unavailable, "Caps & Alerts"},
        Row{kUpload, 403, "storage_cap_exceeded", ErrorKind::unavailable, "Caps & Alerts"},
        Row{kPlace, 403, "transaction_cap_exceeded", ErrorKind::unavailable, "Caps & Alerts"},
        Row{kUpload, 400, "cap_exceeded", ErrorKind::unavailable, "Caps & Alerts"},
        Row{kUpload, 401, "unauthorized", ErrorKind::refused, "make a key that has"},
        Row{kUpload, 400, "bad_request", ErrorKind::io, "bad_request"},
        Row{kPlace, 400, "bad_bucket_id", ErrorKind::io, "does not exist"},
        Row{kLogin, 401, "bad_auth_token", ErrorKind::refused, "credentials file"},
        Row{kLogin, 401, "unauthorized", ErrorKind::refused, "credentials file"},
        Row{kLogin, 401, "unsupported", ErrorKind::refused, "make a new one"},
        Row{kUpload, 400, "bucket_missing_file_lock", ErrorKind::config, "no Object Lock"}}) {
    INFO(row.call << " " << row.code);
    Cloud cloud;
    const auto store = cloud.open();
    json what = refusal(row.call, row.status, 99);
    what["code"] = row.code;
    cloud.fault(what);
    const Error error = failure([&] { store->put("x", bytes("x")); });
    CHECK(error.kind() == row.kind);
    CHECK_THAT(error.what(), Catch::Contains(row.words));
    CHECK(cloud.calls(row.call) == 1);
    CHECK(cloud.clock().pauses() == 0);
  }
}

TEST_CASE("tokens that never hold are given up, without a storm", "[store][b2]") {
  Cloud cloud;
  const auto store = cloud.open();
  cloud.fault(fault(kNames, "expire", 99));
  CHECK(failure([&] { store->list("", "", 1); }).kind() == ErrorKind::refused);
  CHECK(cloud.calls(kLogin) == 4);
}

TEST_CASE("when the token runs out, one thread logs in for all", "[store][b2]") {
  Cloud cloud;
  const auto store = cloud.open();
  cloud.control({{"latency_ms", 5}});  // so that uploads do overlap
  base::Pipeline threads;
  for (int t = 0; t < 8; ++t) {
    threads.add([&, t] {
      const std::string name = std::to_string(t);
      for (int i = 0; i < 10; ++i) {
        if (t == 0 && i % 3 == 0) cloud.control({{"expire_tokens", true}});
        store->put(name, bytes(name));
        if (store->get(name, 10) != bytes(name)) throw std::runtime_error("lost");
      }
    });
  }
  REQUIRE_NOTHROW(threads.join());
  CHECK(cloud.calls(kLogin) <= 5);
  CHECK(cloud.calls(kLogin) >= 2);
  // One a thread, and one more where a token that was lost is noticed by just this call: 4 times.
  CHECK(cloud.calls(kPlace) <= 8 + 4);
  CHECK(cloud.control()["most_uploading"] > 1);
  cloud.check_manners();
}

TEST_CASE("a lost answer leaves no second version where the key may tidy", "[store][b2]") {
  Cloud cloud;
  const auto master = cloud.open();
  cloud.fault(fault(kUpload, "lose", 2));
  master->put("x", bytes("data"));
  CHECK(cloud.versions() == 1);
  CHECK(master->get("x", 4) == bytes("data"));

  // The version before it is another content, and stays.
  cloud.fault(fault(kUpload, "cut_response"));
  master->put("x", bytes("other"));
  CHECK(cloud.versions() == 2);

  const auto writer = cloud.open_with({"listFiles", "readFiles", "writeFiles"});
  cloud.fault(fault(kUpload, "lose"));
  writer->put("y", bytes("data"));
  CHECK(cloud.versions() == 4);
  CHECK(writer->get("y", 4) == bytes("data"));

  // Tidying is not worth a failure.
  cloud.fault(fault(kUpload, "lose"));
  cloud.fault(refusal(kVersions, 503, 1));
  master->put("z", bytes("data"));
  CHECK(cloud.versions() == 6);
  cloud.check_manners();
}

TEST_CASE("a stop ends the pauses between attempts", "[store][b2]") {
  Cloud cloud;
  std::stop_source stop;
  const auto store = cloud.open("", B2Server::kKeyId, B2Server::kKey, stop.get_token());
  store->put("x", bytes("x"));
  stop.request_stop();
  CHECK(failure([&] { store->get("x", 1); }).kind() == ErrorKind::interrupted);
  CHECK(failure([&] { store->put("x", bytes("x")); }).kind() == ErrorKind::interrupted);
}

TEST_CASE("a pause that a call was asked for holds for the next one, too", "[store][b2]") {
  Cloud cloud;
  const auto store = cloud.open();
  store->put("a", bytes("a"));
  cloud.fault({{"call", kVersions},
               {"kind", "status"},
               {"status", 429},
               {"retry_after", 30},
               {"times", 8}});
  CHECK(failure([&] { store->versions("", {}, 10); }).kind() == ErrorKind::unavailable);
  CHECK(store->versions("", {}, 10).versions.size() == 1);
  CHECK(cloud.fired() == 8);
  cloud.check_manners();
}

namespace {

/// A life of one store under faults by chance, compared with a map that never fails.
void live(std::uint32_t seed) {
  INFO("seed " << seed);
  Cloud cloud;
  const auto store = cloud.open("life/");
  cloud.control({{"random",
                  {{"seed", seed},
                   {"rate", 0.25},
                   {"kinds",
                    {"status", "html", "expire", "cut_request", "cut_response", "lose", "truncate",
                     "corrupt", "ignore_range"}}}}});
  std::minstd_rand random(seed);
  std::map<std::string, base::Bytes> model;
  const auto persist = [](const auto& action) {  // as the next night's run would
    for (int attempt = 0;; ++attempt) {
      try {
        return action();
      } catch (const Error& error) {
        INFO(error.what());
        REQUIRE((error.kind() == ErrorKind::unavailable || error.kind() == ErrorKind::corrupt ||
                 error.kind() == ErrorKind::refused));
        REQUIRE(attempt < 20);
      }
    }
  };
  for (int step = 0; step < 60; ++step) {
    const std::string name = "n" + std::to_string(random() % 8);
    switch (random() % 4) {
      case 0:
      case 1: {
        const base::Bytes data(random() % 3000, static_cast<std::byte>(random()));
        persist([&] { store->put(name, data); });
        model[name] = data;
        break;
      }
      case 2:
        persist([&] { store->remove(name); });
        model.erase(name);
        break;
      default:
        if (!model.contains(name)) break;
        REQUIRE(persist([&] { return store->get(name, 3000); }) == model[name]);
    }
  }
  const store::Page page = persist([&] { return store->list("", "", 100); });
  REQUIRE(page.objects.size() == model.size());
  for (const store::ObjectInfo& object : page.objects) {
    REQUIRE(object.hash == store::object_hash(store::HashKind::sha1, model.at(object.name)));
  }
  CHECK(cloud.fired() > 3);
  cloud.check_manners();
}

}  // namespace

TEST_CASE("faults by chance lose nothing", "[store][b2]") {
  const bool all = std::getenv("ROTA_TEST_LONG") != nullptr;
  for (std::uint32_t seed = 1; seed <= (all ? 500U : 12U); ++seed) live(seed);
}

}  // namespace rota::test
