#include "support/b2_server.h"

#include <stdexcept>

#include "store/curl_client.h"

namespace rota::test {

namespace {

constexpr const char* kProgram = ROTA_TESTS "/support/b2_fake.py";

std::string url_of(const ScriptServer& process) {
  const std::string line = process.said().value_or("");
  if (!line.starts_with("port ")) throw std::runtime_error("the B2 fake does not start: " + line);
  return "http://127.0.0.1:" + line.substr(5);
}

}  // namespace

B2Server::B2Server() : process_({"python3", "-B", kProgram}), url_(url_of(process_)) {
  forget_proxies();
}

nlohmann::json B2Server::control(const nlohmann::json& orders) {
  store::CurlClient client;
  const std::string body = orders.dump();
  const store::HttpResponse response =
      client.send({.method = "POST", .url = url_ + "/_control", .body = base::as_bytes(body)});
  const std::string_view text = base::as_text(response.body);
  if (response.status != 200) throw std::runtime_error("the B2 fake refuses: " + std::string(text));
  return nlohmann::json::parse(text);
}

std::string B2Server::make_bucket(nlohmann::json settings) {
  std::string name = "bucket-" + std::to_string(++buckets_);
  settings["name"] = name;
  control({{"bucket", settings}});
  return name;
}

B2Server& shared_b2_server() {
  static B2Server server;
  return server;
}

base::Instant ServerClock::now() {
  const std::int64_t now = server_.control()["now_ms"].get<std::int64_t>();
  return std::chrono::floor<std::chrono::seconds>(
      std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(now)));
}

void ServerClock::sleep(std::chrono::milliseconds duration, const std::stop_token& stop) {
  quick_.sleep(duration, stop);
  server_.control({{"advance_ms", duration.count()}});
}

}  // namespace rota::test
