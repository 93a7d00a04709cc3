#include "support/script_server.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace rota::test {

namespace {

constexpr int kPatience = 60'000;  // ms; it takes one second on an idle machine

struct Pipe {
  base::Fd reader, writer;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  return {base::Fd(ends[0]), base::Fd(ends[1])};
}

std::optional<std::string> first_line(int output, const std::string& program) {
  std::string line;
  for (;;) {
    pollfd ready{output, POLLIN, 0};
    if (::poll(&ready, 1, kPatience) <= 0) {
      throw std::runtime_error(program + " does not come up");
    }
    char c = 0;
    if (::read(output, &c, 1) != 1) return std::nullopt;
    if (c == '\n') return line;
    line += c;
  }
}

}  // namespace

ScriptServer::ScriptServer(const std::vector<std::string>& argv, const std::string& log) {
  Pipe input = make_pipe();
  Pipe output = make_pipe();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input.reader.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output.writer.get(), STDOUT_FILENO);
  if (!log.empty()) {
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(),
                                       O_WRONLY | O_CREAT | O_APPEND, 0600);
  }
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int failed = ::posix_spawnp(&pid_, words.front(), &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    pid_ = -1;
    throw ProgramMissing(argv.front() + " cannot be started: " + base::os_reason(failed));
  }
  input_ = std::move(input.writer);
  output.writer.reset();
  try {
    said_ = first_line(output.reader.get(), argv.back());
  } catch (const std::runtime_error&) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    throw;
  }
}

int ScriptServer::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

ScriptServer::~ScriptServer() {
  input_.reset();
  if (pid_ < 0) return;
  // It notices at once; SIGKILL is for one that hangs, and loses nothing.
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void forget_proxies() {
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    ::unsetenv(name);
  }
}

}  // namespace rota::test
