#include "tui/guard.h"

#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <csignal>

#include <cerrno>
#include <cstdio>

#include "base/error.h"
#include "tui/terminal.h"

namespace rota::tui {

namespace {

volatile sig_atomic_t screen_pid = 0;  // for the handler, which can know nothing else

void pass_on(int signal) {
  if (screen_pid > 0) ::kill(static_cast<pid_t>(screen_pid), signal);
}

}  // namespace

int guarded(const std::function<int()>& screen) {
  termios before{};
  const bool terminal = ::tcgetattr(STDIN_FILENO, &before) == 0;
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) base::throw_os("cannot start", "the screen", errno);
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(130);
    const int status = screen();
    std::fflush(stdout);
    std::fflush(stderr);
    ::_exit(status);
  }
  screen_pid = child;
  struct sigaction action {};
  action.sa_handler = pass_on;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    ::sigaction(signal, &action, nullptr);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  if (terminal) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  reset_terminal();
  std::fputs(fmt::format("rota-tui: the screen was ended by signal {}; the terminal is as it was, "
                         "and jobs that run go on\n",
                         WTERMSIG(status))
                 .c_str(),
             stderr);
  return 128 + WTERMSIG(status);
}

}  // namespace rota::tui
