#include <fmt/core.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/disk.h"
#include "cli/person.h"
#include "cli/terminal.h"
#include "disk/prepare.h"
#include "disk/wipe.h"
#include "job/disk_session.h"

namespace rota::cli {

using base::Error;
using base::ErrorKind;

namespace {

class DiskRetire final : public Command {
 public:
  const char* name() const override { return "disk retire"; }
  const char* summary() const override { return "Take a disk out of use for good"; }

  void declare(Options& options) override {
    options.words(words_, "DISK", "The disk's name", 1, 1);
    options.text("--reason", reason_, "TEXT", "Why", Options::Need::required);
    options.text("--by", by_, "NAME", "Who says so (default: the user who runs this)");
    options.flag("--wipe", wipe_,
                 "Destroy what is on it, which must be plugged in; its name must be typed");
  }

  int run(Context& context) override {
    ledger::Ledger ledger(context.places().ledger());
    ledger::Disks disks(ledger);
    const std::string disk = disks.get(words_.front()).name;
    if (wipe_) wipe(context, disks, disk);
    disks.end(disk, ledger::DiskEnd::retired, reason_, person(by_), context.now());
    if (context.chatty()) fmt::print("{} is retired{}.\n", disk, wipe_ ? ", and wiped" : "");
    return base::kExitDone;
  }

 private:
  /// Only the disk that it says it is, by all that recognises one: another would be lost.
  static void wipe(Context& context, ledger::Disks& disks, const std::string& name) {
    job::DiskSession session(context.places(), disks, udev::real_devices(), name, {},
                             context.surroundings());
    session.close();
    const udev::BlockDevice whole = session.whole();
    std::vector<udev::BlockDevice> partitions;
    for (const std::string& child : whole.children) {
      if (auto device = udev::real_devices().find(child)) partitions.push_back(std::move(*device));
    }
    const disk::WipePlan plan = disk::plan_wipe(whole, partitions);
    const auto answer =
        ask(fmt::format("Device  {}\nModel   {}\nSerial  {}\nSize    {}\n\n{}\n"
                        "Type the disk's name to go on: ",
                        whole.node, base::printable(whole.model), base::printable(whole.serial),
                        base::human_size(whole.size), plan.sentence),
            context.stop());
    if (!answer) {
      throw Error(ErrorKind::refused,
                  "there is no terminal to type the name on; nothing was changed");
    }
    if (*answer != name) {
      throw Error(ErrorKind::refused, fmt::format("that is not {}; nothing was changed", name));
    }
    std::vector<udev::BlockDevice> shown = partitions;
    shown.push_back(whole);
    disk::refuse_if_changed(udev::real_devices(), shown);
    context.progress().set_activity("wiping " + name);
    context.progress().total_bytes = plan.bytes;
    const base::TerminalProgress terminal(context.progress());
    disk::wipe(whole, plan, base::real_processes(), context.progress(), context.stop());
  }

  std::vector<std::string> words_;
  std::string reason_;
  std::string by_;
  bool wipe_ = false;
};

}  // namespace

std::unique_ptr<Command> make_disk_retire() { return std::make_unique<DiskRetire>(); }

}  // namespace rota::cli
