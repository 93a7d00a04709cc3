#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "cli/command.h"

namespace rota::cli {

namespace {

/// Runs rota-tui in place of this program, which must not need what a screen needs.
class Tui final : public Command {
 public:
  const char* name() const override { return "tui"; }
  const char* summary() const override {
    return "The screen: which disk is where, how old each copy is, what to do next";
  }

  void declare(Options& options) override {
    options.text("--snapshot", snapshot_, "SIZE", "Print one frame as text, such as 120x40");
    options.flag("--ascii", ascii_, "Nothing but ASCII");
    options.text("--record", record_, "FILE", "Write what is shown as JSON");
    options.text("--replay", replay_, "FILE", "Show what was recorded");
  }

  int run(Context&) override {
    std::vector<std::string> words{beside()};
    const auto add = [&](const char* name, const std::string& value) {
      if (!value.empty()) words.push_back(fmt::format("{}={}", name, value));
    };
    add("--snapshot", snapshot_);
    add("--record", record_);
    add("--replay", replay_);
    if (ascii_) words.emplace_back("--ascii");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    // main has blocked signals for all that runs in this process.
    sigset_t none;
    ::sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    ::execvp(argv[0], argv.data());
    if (errno == ENOENT) {
      throw base::Error(base::ErrorKind::not_found,
                        "the screen is a program of its own, rota-tui, which is not installed "
                        "here; `rota status` says in words what it shows");
    }
    base::throw_os("cannot start", "rota-tui", errno);
  }

 private:
  /// The one that belongs to this program, or else the one in $PATH.
  static std::string beside() {
    std::array<char, 4096> path{};
    const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
    if (length > 0) {
      const std::string own(path.data(), static_cast<std::size_t>(length));
      std::string program = own.substr(0, own.rfind('/')) + "/rota-tui";
      if (::access(program.c_str(), X_OK) == 0) return program;
    }
    return "rota-tui";
  }

  std::string snapshot_;
  std::string record_;
  std::string replay_;
  bool ascii_ = false;
};

}  // namespace

std::unique_ptr<Command> make_tui() { return std::make_unique<Tui>(); }

}  // namespace rota::cli
