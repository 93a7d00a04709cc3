#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/spawn.h"

namespace rota::base {

namespace {

using SteadyClock = std::chrono::steady_clock;

/// In memory, not a pipe: a program that does not read it cannot make anybody wait.
Fd input_of(const Command& command) {
  if (command.input.empty()) return {};
  Fd input(::memfd_create("input", MFD_CLOEXEC));
  if (!input.valid()) throw_os("cannot start", command.argv[0], errno);
  real_files().write_all(input.get(), as_bytes(command.input), "the input of " + command.argv[0]);
  if (::lseek(input.get(), 0, SEEK_SET) != 0) throw_os("cannot start", command.argv[0], errno);
  return input;
}

using std::chrono::milliseconds;

/// How often it is looked whether a stop was requested; and, when its output is closed, whether a
/// program has ended.
constexpr milliseconds kLook{50};
constexpr milliseconds kLookForEnd{5};

/// How long a program may go on, and what ends it.
class Patience {
 public:
  explicit Patience(const Command& command)
      : command_(command), end_(SteadyClock::now() + command.limit) {}

  bool endless() const { return !limited() && !command_.stop.stop_possible(); }
  bool killed() const { return killed_; }
  /// True when it was a stop that ended it, or asked it to end.
  bool stopped() const { return stopped_; }
  /// Asks the program to end, or kills it with what it started, when its time has come. group: the
  /// shell's children, too, which would keep the output open. True when it was killed.
  bool over(pid_t group) {
    const auto now = SteadyClock::now();
    if (limited() && now >= end_) return kill(group);
    if (!command_.stop.stop_requested()) return false;
    asked_ = std::min(asked_, now + command_.after_stop);  // the first look at it counts
    if (now < asked_) return false;
    if (!std::exchange(stopped_, true) && command_.grace.count() != 0) ::kill(-group, SIGTERM);
    return now >= asked_ + command_.grace && kill(group);
  }
  /// Until it is to be asked again.
  milliseconds next() const {
    if (command_.stop.stop_possible()) return kLook;
    const auto left = std::chrono::duration_cast<milliseconds>(end_ - SteadyClock::now());
    return std::max(left, milliseconds(0));
  }

 private:
  bool limited() const { return command_.limit.count() != 0; }
  bool kill(pid_t group) {
    ::kill(-group, SIGKILL);
    return killed_ = true;
  }

  const Command& command_;
  SteadyClock::time_point end_;
  SteadyClock::time_point asked_ = SteadyClock::time_point::max();  ///< to end
  bool stopped_ = false;
  bool killed_ = false;
};

/// Whether there is something to read before patience with the program is over.
bool readable(int fd, pid_t pid, Patience& patience) {
  if (patience.endless()) return true;
  while (!patience.over(pid)) {
    pollfd wait{fd, POLLIN, 0};
    if (::poll(&wait, 1, static_cast<int>(patience.next().count())) > 0) return true;
  }
  return false;
}

/// Waits for its end, also of a program that closed its output and goes on; killed when patience is
/// over. Returns what waitpid() says.
int wait_for(pid_t pid, const Command& command, Patience& patience) {
  for (;;) {
    int status = 0;
    const bool look = !patience.endless() && !patience.killed();
    const pid_t ended = ::waitpid(pid, &status, look ? WNOHANG : 0);
    if (ended == pid) return status;
    if (ended < 0 && errno != EINTR) throw_os("cannot wait for", command.argv[0], errno);
    if (ended == 0 && !patience.over(pid)) {
      ::poll(nullptr, 0, static_cast<int>(kLookForEnd.count()));
    }
  }
}

void keep_end(ProcessResult& result, std::size_t most) {
  if (result.output.size() <= most) return;
  result.output.erase(0, result.output.size() - most);
  result.cut = true;
}

class RealProcesses final : public ProcessRunner {
 public:
  ProcessResult run(const Command& command) override {
    if (command.argv.empty()) throw Error(ErrorKind::io, "cannot start a program without a name");
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw_os("cannot start", command.argv[0], errno);
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    const Fd input = input_of(command);
    Patience patience(command);
    const pid_t pid = spawn(command, {input.get(), writer.get(), false, !patience.endless()});
    writer.reset();

    ProcessResult result;
    char buffer[4096];
    for (;;) {
      if (!readable(reader.get(), pid, patience)) break;
      const ssize_t n = ::read(reader.get(), buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      result.output.append(buffer, static_cast<std::size_t>(n));
      if (result.output.size() > 2 * command.most_output) keep_end(result, command.most_output);
    }
    keep_end(result, command.most_output);
    result.status = exit_status(wait_for(pid, command, patience));
    result.stopped = patience.stopped();
    result.timed_out = patience.killed() && !patience.stopped();
    return result;
  }
};

}  // namespace

ProcessRunner& real_processes() {
  static RealProcesses processes;
  return processes;
}

}  // namespace rota::base
