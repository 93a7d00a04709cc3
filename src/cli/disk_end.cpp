#include <fmt/core.h>

#include "base/error.h"
#include "cli/disk.h"
#include "cli/person.h"
#include "ledger/disks.h"

namespace rota::cli {

namespace {

using ledger::DiskEnd;

/// Takes a disk out of its turn, or back into it.
class DiskEndCommand final : public Command {
 public:
  DiskEndCommand(const char* name, const char* summary, DiskEnd end)
      : name_(name), summary_(summary), end_(end) {}

  const char* name() const override { return name_; }
  const char* summary() const override { return summary_; }

  void declare(Options& options) override {
    options.words(words_, "DISK", "The disk's name", 1, 1);
    options.text("--reason", reason_, "TEXT", "Why",
                 end_ == DiskEnd::in_use ? Options::Need::optional : Options::Need::required);
    options.text("--by", by_, "NAME", "Who says so (default: the user who runs this)");
  }

  int run(Context& context) override {
    ledger::Ledger ledger(context.places().ledger());
    ledger::Disks disks(ledger);
    const ledger::DiskRow disk = disks.get(words_.front());
    disks.end(disk.name, end_, reason_, person(by_), context.now());
    if (context.chatty()) fmt::print("{} is {}.\n", disk.name, ledger::word(end_));
    return base::kExitDone;
  }

 private:
  const char* name_;
  const char* summary_;
  DiskEnd end_;
  std::vector<std::string> words_;
  std::string reason_;
  std::string by_;
};

}  // namespace

std::unique_ptr<Command> make_disk_lost() {
  return std::make_unique<DiskEndCommand>("disk lost", "Say that a disk is lost", DiskEnd::lost);
}
std::unique_ptr<Command> make_disk_hold() {
  return std::make_unique<DiskEndCommand>("disk hold", "Keep a disk as it is, never written over",
                                          DiskEnd::held);
}
std::unique_ptr<Command> make_disk_release() {
  return std::make_unique<DiskEndCommand>(
      "disk release", "Give a held disk, or a lost one that was found, its turn again",
      DiskEnd::in_use);
}

}  // namespace rota::cli
