#include "base/child.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/error.h"
#include "base/spawn.h"

namespace rota::base {

Child::Child(const std::vector<std::string>& argv, Input input, bool silent) {
  Fd reader;
  if (input == Input::open) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw_os("cannot start", argv.at(0), errno);
    reader = Fd(ends[0]);
    input_ = Fd(ends[1]);
  }
  const Fd nowhere(silent ? ::open("/dev/null", O_WRONLY | O_CLOEXEC) : -1);
  Command command;
  command.argv = argv;
  pid_ = spawn(command, {reader.get(), nowhere.get(), true});
}

Child::~Child() { status(); }

int Child::take(int raw) {
  status_ = exit_status(raw);
  return *status_;
}

std::optional<int> Child::status() {
  int raw = 0;
  if (!status_ && ::waitpid(pid_, &raw, WNOHANG) == pid_) take(raw);
  return status_;
}

int Child::wait() {
  int raw = 0;
  while (!status_) {
    if (::waitpid(pid_, &raw, 0) == pid_) return take(raw);
    if (errno != EINTR) throw_os("cannot wait for", "a program", errno);
  }
  return *status_;
}

void Child::stop() {
  if (!stopped_ && !status()) ::kill(pid_, SIGTERM);
  stopped_ = true;
}

}  // namespace rota::base
