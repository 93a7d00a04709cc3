#include <fcntl.h>
#include <fmt/core.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <system_error>

#include "base/error.h"
#include "base/signals.h"
#include "cli/program.h"

namespace {

using namespace rota;

/// Buffers of megabytes go back to the system when they are freed, so that the arithmetic of memory
/// holds for the process and not only for the program: glibc would raise the limit as it goes.
void keep_memory_flat() {
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 4 << 20);
  ::mallopt(M_ARENA_MAX, 4);
}

/// Trees are read and written through directory descriptors: take as many as are allowed.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Started with one of the three closed (`>&-`), rota must not print into a file that it opens and
/// that takes its place.
void open_standard_descriptors() {
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDWR);
  if (fd > STDERR_FILENO) ::close(fd);
}

/// What was printed must have arrived: a full disk is an error. A reader that went away is none
/// (`rota ls | head`).
void flush_output() {
  if (std::fflush(stdout) == 0 || errno == EPIPE) return;
  base::throw_os("cannot write", "the output", errno);
}

int fail(const std::string& message, int status) {
  std::fputs(fmt::format("rota: {}\n", message).c_str(), stderr);
  return status;
}

int run(int argc, char** argv) {
  const base::SignalStop signals;
  cli::Context context(signals.token());
  cli::Program program(context);
  const auto number = program.line().parse(argc, argv);
  return number ? program.command(*number).run(context) : base::kExitDone;
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  keep_memory_flat();
  raise_descriptor_limit();
  try {
    const int status = run(argc, argv);
    flush_output();
    return status;
  } catch (const base::Error& error) {
    return fail(error.what(), base::exit_code(error.kind()));
  } catch (const std::bad_alloc&) {
    return fail("this machine has not enough memory free", 1);
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) == 0) {
      return fail(fmt::format("the system refuses what rota needs: {}",
                              base::os_reason(error.code().value())),
                  1);
    }
    if (error.code() == std::errc::broken_pipe) return base::kExitDone;  // see flush_output()
    return fail("cannot write the output: " + base::os_reason(error.code().value()), 1);
  } catch (const std::exception& error) {
    return fail(fmt::format("an error that rota does not know: {}", error.what()), 1);
  }
}
