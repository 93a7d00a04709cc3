#include "dump/hooks.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "support/files.h"

using namespace rota;
using base::Error;
using base::ErrorKind;

namespace {

std::string script(const test::TempDir& dir, const std::string& body) {
  std::string path = dir / "pre";
  test::write(path, "#!/bin/sh\n" + body + "\n");
  REQUIRE(::chmod(path.c_str(), 0700) == 0);
  return path;
}

/// The message of the Error(io) that the hook ends in.
std::string failure(const std::string& path) {
  try {
    dump::run_hook(base::real_processes(), path, "main", "pre");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::io);
    return error.what();
  }
  FAIL("the hook did not fail");
  return "";
}

class RecordingRunner final : public base::ProcessRunner {
 public:
  base::ProcessResult run(const base::Command& command) override {
    commands.push_back(command);
    return {};
  }
  std::vector<base::Command> commands;
};

}  // namespace

TEST_CASE("no hook runs nothing", "[dump]") {
  RecordingRunner runner;
  dump::run_hook(runner, "", "main", "pre");
  CHECK(runner.commands.empty());
}

TEST_CASE("a hook gets no arguments and knows its profile and its moment", "[dump]") {
  RecordingRunner runner;
  dump::run_hook(runner, "/etc/rota/main/post", "main", "post", {{"ROTA_RESULT", "failed"}});
  REQUIRE(runner.commands.size() == 1);
  CHECK(runner.commands[0].argv == std::vector<std::string>{"/etc/rota/main/post"});
  CHECK(runner.commands[0].environment ==
        std::vector<std::pair<std::string, std::string>>{
            {"ROTA_PROFILE", "main"}, {"ROTA_HOOK", "post"}, {"ROTA_RESULT", "failed"}});
}

TEST_CASE("a real script sees the settings and the rest of the environment", "[dump]") {
  const test::TempDir dir;
  const std::string path =
      script(dir, "echo \"$ROTA_PROFILE|$ROTA_HOOK|$EXTRA|$#|${PATH:+path}\" > " + (dir / "seen"));
  dump::run_hook(base::real_processes(), path, "my server", "pre", {{"EXTRA", "a=b c"}});
  CHECK(test::read(dir / "seen") == "my server|pre|a=b c|0|path\n");
}

TEST_CASE("a hook run by rota below another hook sees its own profile", "[dump]") {
  const test::TempDir dir;
  const std::string path = script(dir, "echo \"$ROTA_PROFILE\" > " + (dir / "seen"));
  ::setenv("ROTA_PROFILE", "outer", 1);
  dump::run_hook(base::real_processes(), path, "inner", "pre");
  ::unsetenv("ROTA_PROFILE");
  CHECK(test::read(dir / "seen") == "inner\n");
}

TEST_CASE("a hook that fails is named with its status and what it said", "[dump]") {
  const test::TempDir dir;
  SECTION("both outputs, one line, no blank lines, nothing for the terminal to obey") {
    const std::string path = script(
        dir, "echo 'dumping shop'; echo; printf '  \\033[31mno such table \\n\\n' >&2; exit 3");
    CHECK(failure(path) ==
          "the pre hook " + path +
              " ended with status 3 and printed: dumping shop / \\x1b[31mno such table");
  }
  SECTION("nothing said") {
    const std::string path = script(dir, "exit 1");
    CHECK(failure(path) == "the pre hook " + path + " ended with status 1 and printed nothing");
  }
  SECTION("killed") {
    CHECK_THAT(failure(script(dir, "kill -9 $$")), Catch::Contains("ended with status 137"));
  }
  SECTION("only the last lines of many") {
    const std::string message = failure(
        script(dir, "i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done; exit 1"));
    CHECK_THAT(message, Catch::EndsWith(" / line 498 / line 499"));
    CHECK_THAT(message, !Catch::Contains("line 300 "));
    CHECK(message.size() < 2048);
  }
  SECTION("the end of a line that is too long, from a whole character on") {
    const std::string message =
        failure(script(dir, "i=0; while [ $i -lt 900 ]; do printf 'ä€'; i=$((i+1)); done; exit 1"));
    CHECK_THAT(message, Catch::Contains("printed: ...") && Catch::EndsWith("ä€"));
    CHECK_THAT(message, !Catch::Contains("\\x"));
    CHECK(message.size() < 1300);
  }
  SECTION("progress that was drawn over") {
    CHECK_THAT(failure(script(dir, "printf '10%%\\r20%%\\rbroken\\n'; exit 1")),
               Catch::EndsWith("printed: 10% / 20% / broken"));
  }
}

TEST_CASE("a hook that cannot be started says what to look at", "[dump]") {
  const test::TempDir dir;
  SECTION("absent") {
    CHECK_THAT(failure(dir / "absent"), Catch::Contains("the pre hook of main did not run") &&
                                            Catch::Contains(dir / "absent") &&
                                            Catch::Contains("executable"));
  }
  SECTION("not executable") {
    test::write(dir / "plain", "#!/bin/sh\n");
    CHECK_THAT(failure(dir / "plain"), Catch::Contains("executable"));
  }
}

TEST_CASE("a hook that ends like one that Ctrl-C has ended has failed", "[dump]") {
  const test::TempDir dir;
  CHECK_THAT(failure(script(dir, "exit 130")), Catch::Contains("ended with status 130"));
}

namespace {

/// What a hook ends in that is asked to stop before it has begun.
Error stopped(const std::string& path, std::chrono::seconds after) {
  std::stop_source source;
  source.request_stop();
  try {
    dump::run_hook(base::real_processes(), path, "main", "post", {}, {source.get_token(), after});
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::io, "the hook did not fail"};
}

}  // namespace

TEST_CASE("a hook that a stop has ended is an interruption, not a failure", "[dump]") {
  const test::TempDir dir;
  const Error error = stopped(script(dir, "sleep 120"), std::chrono::seconds(0));
  CHECK(error.kind() == ErrorKind::interrupted);
  CHECK_THAT(error.what(), Catch::Contains("stopped as asked, while the post hook was running"));
}

TEST_CASE("a hook that may go on behind the stop does, and is told apart when it takes too long",
          "[dump]") {
  const test::TempDir dir;
  CHECK_THAT(stopped(script(dir, "exit 3"), std::chrono::seconds(60)).what(),
             Catch::Contains("ended with status 3"));
  const Error error = stopped(script(dir, "sleep 120"), std::chrono::seconds(1));
  CHECK(error.kind() == ErrorKind::interrupted);
  CHECK_THAT(error.what(), Catch::Contains("still ran 1 s after the request to stop"));
}
