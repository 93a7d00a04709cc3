#include <fcntl.h>
#include <fmt/core.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <system_error>

#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "base/version.h"
#include "cli/command.h"

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

struct Row {
  std::unique_ptr<cli::Command> command;
  CLI::App* app = nullptr;
};

std::vector<Row> make_commands() {
  std::vector<Row> rows;
  for (auto* make : {cli::make_init, cli::make_backup, cli::make_list, cli::make_ls,
                     cli::make_restore, cli::make_fetch, cli::make_verify, cli::make_diff,
                     cli::make_purge, cli::make_purge_incr, cli::make_status, cli::make_adopt}) {
    rows.push_back({make(), nullptr});
  }
  return rows;
}

/// CLI11 would say of an unknown command only that one is missing.
void check_command(const std::vector<Row>& rows, int argc, char** argv) {
  if (argc < 2) {
    throw base::Error(base::ErrorKind::usage, "which command? `rota --help` lists them");
  }
  const std::string word = argv[1];
  std::vector<std::string> known;
  for (const Row& row : rows) {
    if (row.command->name() == word || word.starts_with('-')) return;
    known.emplace_back(row.command->name());
  }
  const auto meant = base::nearest(word, known);
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("there is no command \"{}\"; {}", base::printable(word),
                                meant ? fmt::format("did you mean \"{}\"?", *meant)
                                      : "`rota --help` lists those that there are"));
}

int fail(const std::string& message, int status) {
  std::fputs(fmt::format("rota: {}\n", message).c_str(), stderr);
  return status;
}

int run(int argc, char** argv) {
  const base::SignalStop signals;
  cli::Context context(signals.token());
  CLI::App app(
      "Backs up Linux servers: online chains in a store, and full copies on disks that rotate.",
      "rota");
  app.set_version_flag("--version", fmt::format("rota {}", base::kVersion));
  app.require_subcommand(1);
  app.footer(
      "`rota COMMAND --help` explains a command. PROFILE may be left out where there is only one.\n"
      "Exit status: 0 done, 1 failed, 2 usage or configuration, 3 done with warnings, 4 corrupt\n"
      "data, 5 refused for safety, 11 locked by another rota, 130 interrupted.");
  std::vector<Row> rows = make_commands();
  for (Row& row : rows) {
    row.app = app.add_subcommand(row.command->name(), row.command->summary());
    row.app->add_flag("--json", context.json, "Print the result as JSON");
    row.app->add_flag("-v,--verbose", context.verbose,
                      "Say what was done, also without a terminal");
    row.command->declare(*row.app);
  }
  check_command(rows, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    const std::string topic =
        app.get_subcommands().empty() ? "" : app.get_subcommands().front()->get_name() + " ";
    return fail(fmt::format("{}; `rota {}--help` shows the form", error.what(), topic),
                base::exit_code(base::ErrorKind::usage));
  }
  for (Row& row : rows) {
    if (row.app->parsed()) return row.command->run(context);
  }
  return base::exit_code(base::ErrorKind::usage);
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
