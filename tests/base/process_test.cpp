#include "base/process.h"

#include <pthread.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <stop_token>
#include <thread>

#include "base/file.h"
#include "base/kind_of.h"
#include "support/files.h"

using namespace rota::base;
using rota::test::kind_of;
using rota::test::message_of;

namespace {

ProcessResult run(std::vector<std::string> argv,
                  std::vector<std::pair<std::string, std::string>> environment = {}) {
  return real_processes().run({std::move(argv), std::move(environment)});
}

ProcessResult shell(const std::string& script) { return run({"sh", "-c", script}); }

}  // namespace

TEST_CASE("a program ends with its status and its output of both kinds", "[process]") {
  const ProcessResult good = shell("echo out; echo err >&2");
  CHECK(good.status == 0);
  CHECK(good.output == "out\nerr\n");
  const ProcessResult bad = shell("echo no; exit 7");
  CHECK(bad.status == 7);
  CHECK(bad.output == "no\n");
}

TEST_CASE("a program that is killed ends with 128 and the signal", "[process]") {
  CHECK(shell("kill -TERM $$").status == 128 + SIGTERM);
  CHECK(shell("kill -KILL $$").status == 128 + SIGKILL);
}

TEST_CASE("arguments reach the program as they are", "[process]") {
  const ProcessResult result = run({"printf", "<%s>", "a b", "$HOME;`id`", "*", "", "'\""});
  CHECK(result.output == "<a b><$HOME;`id`><*><><'\">");
}

TEST_CASE("standard input is empty", "[process]") {
  const ProcessResult result = run({"cat"});
  CHECK(result.status == 0);
  CHECK(result.output == "");
}

TEST_CASE("the environment gets additions and keeps the rest", "[process]") {
  ::setenv("ROTA_TEST_KEPT", "kept", 1);
  ::setenv("ROTA_TEST_CHANGED", "old", 1);
  const ProcessResult result =
      run({"sh", "-c", "echo $ROTA_TEST_KEPT $ROTA_TEST_CHANGED $ROTA_TEST_ADDED; env"},
          {{"ROTA_TEST_CHANGED", "new=er"}, {"ROTA_TEST_ADDED", "added"}});
  ::unsetenv("ROTA_TEST_KEPT");
  ::unsetenv("ROTA_TEST_CHANGED");
  CHECK_THAT(result.output, Catch::StartsWith("kept new=er added\n"));
  CHECK_THAT(result.output, !Catch::Contains("ROTA_TEST_CHANGED=old"));
  CHECK_THAT(run({"env"}, {{"ROTA_TEST_ONCE", "1"}}).output, Catch::Contains("PATH="));
  CHECK(std::getenv("ROTA_TEST_ADDED") == nullptr);
}

TEST_CASE("a changed variable stands in the environment once", "[process]") {
  ::setenv("ROTA_TEST_CHANGED", "old", 1);
  const ProcessResult result = run({"env"}, {{"ROTA_TEST_CHANGED", "new"}});
  ::unsetenv("ROTA_TEST_CHANGED");
  CHECK_THAT(result.output, Catch::Contains("ROTA_TEST_CHANGED=new"));
  CHECK_THAT(result.output, !Catch::Contains("ROTA_TEST_CHANGED=old"));
}

TEST_CASE("output beyond 64 KiB is dropped, and the program still ends well", "[process]") {
  const ProcessResult result = shell("head -c 300000 /dev/zero && exit 3");
  CHECK(result.status == 3);
  CHECK(result.output == std::string(65536, '\0'));
  CHECK(result.cut);
}

TEST_CASE("more output is kept where it is asked for", "[process]") {
  Command command;
  command.argv = {"head", "-c", "300000", "/dev/zero"};
  command.most_output = 300'000;
  const ProcessResult whole = real_processes().run(command);
  CHECK(whole.output.size() == 300'000);
  CHECK_FALSE(whole.cut);
  command.most_output = 299'999;
  const ProcessResult part = real_processes().run(command);
  CHECK(part.output.size() == 299'999);
  CHECK(part.cut);
}

TEST_CASE("a program that cannot be started is an error that names it", "[process]") {
  CHECK(kind_of([] { run({"/nonexistent/tool"}); }) == ErrorKind::io);
  CHECK(message_of([] { run({"/nonexistent/tool"}); }) ==
        "cannot start /nonexistent/tool: no such file or directory");
  CHECK(kind_of([] { run({"rota-no-such-program"}); }) == ErrorKind::io);
  CHECK(kind_of([] { run({}); }) == ErrorKind::io);
  const rota::test::TempDir dir;
  rota::test::write(dir / "plain", "not a program");
  CHECK(kind_of([&] { run({dir / "plain"}); }) == ErrorKind::io);
}

TEST_CASE("a program starts with its signals as usual", "[process]") {
  sigset_t term;
  sigset_t mask_before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, &mask_before);
  const auto pipe_before = std::signal(SIGPIPE, SIG_IGN);
  const ProcessResult signals = run({"grep", "-E", "^Sig(Blk|Ign):", "/proc/self/status"});
  std::signal(SIGPIPE, pipe_before);
  pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);

  REQUIRE_THAT(signals.output, Catch::Contains("SigBlk:") && Catch::Contains("SigIgn:"));
  const auto bits = [&](const char* name) {
    return std::stoull(signals.output.substr(signals.output.find(name) + 7), nullptr, 16);
  };
  CHECK(bits("SigBlk:") == 0);
  CHECK((bits("SigIgn:") & (1ULL << (SIGPIPE - 1))) == 0);
}

