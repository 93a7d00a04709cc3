#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "support/quick_clock.h"
#include "support/script_server.h"

namespace rota::test {

/// The fake of Backblaze B2 in b2_fake.py, running as a process of its own on a free port of this
/// machine until the object goes. Its one key at first is kKeyId with kKey.
class B2Server {
 public:
  static constexpr const char* kKeyId = "masterkeyid";
  static constexpr const char* kKey = "mastersecret";

  B2Server();
  B2Server(const B2Server&) = delete;
  B2Server& operator=(const B2Server&) = delete;

  /// "http://127.0.0.1:<port>".
  const std::string& url() const { return url_; }
  /// Gives orders and returns what was counted; see b2_fake.py. From any thread.
  nlohmann::json control(const nlohmann::json& orders = nlohmann::json::object());
  /// A new bucket; settings as for the order "bucket", without the name. Returns its name.
  std::string make_bucket(nlohmann::json settings = nlohmann::json::object());

 private:
  ScriptServer process_;
  std::string url_;
  int buckets_ = 0;
};

/// One server for all tests of a program.
B2Server& shared_b2_server();

/// A clock whose pauses take no time, and pass on the server as well.
class ServerClock final : public base::Clock {
 public:
  explicit ServerClock(B2Server& server) : server_(server) {}
  base::Instant now() override;
  void sleep(std::chrono::milliseconds duration, const std::stop_token& stop) override;
  std::chrono::milliseconds slept() const { return quick_.slept(); }
  std::size_t pauses() const { return quick_.pauses().size(); }

 private:
  B2Server& server_;
  QuickClock quick_;
};

}  // namespace rota::test
