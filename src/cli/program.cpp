#include "cli/program.h"

#include <fmt/core.h>

#include <iterator>
#include <sstream>

#include "base/version.h"
#include "cli/disk.h"

namespace rota::cli {

namespace {

constexpr ExitStatus kExitStatuses[] = {
    {0, "done"},
    {1, "failed"},
    {2, "usage or configuration"},
    {3, "done with warnings"},
    {4, "corrupt data"},
    {5, "refused for safety"},
    {11, "locked by another rota"},
    {130, "interrupted"},
};

std::vector<std::unique_ptr<Command>> make_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  for (auto* make : {make_init,
                     make_backup,
                     make_cron,
                     make_list,
                     make_ls,
                     make_restore,
                     make_fetch,
                     make_verify,
                     make_drill,
                     make_diff,
                     make_purge,
                     make_purge_incr,
                     make_status,
                     make_facts,
                     make_adopt,
                     make_key,
                     make_doctor,
                     make_cost,
                     make_check,
                     make_history,
                     make_watch,
                     make_remind,
                     make_calendar,
                     make_ledger_check,
                     make_ledger_export,
                     make_ledger_rebuild,
                     make_label,
                     make_plan,
                     make_tui}) {
    commands.push_back(make());
  }
  for (auto* make : disk_commands()) commands.push_back(make());
  return commands;
}

/// What stands below every --help that has nothing of its own to say.
std::string note() {
  constexpr std::size_t kWidth = 88;
  std::string text =
      "`rota COMMAND --help` explains a command. PROFILE may be left out where there is only "
      "one.\n";
  std::string line = "Exit status:";
  for (const ExitStatus& status : kExitStatuses) {
    const char end = &status == std::end(kExitStatuses) - 1 ? '.' : ',';
    std::istringstream words(fmt::format("{} {}{}", status.status, status.meaning, end));
    for (std::string word; words >> word;) {
      if (line.size() + 1 + word.size() > kWidth) {
        text += line + '\n';
        line = word;
      } else {
        line += ' ' + word;
      }
    }
  }
  return text + line;
}

}  // namespace

std::span<const ExitStatus> exit_statuses() { return kExitStatuses; }

Program::Program(Context& context)
    : line_("rota",
            "Backs up Linux servers: online chains in a store, and full copies on disks that "
            "rotate.",
            fmt::format("rota {}", base::kVersion), note()),
      commands_(make_commands()) {
  line_.add_group("disk", "The rotation disks: which there are, where they are, what is on them");
  line_.add_group("ledger", "The record of the rotation disks: check, export, rebuild");
  for (const auto& command : commands_) {
    Options& options = line_.add(command->name(), command->summary());
    options.flag("--json", context.json, "Print the result as JSON");
    options.flag("-v,--verbose", context.verbose, "Say what was done, also without a terminal");
    command->declare(options);
  }
}

}  // namespace rota::cli
