#include "base/signals.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <functional>
#include <optional>
#include <thread>

#include "base/kind_of.h"

using namespace rota::base;
using rota::test::kind_of;

namespace {

/// The exit status of a process of its own, as wait() tells it: signals concern a whole process.
int in_child(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::alarm(20);  // a child that waits for ever would hold up all tests
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

void wait_for(const std::stop_token& token) {
  while (!token.stop_requested()) std::this_thread::yield();
}

}  // namespace

TEST_CASE("the first signal asks to stop", "[signals]") {
  const int number = GENERATE(SIGINT, SIGTERM, SIGHUP);
  CAPTURE(number);
  CHECK(in_child([&] {
          std::signal(SIGHUP, SIG_DFL);  // whatever the tests were started with
          const SignalStop stop;
          const auto token = stop.token();
          if (token.stop_requested()) return 1;
          ::kill(::getpid(), number);
          wait_for(token);
          return kind_of([&] { check_stop(token); }) == ErrorKind::interrupted ? 42 : 2;
        }) == 42);
}

TEST_CASE("Ctrl-C ends a process that was asked to stop, with the status of an interruption",
          "[signals]") {
  const int first = GENERATE(SIGINT, SIGTERM);
  CAPTURE(first);
  CHECK(in_child([&] {
          const SignalStop stop;
          ::kill(::getpid(), first);
          wait_for(stop.token());
          ::kill(::getpid(), SIGINT);
          for (;;) ::pause();
          return 1;
        }) == 130);
}

TEST_CASE("whoever asks a process to stop a second time does not end it", "[signals]") {
  const int second = GENERATE(SIGTERM, SIGHUP);
  CAPTURE(second);
  CHECK(in_child([&] {
          std::signal(SIGHUP, SIG_DFL);
          std::optional<SignalStop> stop(std::in_place);
          ::kill(::getpid(), SIGTERM);
          wait_for(stop->token());
          ::kill(::getpid(), second);
          sigset_t pending;
          do {  // until it was taken
            sigpending(&pending);
          } while (sigismember(&pending, second) != 0);
          stop.reset();  // waits for who has taken it
          return 42;
        }) == 42);
}

TEST_CASE("a hang-up that nohup ignores does not stop the work", "[signals]") {
  CHECK(in_child([] {
          std::signal(SIGHUP, SIG_IGN);
          const SignalStop stop;
          ::kill(::getpid(), SIGHUP);
          // Taken as the first signal, it would make this the second, which ends with 130.
          ::kill(::getpid(), SIGINT);
          wait_for(stop.token());
          sigset_t pending;
          sigpending(&pending);
          return sigismember(&pending, SIGHUP) == 0 && sigismember(&pending, SIGINT) == 0 ? 42 : 1;
        }) == 42);
}

TEST_CASE("a closed pipe is an error of write, not the end", "[signals]") {
  CHECK(in_child([] {
          const SignalStop stop;
          int ends[2];
          if (::pipe(ends) != 0) return 1;
          ::close(ends[0]);
          return ::write(ends[1], "x", 1) == -1 && errno == EPIPE ? 42 : 2;
        }) == 42);
}

TEST_CASE("without a request the work goes on", "[signals]") {
  std::stop_source source;
  CHECK_NOTHROW(check_stop(source.get_token()));
  source.request_stop();
  CHECK(kind_of([&] { check_stop(source.get_token()); }) == ErrorKind::interrupted);
}