TEST_CASE("no descriptor is left open by a run", "[process]") {
  const auto next = [] {
    const int fd = ::dup(0);
    ::close(fd);
    return fd;
  };
  const int before = next();
  shell("true");
  CHECK(kind_of([] { run({"/nonexistent/tool"}); }) == ErrorKind::io);
  CHECK(next() == before);
}

TEST_CASE("a program reads its input, and one that does not makes nobody wait", "[process]") {
  const std::string large(3 << 20, 'x');
  CHECK(real_processes().run({{"wc", "-c"}, {}, large}).output == "3145728\n");
  CHECK(real_processes().run({{"true"}, {}, large}).status == 0);
  CHECK(real_processes().run({{"cat"}, {}, "two\nlines\n"}).output == "two\nlines\n");
}

TEST_CASE("a program that takes too long is killed with what it started", "[process]") {
  // The child of the shell holds the output open, too; without a limit this takes two minutes.
  const ProcessResult result = real_processes().run(
      {{"sh", "-c", "echo begun; sleep 120 & sleep 120"}, {}, "", std::chrono::seconds(1)});
  CHECK(result.status == 128 + 9);
  CHECK(result.output == "begun\n");
}

TEST_CASE("a program that closed its output is killed at its limit, too", "[process]") {
  const ProcessResult result = real_processes().run(
      {{"sh", "-c", "exec >&- 2>&-; sleep 120"}, {}, "", std::chrono::seconds(1)});
  CHECK(result.status == 128 + 9);
  CHECK(result.timed_out);
}

TEST_CASE("a program is killed with what it started when a stop is requested", "[process]") {
  std::stop_source source;
  source.request_stop();
  const char* script = GENERATE("sleep 120 & sleep 120", "exec >&- 2>&-; sleep 120");
  const ProcessResult result = real_processes().run(
      {{"sh", "-c", script}, {}, "", std::chrono::seconds(0), source.get_token()});
  CHECK(result.status == 128 + 9);
  CHECK_FALSE(result.timed_out);
  // One that is not stopped goes on to its end.
  const std::stop_source none;
  CHECK(real_processes()
            .run({{"sh", "-c", "sleep 0.1; exit 3"}, {}, "", {}, none.get_token()})
            .status == 3);
}

namespace {

/// Runs a script that a stop is requested of once it has made the file ./here.
ProcessResult stop_when_here(const std::string& script, std::chrono::milliseconds after_stop,
                             std::chrono::milliseconds grace) {
  const rota::test::TempDir dir;
  std::stop_source source;
  const std::jthread person([&, here = dir / "here"](const std::stop_token& over) {
    while (!exists(here) && !over.stop_requested()) std::this_thread::yield();
    source.request_stop();
  });
  Command command;
  command.argv = {"sh", "-c", "cd \"$1\"; " + script, "sh", dir.path()};
  command.stop = source.get_token();
  command.after_stop = after_stop;
  command.grace = grace;
  return real_processes().run(command);
}

constexpr std::chrono::milliseconds kAtOnce{0};
constexpr std::chrono::milliseconds kShort{100};
constexpr std::chrono::minutes kLong{10};

}  // namespace

TEST_CASE("a program is asked to end, and has time to tidy up", "[process]") {
  const ProcessResult result = stop_when_here(
      "trap 'echo tidied; exit 7' TERM; touch here; sleep 120 & wait", kAtOnce, kLong);
  CHECK(result.status == 7);
  CHECK(result.output == "tidied\n");
  CHECK(result.stopped);
}

TEST_CASE("a program that does not end when it is asked is killed with what it started",
          "[process]") {
  const ProcessResult result =
      stop_when_here("trap '' TERM; touch here; sleep 120 & sleep 120", kAtOnce, kShort);
  CHECK(result.status == 128 + SIGKILL);
  CHECK(result.stopped);
  CHECK_FALSE(result.timed_out);
}

TEST_CASE("a program may go on behind the request to stop, and not for ever", "[process]") {
  const ProcessResult good = stop_when_here("touch here; sleep 0.1; exit 3", kLong, kAtOnce);
  CHECK(good.status == 3);
  CHECK_FALSE(good.stopped);
  const ProcessResult bad = stop_when_here("touch here; sleep 120", kShort, kLong);
  CHECK(bad.status == 128 + SIGTERM);
  CHECK(bad.stopped);
}

TEST_CASE("a program that may be killed has no terminal", "[process]") {
  const std::stop_source none;
  Command command;
  command.argv = {"sh", "-c",
                  "read -r pid name state parent group session rest < /proc/$$/stat; "
                  "echo $((pid == $$)) $((group == $$)) $((session == $$))"};
  command.stop = none.get_token();
  CHECK(real_processes().run(command).output == "1 1 1\n");
}
