#include "support/s3_server.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "support/skip.h"

namespace rota::test {

namespace {

constexpr int kCannotRun = 77;  // as the scripts say

}  // namespace

std::unique_ptr<S3Server> S3Server::swift() {
  // Debian's own python, which sees Debian's packages.
  return start("/usr/bin/python3", ROTA_TESTS "/support/swift_server.py");
}

std::unique_ptr<S3Server> S3Server::moto() {
  return start("python3", ROTA_TESTS "/support/moto_server.py");
}

std::unique_ptr<S3Server> S3Server::start(const char* python, const char* script) {
  std::unique_ptr<S3Server> server(new S3Server);
  const std::string log = server->dir_ / "log";
  try {
    server->process_.emplace(std::vector<std::string>{python, "-B", script, server->dir_.path()},
                             log);
  } catch (const ProgramMissing&) {
    skip(std::string("needs ") + python);
    return nullptr;
  }
  const auto& line = server->process_->said();
  if (!line) {
    const int status = server->process_->wait();
    const std::string reason = read(log);
    if (status == kCannotRun) {
      skip(reason.substr(0, reason.find('\n')));
      return nullptr;
    }
    throw std::runtime_error("the S3 server ended: " + reason);
  }
  const auto said = nlohmann::json::parse(*line);
  server->endpoint_ = said.at("endpoint");
  server->region_ = said.at("region");
  server->bucket_ = said.at("bucket");
  server->key_id_ = said.at("key_id");
  server->key_ = said.at("key");
  return server;
}

const S3Server* shared_swift() {
  static const std::unique_ptr<S3Server> server = S3Server::swift();
  return server.get();
}

}  // namespace rota::test
