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
#include "base/version.h"
#include "cli/command.h"
#include "cli/disk.h"

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

std::vector<std::unique_ptr<cli::Command>> make_commands() {
  std::vector<std::unique_ptr<cli::Command>> commands;
  for (auto* make : {cli::make_init,
                     cli::make_backup,
                     cli::make_cron,
                     cli::make_list,
                     cli::make_ls,
                     cli::make_restore,
                     cli::make_fetch,
                     cli::make_verify,
                     cli::make_drill,
                     cli::make_diff,
                     cli::make_purge,
                     cli::make_purge_incr,
                     cli::make_status,
                     cli::make_facts,
                     cli::make_adopt,
                     cli::make_key,
                     cli::make_doctor,
                     cli::make_cost,
                     cli::make_check,
                     cli::make_history,
                     cli::make_watch,
                     cli::make_remind,
                     cli::make_calendar,
                     cli::make_ledger_check,
                     cli::make_ledger_export,
                     cli::make_ledger_rebuild,
                     cli::make_label,
                     cli::make_plan,
                     cli::make_tui}) {
    commands.push_back(make());
  }
  for (auto* make : cli::disk_commands()) commands.push_back(make());
  return commands;
}

int fail(const std::string& message, int status) {
  std::fputs(fmt::format("rota: {}\n", message).c_str(), stderr);
  return status;
}

int run(int argc, char** argv) {
  const base::SignalStop signals;
  cli::Context context(signals.token());
  cli::CommandLine line(
      "rota",
      "Backs up Linux servers: online chains in a store, and full copies on disks that rotate.",
      fmt::format("rota {}", base::kVersion),
      "`rota COMMAND --help` explains a command. PROFILE may be left out where there is only one.\n"
      "Exit status: 0 done, 1 failed, 2 usage or configuration, 3 done with warnings, 4 corrupt\n"
      "data, 5 refused for safety, 11 locked by another rota, 130 interrupted.");
  line.add_group("disk", "The rotation disks: which there are, where they are, what is on them");
  line.add_group("ledger", "The record of the rotation disks: check, export, rebuild");
  const std::vector<std::unique_ptr<cli::Command>> commands = make_commands();
  for (const auto& command : commands) {
    cli::Options& options = line.add(command->name(), command->summary());
    options.flag("--json", context.json, "Print the result as JSON");
    options.flag("-v,--verbose", context.verbose, "Say what was done, also without a terminal");
    command->declare(options);
  }
  const auto number = line.parse(argc, argv);
  return number ? commands[*number]->run(context) : base::kExitDone;
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
