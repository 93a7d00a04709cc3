#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/disk.h"
#include "cli/terminal.h"
#include "disk/prepare.h"
#include "job/disk_session.h"
#include "job/plug_in.h"
#include "ledger/disks.h"

namespace rota::cli {

namespace {

using base::Error;
using base::ErrorKind;
using base::printable;

class DiskPrepare final : public Command {
 public:
  const char* name() const override { return "disk prepare"; }
  const char* summary() const override { return "Make a rotation disk of an empty disk"; }

  void declare(Options& options) override {
    options.words(words_, "DEVICE", "The whole disk, such as /dev/sdb", 1, 1);
    options.text("--name", options_.name, "NAME", "Its name: 1 to 7 of A-Z and 0-9, such as B",
                 Options::Need::required);
    options.flag("--encrypt", options_.encrypt,
                 "LUKS2, opened by a key file on this machine or a recovery passphrase");
    options.text("--fs", options_.fs_type, "TYPE", "ext4 (the default), xfs or btrfs");
    options.text("--set", options_.set, "NAME", "The set of rotation.toml that it belongs to");
    options.text("--key-file", options_.key_file, "FILE",
                 "Where the new key is put (default: keys/NAME.key beside the profiles)");
    options.flag("--yes", yes_, "Do not ask, for an empty disk");
    options.flag("--wipe", options_.wipe,
                 "Also a disk that is not empty; the name must be typed then, whatever --yes says");
    options.flag("--allow-fixed", options_.allow_fixed,
                 "Also a disk that is neither attached by USB nor removable");
  }

  int run(Context& context) override {
    if (options_.key_file.empty()) {
      options_.key_file = job::key_file_of(context.places(), options_.name);
    }
    options_.lock_directory = context.places().run;
    const disk::PrepareTarget target = disk::look_at(udev::real_devices(), words_.front());
    ledger::Ledger ledger(context.places().ledger());
    ledger::Disks disks(ledger);
    if (disks.find(options_.name)) {
      throw Error(ErrorKind::refused,
                  fmt::format("there was a disk {} already; a name is never used again, since its "
                              "label may turn up: take another",
                              options_.name));
    }
    spare_enrolled(disks, target);
    disk::check_target(target, options_);
    if (!yes_ || !target.contents.empty()) {
      confirm(context, target);
      disk::refuse_if_changed(udev::real_devices(), devices_of(target));
    }

    disk::PrepareTools tools{udev::real_devices(), base::real_processes(), base::real_clock(),
                             [&](const std::string& what) {
                               if (context.chatty()) fmt::print("{} ...\n", what);
                             },
                             [&](const disk::PreparedDisk& made) {
                               record(disks, made);
                               job::note_plug_in(context.places(), made.name, target.disk,
                                                 context.warnings());
                             }};
    const disk::PreparedDisk made = disk::prepare(target.disk.node, options_, tools);
    context.json ? print_json(made) : print(context, made);
    return context.status();
  }

 private:
  static std::vector<udev::BlockDevice> devices_of(const disk::PrepareTarget& target) {
    std::vector<udev::BlockDevice> devices = target.partitions;
    devices.push_back(target.disk);
    return devices;
  }

  /// A disk that the rotation counts on is not given another life by its first wrong letter.
  static void spare_enrolled(ledger::Disks& disks, const disk::PrepareTarget& target) {
    for (const udev::BlockDevice& device : devices_of(target)) {
      if (device.uuid.empty()) continue;
      const auto row = disks.with_uuid(device.uuid);
      if (!row || row->end == ledger::DiskEnd::retired || row->end == ledger::DiskEnd::lost)
        continue;
      throw Error(ErrorKind::refused,
                  fmt::format("{0} is the rotation disk {1}, which is {2}; if it shall be one no "
                              "more, run `rota disk retire {1}` first",
                              device.node, row->name, ledger::word(row->end)));
    }
  }

  void confirm(const Context& context, const disk::PrepareTarget& target) const {
    const udev::BlockDevice& device = target.disk;
    std::string question = fmt::format(
        "Device  {}\nModel   {}\nSerial  {}\nSize    {}\nOn it   {}\n", device.node,
        device.model.empty() ? "unknown" : printable(device.vendor + " " + device.model),
        device.serial.empty() ? "unknown" : printable(device.serial), base::human_size(device.size),
        target.contents.empty() ? "nothing"
                                : fmt::format("{}", fmt::join(target.contents, "\n        ")));
    question += fmt::format(
        "\nIt becomes the rotation disk {} ({}, {}). Everything on it is lost.\nType its name to "
        "go on: ",
        options_.name, options_.fs_type, options_.encrypt ? "encrypted" : "not encrypted");
    const auto answer = ask(question, context.stop());
    if (!answer) {
      throw Error(ErrorKind::refused,
                  target.contents.empty()
                      ? "there is no terminal to type the name; --yes prepares an empty disk "
                        "without it"
                      : fmt::format("{} is not empty, and there is no terminal to type the name; "
                                    "nothing was changed",
                                    device.node));
    }
    if (*answer != options_.name) {
      throw Error(ErrorKind::refused,
                  fmt::format("that is not {}; nothing was changed", options_.name));
    }
  }

  static void record(ledger::Disks& disks, const disk::PreparedDisk& made) {
    ledger::DiskRow row;
    row.name = made.name;
    row.label = made.label;
    row.uuid = made.fs_uuid;
    row.luks_uuid = made.luks_uuid;
    row.filesystem = made.fs_type;
    row.token_sha256 = made.token_hash;
    row.serial = made.serial;
    row.model = made.model;
    row.size = made.size;
    row.set = made.set;
    row.prepared = made.prepared;
    disks.add(row, made.prepared);
  }

  static void print_json(const disk::PreparedDisk& made) {
    nlohmann::json value = {{"name", made.name},
                            {"label", made.label},
                            {"set", made.set},
                            {"filesystem", made.fs_type},
                            {"uuid", made.fs_uuid},
                            {"device", made.partition_node},
                            {"model", printable(made.model)},
                            {"serial", printable(made.serial)},
                            {"size", made.size},
                            {"prepared", base::iso(made.prepared)}};
    if (!made.luks_uuid.empty()) {
      value["luks_uuid"] = made.luks_uuid;
      value["key_file"] = printable(made.key_file);
      value["recovery_passphrase"] = made.recovery_passphrase;
    }
    fmt::print("{}\n", value.dump());
  }

  static void print(const Context& context, const disk::PreparedDisk& made) {
    if (!made.luks_uuid.empty()) show_recovery_passphrase(made.name, made.recovery_passphrase);
    if (!context.chatty()) return;
    fmt::print(
        "{} is the rotation disk {} now, with the label {}. Print its label with `rota label "
        "{} -o label.pdf`. Unplug it, and plug it in again to copy.\n",
        made.partition_node, made.name, made.label, made.name);
  }

  std::vector<std::string> words_;
  disk::PrepareOptions options_;
  bool yes_ = false;
};

}  // namespace

void show_recovery_passphrase(const std::string& disk, const std::string& passphrase) {
  fmt::print(
      "The recovery passphrase of disk {}, shown this once and kept nowhere:\n\n    {}\n\n"
      "Write it down, hyphens included, and keep it where the server is not: when the server "
      "is lost, nothing else opens the disk.\n\n",
      disk, passphrase);
}

std::unique_ptr<Command> make_disk_prepare() { return std::make_unique<DiskPrepare>(); }

}  // namespace rota::cli
