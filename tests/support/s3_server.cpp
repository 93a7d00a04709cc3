#include "support/s3_server.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "support/skip.h"

namespace rota::test {

namespace {

constexpr int kCannotRun = 77;     // as the scripts say
constexpr int kPatience = 60'000;  // ms; it takes one second on an idle machine

struct Pipe {
  base::Fd reader, writer;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  return {base::Fd(ends[0]), base::Fd(ends[1])};
}

}  // namespace

std::optional<std::string> S3Server::first_line(int output) const {
  std::string line;
  while (!line.ends_with('\n')) {
    pollfd ready{output, POLLIN, 0};
    if (::poll(&ready, 1, kPatience) <= 0)
      throw std::runtime_error("the S3 server does not come up");
    char c = 0;
    if (::read(output, &c, 1) != 1) return std::nullopt;
    line += c;
  }
  return line;
}

std::unique_ptr<S3Server> S3Server::swift() {
  // Debian's own python, which sees Debian's packages.
  return start("/usr/bin/python3", ROTA_TESTS "/support/swift_server.py");
}

std::unique_ptr<S3Server> S3Server::moto() {
  return start("python3", ROTA_TESTS "/support/moto_server.py");
}

std::unique_ptr<S3Server> S3Server::start(const char* python, const char* script) {
  std::unique_ptr<S3Server> server(new S3Server);
  Pipe input = make_pipe();
  Pipe output = make_pipe();
  const std::string log = server->dir_ / "log";

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.reader.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, output.writer.get(), 1);
  posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const char* argv[] = {python, "-B", script, server->dir_.path().c_str(), nullptr};
  const int failed = ::posix_spawnp(&server->pid_, python, &actions, nullptr,
                                    const_cast<char* const*>(argv), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    server->pid_ = 0;
    skip(std::string("needs ") + python);
    return nullptr;
  }
  server->input_ = std::move(input.writer);
  output.writer.reset();

  const auto line = server->first_line(output.reader.get());
  if (!line) {
    int status = 0;
    ::waitpid(server->pid_, &status, 0);
    server->pid_ = 0;
    const std::string reason = read(log);
    if (WIFEXITED(status) && WEXITSTATUS(status) == kCannotRun) {
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

S3Server::~S3Server() {
  input_.reset();
  if (pid_ == 0) return;
  // It notices at once; SIGKILL is for one that hangs, and loses nothing.
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

const S3Server* shared_swift() {
  static const std::unique_ptr<S3Server> server = S3Server::swift();
  return server.get();
}

}  // namespace rota::test
