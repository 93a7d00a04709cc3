#include "cli/passphrase.h"

#include <fmt/core.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/terminal.h"

namespace rota::cli {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t kLeastCharacters = 12;
constexpr std::size_t kMostBytes = 1024;

/// The terminal without echo, and as it was before at the end.
class Silence {
 public:
  explicit Silence(int tty) : tty_(tty) {
    if (::tcgetattr(tty_, &before_) != 0) base::throw_os("cannot look at", "the terminal", errno);
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ICANON | ISIG;
    silent.c_cc[VSUSP] = _POSIX_VDISABLE;  // Ctrl-Z would leave the shell without echo
    if (::tcsetattr(tty_, TCSAFLUSH, &silent) != 0) {
      base::throw_os("cannot hide what is typed on", "the terminal", errno);
    }
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() { ::tcsetattr(tty_, TCSAFLUSH, &before_); }

 private:
  int tty_;
  termios before_{};
};

}  // namespace

std::optional<std::string> ask_passphrase(const std::string& question,
                                          const std::stop_token& stop) {
  const base::Fd tty = open_terminal();
  if (!tty.valid()) return std::nullopt;
  std::string answer;
  {
    const Silence silence(tty.get());
    write_terminal(tty.get(), question);
    try {
      answer = read_line(tty.get(), kMostBytes, stop);
    } catch (...) {
      write_terminal(tty.get(), "\n");
      throw;
    }
    write_terminal(tty.get(), "\n");  // the person's own was not shown
  }
  if (answer.empty()) return std::nullopt;  // the end of input: nobody wants to answer
  if (answer.ends_with('\n')) answer.pop_back();
  return answer;
}

std::string ask_new_passphrase(const std::stop_token& stop) {
  const auto first = ask_passphrase("New passphrase: ", stop);
  if (!first) {
    throw Error(ErrorKind::usage,
                "there is no terminal to ask for the passphrase; give it with --passphrase-file "
                "FILE");
  }
  check_new_passphrase(*first);
  const auto second = ask_passphrase("The same again: ", stop);
  if (first != second) {
    throw Error(ErrorKind::config, "the two passphrases differ; nothing was made");
  }
  return *first;
}

void check_new_passphrase(const std::string& passphrase) {
  if (!base::is_utf8(passphrase)) {
    throw Error(
        ErrorKind::config,
        "the passphrase is not in UTF-8, so that another machine would take it for another");
  }
  const auto characters = static_cast<std::size_t>(
      std::ranges::count_if(passphrase, [](char c) { return (c & 0xc0) != 0x80; }));
  if (characters < kLeastCharacters) {
    throw Error(ErrorKind::config,
                fmt::format("the passphrase has {} characters and needs {}: whoever has the store "
                            "can guess as often as they like; take five or six random words",
                            characters, kLeastCharacters));
  }
}

}  // namespace rota::cli
