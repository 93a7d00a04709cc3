#include <fmt/core.h>

#include "base/error.h"
#include "cli/disk.h"
#include "cli/status_json.h"
#include "job/rotation_status.h"
#include "ledger/history.h"
#include "rotation/status_text.h"

namespace rota::cli {

namespace {

class DiskList final : public Command {
 public:
  const char* name() const override { return "disk list"; }
  const char* summary() const override { return "The disks, where they are and what is due"; }
  void declare(Options&) override {}

  int run(Context& context) override {
    ledger::Ledger ledger(context.places().ledger());
    const rotation::Status status =
        job::read_status(context.places(), ledger, udev::real_devices(), context.now());
    if (context.json) {
      nlohmann::json disks = nlohmann::json::array();
      for (const rotation::DiskStatus& disk : status.rotation.disks) disks.push_back(to_json(disk));
      fmt::print("{}\n", nlohmann::json({{"disks", disks}}).dump());
    } else {
      fmt::print("{}", rotation::disk_table(status.rotation));
    }
    const std::string lost = ledger::History(ledger).lost();
    if (!lost.empty()) context.warnings().warn("the ledger", lost);
    return context.status();
  }
};

}  // namespace

std::unique_ptr<Command> make_disk_list() { return std::make_unique<DiskList>(); }

}  // namespace rota::cli
