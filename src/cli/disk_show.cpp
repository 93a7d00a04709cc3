#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "cli/disk.h"
#include "cli/status_json.h"
#include "job/rotation_status.h"
#include "ledger/disks.h"

namespace rota::cli {

namespace {

using ledger::AlarmRow;
using ledger::CopyRow;
using ledger::DiskRow;

void line(const char* what, const std::string& text) {
  if (!text.empty()) fmt::print("  {:<14}{}\n", what, text);
}

std::string checked(const CopyRow& copy) {
  if (copy.last_verified) {
    return (copy.last_good ? "good " : "bad ") + base::local(*copy.last_verified).substr(0, 10);
  }
  return copy.verified ? "at the seal" : "never";
}

class DiskShow final : public Command {
 public:
  const char* name() const override { return "disk show"; }
  const char* summary() const override { return "All that is known of one disk"; }
  void declare(Options& options) override {
    options.words(words_, "DISK", "The disk's name", 1, 1);
  }

  int run(Context& context) override {
    ledger::Ledger ledger(context.places().ledger());
    ledger::Disks disks(ledger);
    const DiskRow disk = disks.get(words_.front());
    const rotation::Status all =
        job::read_status(context.places(), ledger, udev::real_devices(), context.now());
    const rotation::DiskStatus& status =
        *std::ranges::find(all.rotation.disks, disk.name, &rotation::DiskStatus::name);
    const std::vector<CopyRow> copies = disks.copies(disk.name);
    const std::vector<AlarmRow> alarms = disks.alarms(disk.name, true);
    context.json ? print_json(disk, status, copies, alarms)
                 : print(disk, status, copies, alarms, all.rotation);
    return base::kExitDone;
  }

 private:
  static void print(const DiskRow& disk, const rotation::DiskStatus& status,
                    const std::vector<CopyRow>& copies, const std::vector<AlarmRow>& alarms,
                    const rotation::RotationStatus& rotation) {
    fmt::print("{}: {}\n", disk.name, status.word);
    line("label", base::printable(disk.label));
    line("filesystem",
         fmt::format("{} {}", base::printable(disk.filesystem), base::printable(disk.uuid)));
    line("encrypted", disk.luks_uuid.empty() ? "no" : "LUKS " + base::printable(disk.luks_uuid));
    line("device", fmt::format("{} {}, {}", base::printable(disk.model),
                               base::printable(disk.serial), base::human_size(disk.size)));
    line("set", status.set);
    line("prepared", base::local(disk.prepared));
    if (status.since) line("since", base::local(*status.since));
    line("place", base::printable(status.place));
    line("by", base::printable(status.by));
    line("reason", base::printable(disk.end_reason));
    if (status.last_seen) line("last seen", base::local(*status.last_seen));
    if (status.due) line("due", base::local(*status.due).substr(0, 10));
    if (status.replace) line("replace", base::local(*status.replace).substr(0, 10));
    for (const rotation::Notice& notice : rotation.notices) {
      if (notice.disk == disk.name) fmt::print("  ! {}\n", notice.text);
    }
    for (const AlarmRow& alarm : alarms) {
      fmt::print("    alarm {}, {}{}{}\n", alarm.id, base::printable(alarm.kind),
                 alarm.what.empty() ? "" : ", " + alarm.what,
                 alarm.server.empty() ? "" : ", " + base::printable(alarm.server));
      for (const std::string& detail : alarm.details) {
        fmt::print("      {}\n", base::printable_text(detail));
      }
    }
    std::vector<std::vector<std::string>> rows;
    for (const CopyRow& copy : copies) {
      rows.push_back({copy.server, copy.snapshot, ledger::word(copy.state),
                      base::human_count(copy.entries), base::human_size(copy.bytes),
                      base::human_size(copy.new_bytes), checked(copy),
                      base::printable(copy.source)});
    }
    if (rows.empty()) return;
    fmt::print("\n{}", base::table({"SERVER", "COPY", "STATE", ">ENTRIES", ">SIZE", ">NEW",
                                    "VERIFIED", "FROM"},
                                   rows));
  }

  static void print_json(const DiskRow& disk, const rotation::DiskStatus& status,
                         const std::vector<CopyRow>& copies, const std::vector<AlarmRow>& alarms) {
    nlohmann::json value = to_json(status);
    value["uuid"] = disk.uuid;
    value["luks_uuid"] = disk.luks_uuid;
    value["filesystem"] = disk.filesystem;
    value["serial"] = disk.serial;
    value["model"] = disk.model;
    value["size"] = disk.size;
    value["prepared"] = base::iso(disk.prepared);
    value["reason"] = disk.end_reason;
    value["all_copies"] = nlohmann::json::array();
    for (const CopyRow& copy : copies) {
      value["all_copies"].push_back({{"server", copy.server},
                                     {"snapshot", copy.snapshot},
                                     {"state", ledger::word(copy.state)},
                                     {"source", copy.source},
                                     {"entries", copy.entries},
                                     {"bytes", copy.bytes},
                                     {"new_bytes", copy.new_bytes},
                                     {"warnings", copy.warnings},
                                     {"verified", copy.verified},
                                     {"last_verified", json_time(copy.last_verified)},
                                     {"last_good", copy.last_good}});
    }
    value["alarms"] = nlohmann::json::array();
    for (const AlarmRow& alarm : alarms) {
      value["alarms"].push_back({{"id", alarm.id},
                                 {"kind", alarm.kind},
                                 {"what", alarm.what},
                                 {"server", alarm.server},
                                 {"opened", base::iso(alarm.opened)},
                                 {"message", alarm.message},
                                 {"details", alarm.details}});
    }
    fmt::print("{}\n", value.dump());
  }

  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_disk_show() { return std::make_unique<DiskShow>(); }

}  // namespace rota::cli
