#include <fmt/core.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/status_json.h"
#include "job/rotation_status.h"
#include "rotation/status_text.h"

namespace rota::cli {

namespace {

class StatusCommand final : public Command {
 public:
  const char* name() const override { return "status"; }
  const char* summary() const override {
    return "How far back you would fall, where the disks are, and what to do about it";
  }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "Only this profile (default: all)", 0, 1);
  }

  int run(Context& context) override {
    const base::Instant now = context.now();
    const std::vector<std::string> names =
        words_.empty() ? profile::list_profiles(context.places()) : words_;
    if (names.empty()) profile::only_profile(context.places());  // says how to make one
    ledger::Ledger ledger(context.places().ledger(), ledger::Ledger::Access::read);
    const rotation::Status status =
        job::read_status(context.places(), ledger, udev::real_devices(), now, names);
    fmt::print("{}",
               context.json ? to_json(status).dump() + "\n" : rotation::status_text(status, now));
    return base::kExitDone;
  }

 private:
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_status() { return std::make_unique<StatusCommand>(); }

}  // namespace rota::cli
