#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/time.h"
#include "cli/options.h"
#include "job/server.h"

namespace rota::cli {

/// What main gives every command, and what every command has in common.
class Context {
 public:
  explicit Context(std::stop_token stop) : stop_(std::move(stop)) {}

  bool json = false;
  bool verbose = false;

  job::Surroundings surroundings();
  base::Warnings& warnings() { return warnings_; }
  base::Progress& progress() { return progress_; }
  const std::stop_token& stop() const { return stop_; }
  base::Instant now() const { return base::real_clock().now(); }
  const profile::Places& places();

  /// Something to say to the person at the terminal: not in cron, not beside JSON.
  bool chatty() const;
  /// 3 when anything was warned about, else 0.
  int status() const;

  /// Takes the profile's name off the front of a command's words. It may be left out where there is
  /// only one profile: `most` is how many other words the command takes, `least` how few.
  std::string take_profile(std::vector<std::string>& words, std::size_t least, std::size_t most);

 private:
  std::stop_token stop_;
  base::TerminalWarnings warnings_;
  base::Progress progress_;
  std::optional<profile::Places> places_;
};

/// One command of `rota`. declare() says what it takes, run() does it and returns the
/// exit status.
class Command {
 public:
  virtual ~Command() = default;
  virtual const char* name() const = 0;     ///< "backup", or of a group's command "disk list"
  virtual const char* summary() const = 0;  ///< one line, for `rota --help`
  virtual void declare(Options& options) = 0;
  virtual int run(Context& context) = 0;
};

std::unique_ptr<Command> make_init();
std::unique_ptr<Command> make_backup();
std::unique_ptr<Command> make_list();
std::unique_ptr<Command> make_ls();
std::unique_ptr<Command> make_restore();
std::unique_ptr<Command> make_fetch();
std::unique_ptr<Command> make_verify();
std::unique_ptr<Command> make_diff();
std::unique_ptr<Command> make_purge();
std::unique_ptr<Command> make_purge_incr();
std::unique_ptr<Command> make_status();
std::unique_ptr<Command> make_drill();
std::unique_ptr<Command> make_facts();
std::unique_ptr<Command> make_adopt();
std::unique_ptr<Command> make_cron();
std::unique_ptr<Command> make_key();
std::unique_ptr<Command> make_doctor();
std::unique_ptr<Command> make_cost();
std::unique_ptr<Command> make_check();
std::unique_ptr<Command> make_history();
std::unique_ptr<Command> make_watch();
std::unique_ptr<Command> make_remind();
std::unique_ptr<Command> make_calendar();
std::unique_ptr<Command> make_tui();
std::unique_ptr<Command> make_ledger_check();
std::unique_ptr<Command> make_ledger_export();
std::unique_ptr<Command> make_ledger_rebuild();
std::unique_ptr<Command> make_label();
std::unique_ptr<Command> make_plan();

}  // namespace rota::cli
