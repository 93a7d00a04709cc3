#include "support/b2_server.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

#include "store/curl_client.h"

namespace rota::test {

namespace {

constexpr const char* kProgram = ROTA_TESTS "/support/b2_fake.py";

struct Pipe {
  base::Fd read;
  base::Fd write;
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    read = base::Fd(ends[0]);
    write = base::Fd(ends[1]);
  }
};

/// "port 12345\n".
std::string read_line(int fd) {
  std::string line;
  char c = 0;
  while (::read(fd, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

}  // namespace

void forget_proxies() {
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    ::unsetenv(name);
  }
}

B2Server::B2Server() {
  forget_proxies();
  Pipe in;
  Pipe out;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in.read.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
  std::string python = "python3";
  std::string unwritten = "-B";
  std::string program = kProgram;
  std::array<char*, 4> argv{python.data(), unwritten.data(), program.data(), nullptr};
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, "python3", &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("python3 cannot be started: " + base::os_reason(error));
  process_ = pid;
  lifeline_ = std::move(in.write);
  out.write.reset();
  const std::string line = read_line(out.read.get());
  if (!line.starts_with("port ")) throw std::runtime_error("the B2 fake does not start: " + line);
  url_ = "http://127.0.0.1:" + line.substr(5);
}

B2Server::~B2Server() {
  ::kill(process_, SIGTERM);
  ::waitpid(process_, nullptr, 0);
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
  const std::string name = "bucket-" + std::to_string(++buckets_);
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
