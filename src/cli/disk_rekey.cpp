#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "chain/key_file.h"
#include "cli/disk.h"
#include "disk/identity.h"
#include "disk/lock.h"
#include "disk/rekey.h"
#include "job/disk_session.h"
#include "ledger/disks.h"
#include "udev/device_probe.h"

namespace rota::cli {

namespace {

using base::Error;
using base::ErrorKind;

class DiskRekey final : public Command {
 public:
  const char* name() const override { return "disk rekey"; }
  const char* summary() const override {
    return "Give an encrypted disk a new key file and a new recovery passphrase";
  }

  void declare(Options& options) override {
    options.words(words_, "DISK", "The disk's name", 1, 1);
    options.text("--key-file", key_file_, "FILE",
                 "Its key file (default: keys/NAME.key beside the profiles)");
    options.text("--passphrase-file", passphrase_file_, "FILE",
                 "A file with the recovery passphrase, when the key file is lost");
    options.note("What opened the disk before does not open it any more.");
  }

  int run(Context& context) override {
    ledger::Ledger ledger(context.places().ledger());
    ledger::Disks disks(ledger);
    const ledger::DiskRow row = disks.get(words_.front());
    if (row.luks_uuid.empty()) {
      throw Error(ErrorKind::usage, fmt::format("disk {} is not encrypted", row.name));
    }
    if (key_file_.empty()) {
      key_file_ = job::key_file_of(context.places(), row.name);
    }
    const std::string opener =
        passphrase_file_.empty() ? "" : chain::read_passphrase_file(passphrase_file_);
    const base::LockFile lock = disk::lock_disk(context.places().run, row.name);
    const std::string passphrase =
        disk::rekey_disk(find(row), key_file_, opener, base::real_processes());
    if (context.json) {
      fmt::print("{}\n", nlohmann::json{{"name", row.name},
                                        {"key_file", base::printable(key_file_)},
                                        {"recovery_passphrase", passphrase}}
                             .dump());
    } else {
      show_recovery_passphrase(row.name, passphrase);
    }
    return context.status();
  }

 private:
  /// The node of the container that the ledger means, by its UUID; and no second one.
  static std::string find(const ledger::DiskRow& row) {
    std::string node;
    for (const udev::BlockDevice& device : udev::real_devices().devices()) {
      if (device.fs_type != "crypto_LUKS" || device.uuid != row.luks_uuid) continue;
      if (!node.empty()) {
        throw Error(ErrorKind::refused,
                    fmt::format("{} and {} both say that they are disk {}; unplug the copy", node,
                                device.node, row.name));
      }
      node = device.node;
    }
    if (node.empty()) {
      throw Error(ErrorKind::not_found, fmt::format("disk {} is not plugged in", row.name));
    }
    return node;
  }

  std::vector<std::string> words_;
  std::string key_file_;
  std::string passphrase_file_;
};

}  // namespace

std::unique_ptr<Command> make_disk_rekey() { return std::make_unique<DiskRekey>(); }

}  // namespace rota::cli
