#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/spawn.h"

namespace rota::base {

namespace {

constexpr std::size_t kMaxOutput = 64 << 10;

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

/// Whether there is something to read before the end of the time.
bool readable(int fd, const Command& command, SteadyClock::time_point end) {
  if (command.limit.count() == 0) return true;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - SteadyClock::now());
    if (left.count() <= 0) return false;
    pollfd wait{fd, POLLIN, 0};
    if (::poll(&wait, 1, static_cast<int>(left.count())) > 0) return true;
  }
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
    const bool limited = command.limit.count() != 0;
    const pid_t pid = spawn(command, {input.get(), writer.get(), limited});
    writer.reset();
    const auto end = SteadyClock::now() + command.limit;

    ProcessResult result;
    char buffer[4096];
    for (;;) {
      if (!readable(reader.get(), command, end)) {
        ::kill(-pid, SIGKILL);  // the group: a shell's children would keep the output open
        break;
      }
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
    result.status = exit_status(status);
    return result;
  }
};

}  // namespace

ProcessRunner& real_processes() {
  static RealProcesses processes;
  return processes;
}

}  // namespace rota::base
