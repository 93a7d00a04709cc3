#include "base/spawn.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string_view>

#include "base/error.h"

namespace rota::base {

namespace {

/// True when `setting`, "NAME=value", is of a name that `command` sets itself.
bool is_set(const Command& command, std::string_view setting) {
  const std::string_view name = setting.substr(0, setting.find('='));
  return std::any_of(command.environment.begin(), command.environment.end(),
                     [&](const auto& own) { return own.first == name; });
}

}  // namespace

pid_t spawn(const Command& command, const SpawnStreams& streams) {
  if (command.argv.empty()) throw Error(ErrorKind::io, "cannot start a program without a name");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (streams.input >= 0) {
    posix_spawn_file_actions_adddup2(&actions, streams.input, 0);
  } else {
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  }
  if (streams.output >= 0) {
    posix_spawn_file_actions_adddup2(&actions, streams.output, 1);
    posix_spawn_file_actions_adddup2(&actions, streams.output, 2);
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  sigset_t as_usual;
  sigemptyset(&as_usual);
  sigaddset(&as_usual, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &as_usual);
  int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (streams.own_group) flags |= POSIX_SPAWN_SETPGROUP;  // its number is the child's, by default
  if (streams.own_session) flags |= POSIX_SPAWN_SETSID;
  posix_spawnattr_setflags(&attributes, static_cast<short>(flags));

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
  return pid;
}

int exit_status(int raw) { return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw); }

}  // namespace rota::base
