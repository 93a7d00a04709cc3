#include "support/killer.h"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <string>

namespace rota::test {

namespace {

constexpr std::array kChanging = {
    SYS_write,  SYS_pwrite64,  SYS_writev,    SYS_pwritev,         SYS_ftruncate, SYS_truncate,
    SYS_rename, SYS_renameat,  SYS_renameat2, SYS_unlink,          SYS_unlinkat,  SYS_rmdir,
    SYS_mkdir,  SYS_mkdirat,   SYS_link,      SYS_linkat,          SYS_symlink,   SYS_symlinkat,
    SYS_fsync,  SYS_fdatasync, SYS_fallocate, SYS_copy_file_range, SYS_creat};

bool changes_files(const __ptrace_syscall_info& info) {
  const auto number = static_cast<long>(info.entry.nr);
  if (number == SYS_open) return (info.entry.args[1] & O_CREAT) != 0;
  if (number == SYS_openat) return (info.entry.args[2] & O_CREAT) != 0;
  return std::ranges::find(kChanging, number) != kChanging.end();
}

[[noreturn]] void run_traced(const std::function<void()>& work) {
  // Nothing of Catch2 may run here: the child ends without unwinding.
  int status = 1;
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(2);
  ::raise(SIGSTOP);
  try {
    work();
    status = 0;
  } catch (...) {
  }
  ::_exit(status);
}

/// True when this stop is the entry into a call that counts.
bool is_change(pid_t thread) {
  __ptrace_syscall_info info{};
  return ::ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) > 0 &&
         info.op == PTRACE_SYSCALL_INFO_ENTRY && changes_files(info);
}

}  // namespace

bool can_trace() {
  try {
    return !kill_at(UINT64_MAX, [] {});
  } catch (const std::runtime_error&) {
    return false;
  }
}

bool kill_at(std::uint64_t n, const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child == 0) run_traced(work);

  std::uint64_t calls = 0;
  bool killed = false;
  bool begun = false;
  for (;;) {
    int status = 0;
    const pid_t thread = ::waitpid(-1, &status, __WALL);
    if (thread < 0 && errno == EINTR) continue;
    if (thread < 0) throw std::runtime_error("lost the traced process");
    if (thread == child && (WIFEXITED(status) || WIFSIGNALED(status))) {
      if (killed) return true;
      if (!begun || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        throw std::runtime_error("the traced work failed with status " + std::to_string(status));
      }
      return false;
    }
    if (!WIFSTOPPED(status)) continue;
    int deliver = 0;
    if (!begun) {
      begun = true;
      ::ptrace(PTRACE_SETOPTIONS, child, nullptr,
               PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
    } else if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
      if (!killed && is_change(thread) && ++calls == n) {
        ::kill(child, SIGKILL);
        killed = true;
      }
    } else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP) {
      deliver = WSTOPSIG(status);
    }
    ::ptrace(PTRACE_SYSCALL, thread, nullptr, deliver);
  }
}

}  // namespace rota::test
