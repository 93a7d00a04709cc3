#include "base/process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace rota::base {

namespace {

constexpr std::size_t kMaxOutput = 64 << 10;

/// True when `setting`, "NAME=value", is of a name that `command` sets itself.
bool is_set(const Command& command, std::string_view setting) {
  const std::string_view name = setting.substr(0, setting.find('='));
  return std::any_of(command.environment.begin(), command.environment.end(),
                     [&](const auto& own) { return own.first == name; });
}

class RealProcesses final : public ProcessRunner {
 public:
  ProcessResult run(const Command& command) override {
    if (command.argv.empty()) throw Error(ErrorKind::io, "cannot start a program without a name");
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw_os("cannot start", command.argv[0], errno);
    const Fd reader(ends[0]);
    Fd writer(ends[1]);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, writer.get(), 1);
    posix_spawn_file_actions_adddup2(&actions, writer.get(), 2);
    // The child starts with no signal blocked, whatever this process waits for, and with SIGPIPE as
    // usual: what this process ignores would stay ignored behind exec().
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    sigset_t as_usual;
    sigemptyset(&as_usual);
    sigaddset(&as_usual, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &as_usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    std::vector<char*> argv;
    for (const std::string& word : command.argv) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    std::vector<std::string> settings;
    for (const auto& [name, value] : command.environment) settings.push_back(name + "=" + value);
    std::vector<char*> environment;
    for (std::string& setting : settings) environment.push_back(setting.data());
    // A name that stands twice is read as its first by some programs and as its last by others.
    for (char** e = environ; *e != nullptr; ++e) {
      if (!is_set(command, *e)) environment.push_back(*e);
    }
    environment.push_back(nullptr);

    pid_t pid = 0;
    const int failed =
        ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failed != 0) {
      // Not throw_os(): a program that is not installed is no "thing that was asked for".
      throw Error(ErrorKind::io,
                  fmt::format("cannot start {}: {}", command.argv[0], os_reason(failed)));
    }
    writer.reset();

    ProcessResult result;
    char buffer[4096];
    for (;;) {
      const ssize_t n = ::read(reader.get(), buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      result.output.append(buffer, static_cast<std::size_t>(n));
      if (result.output.size() > 2 * kMaxOutput) {
        result.output.erase(0, result.output.size() - kMaxOutput);
      }
    }
    if (result.output.size() > kMaxOutput) {
      result.output.erase(0, result.output.size() - kMaxOutput);
    }
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
      if (errno != EINTR) throw_os("cannot wait for", command.argv[0], errno);
    }
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
  }
};

}  // namespace

ProcessRunner& real_processes() {
  static RealProcesses processes;
  return processes;
}

}  // namespace rota::base
