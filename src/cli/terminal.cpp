#include "cli/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/error.h"
#include "base/signals.h"

namespace rota::cli {

namespace {

/// Returns when there is something to read; throws when a stop is asked for before.
void wait_for_input(int tty, const std::stop_token& stop) {
  const base::Fd woken(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback wake(stop, [&] {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(woken.get(), &one, sizeof one);
  });
  pollfd both[2] = {{tty, POLLIN, 0}, {woken.get(), POLLIN, 0}};
  while (::poll(both, 2, -1) < 0) {
    if (errno != EINTR) base::throw_os("cannot read from", "the terminal", errno);
  }
  base::check_stop(stop);
}

}  // namespace

base::Fd open_terminal() { return base::Fd(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)); }

void write_terminal(int tty, std::string_view text) {
  base::real_files().write_all(tty, std::as_bytes(std::span(text)), "/dev/tty");
}

std::string read_line(int tty, std::size_t limit, const std::stop_token& stop) {
  std::string answer;
  answer.reserve(limit + 1);  // a secret is not left behind by a string that grows
  while (!answer.ends_with('\n')) {
    wait_for_input(tty, stop);
    char buffer[256];
    const ssize_t n = ::read(tty, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) base::throw_os("cannot read from", "the terminal", errno);
    if (n == 0) break;
    answer.append(buffer, static_cast<std::size_t>(n));
    ::explicit_bzero(buffer, sizeof buffer);
    if (answer.size() > limit) {
      throw base::Error(base::ErrorKind::usage, "the answer is too long");
    }
  }
  return answer;
}

std::optional<std::string> ask(const std::string& question, const std::stop_token& stop) {
  constexpr std::size_t kMostBytes = 1024;
  const base::Fd tty = open_terminal();
  if (!tty.valid()) return std::nullopt;
  write_terminal(tty.get(), question);
  std::string answer = read_line(tty.get(), kMostBytes, stop);
  if (answer.empty()) return std::nullopt;
  if (answer.ends_with('\n')) answer.pop_back();
  return answer;
}

}  // namespace rota::cli
