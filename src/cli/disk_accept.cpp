#include <fmt/core.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/disk.h"
#include "cli/person.h"
#include "ledger/disks.h"

namespace rota::cli {

namespace {

class DiskAccept final : public Command {
 public:
  const char* name() const override { return "disk accept"; }
  const char* summary() const override {
    return "Take note of a disk's tripwires and alarms, so that its turn goes on";
  }

  void declare(Options& options) override {
    options.words(words_, "DISK", "The disk's name, or the label of one that is not known", 1, 1);
    options.text("--reason", reason_, "TEXT", "Why it is no harm", Options::Need::required);
    options.text("--by", by_, "NAME", "Who says so (default: the user who runs this)");
  }

  int run(Context& context) override {
    const std::string& disk = words_.front();
    ledger::Ledger ledger(job::ledger_path(context.places()));
    ledger::Disks disks(ledger);
    const std::vector<ledger::AlarmRow> open = disks.alarms(disk, true);
    if (open.empty()) {
      const auto known = disks.find(disk);
      throw base::Error(
          base::ErrorKind::not_found,
          fmt::format("there is no open alarm of {} {}; `rota status` shows those that "
                      "there are",
                      known ? "disk" : "any disk or label", base::printable(disk)));
    }
    const std::string by = person(by_);
    for (const ledger::AlarmRow& alarm : open) {
      disks.acknowledge(alarm.id, by, reason_, context.now());
      if (context.chatty()) fmt::print("Noted: {}\n", base::printable(alarm.message));
    }
    return base::kExitDone;
  }

 private:
  std::vector<std::string> words_;
  std::string reason_;
  std::string by_;
};

}  // namespace

std::unique_ptr<Command> make_disk_accept() { return std::make_unique<DiskAccept>(); }

}  // namespace rota::cli
