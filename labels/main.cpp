#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string_view>

#include "base/error.h"
#include "base/version.h"
#include "labels/commands.h"

namespace rota::labels {

bool parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return true;
  } catch (const CLI::CallForHelp& help) {
    app.exit(help);
    return false;
  } catch (const CLI::ParseError& error) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("{}; `{} --help` shows the form", error.what(), app.get_name()));
  }
}

}  // namespace rota::labels

namespace {

using namespace rota;

/// Started with one of the three closed, it must not print into a file that it opens.
void open_standard_descriptors() {
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDWR);
  if (fd > STDERR_FILENO) ::close(fd);
}

int run(int argc, char** argv) {
  const std::string_view word = argc < 2 ? "" : argv[1];
  if (word == "label") return labels::label_command(argc - 1, argv + 1);
  if (word == "plan") return labels::plan_command(argc - 1, argv + 1);
  if (word == "--version") {
    fmt::print("rota-label {}\n", base::kVersion);
    return base::kExitDone;
  }
  throw base::Error(
      base::ErrorKind::usage,
      "rota-label is run by rota: `rota label --help` and `rota plan --help` show how");
}

int fail(const char* message, int status) {
  std::fputs(fmt::format("rota: {}\n", message).c_str(), stderr);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  try {
    const int status = run(argc, argv);
    return std::fflush(stdout) == 0 ? status : fail("cannot write the output", 1);
  } catch (const base::Error& error) {
    return fail(error.what(), base::exit_code(error.kind()));
  } catch (const std::bad_alloc&) {
    return fail("this machine has not enough memory free", 1);
  } catch (const std::exception& error) {
    return fail(fmt::format("an error that rota does not know: {}", error.what()).c_str(), 1);
  }
}
