#include "disk/prepare.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "disk/identity.h"
#include "disk/lock.h"
#include "disk/luks.h"
#include "disk/make_filesystem.h"
#include "disk/mount.h"
#include "udev/partitions.h"

namespace rota::disk {

namespace {

using base::Error;
using base::ErrorKind;
using base::Fd;

/// One disk on its way. Nothing has a rotation label before the last step.
class Preparation {
 public:
  Preparation(const PrepareTarget& target, const PrepareOptions& options, PrepareTools& tools)
      : target_(target), options_(options), tools_(tools), disk_(target.disk.node) {}

  PreparedDisk run() {
    take_disk();
    try {
      make_partition();
      make_contents();
      if (tools_.record) tools_.record(made_);
    } catch (const Error& error) {
      give_up(error);
    }
    claim_.reset();
    disk_lock_.reset();
    return made_;
  }

 private:
  void step(const std::string& what) {
    if (tools_.step) tools_.step(what);
  }

  /// Nobody else may have it open for themselves, and udevd is asked to leave it alone: see
  /// https://systemd.io/BLOCK_DEVICE_LOCKING.
  void take_disk() {
    disk_lock_ = Fd(::open(disk_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!disk_lock_.valid()) base::throw_os("cannot open", disk_, errno);
    if (::flock(disk_lock_.get(), LOCK_EX | LOCK_NB) != 0) {
      throw Error(ErrorKind::locked,
                  fmt::format("another program works on {} just now; try again", disk_));
    }
    claim_ = Fd(::open(disk_.c_str(), O_RDWR | O_EXCL | O_CLOEXEC));
    if (!claim_.valid()) {
      if (errno != EBUSY) base::throw_os("cannot open for writing", disk_, errno);
      throw Error(ErrorKind::refused,
                  fmt::format("{} is in use: it is mounted, or another program holds it", disk_));
    }
  }

  void make_partition() {
    step("making the partition");
    for (const udev::BlockDevice& part : target_.partitions) erase_signatures(part.node);
    erase_signatures(disk_);
    // sfdisk reads its script from standard input only. The kernel is told by us, who hold the
    // disk: sfdisk would find it in use.
    run_tool({"sh", "-c",
              "printf 'label: gpt\\ntype=linux, name=\"%s\"\\n' \"$2\" | exec sfdisk -q "
              "--no-reread --no-tell-kernel --wipe always \"$1\"",
              "sh", disk_, disk_label(options_.name)},
             "make the partition on " + disk_, tools_.processes);
    udev::announce_partitions(claim_.get(), disk_);
    made_.partition_node = udev::partition_node(disk_, 1);
    // mkfs wants the partition for itself, which the claim on the whole disk forbids.
    claim_.reset();
    // An older filesystem may have begun at the same place.
    erase_signatures(made_.partition_node);
  }

  void make_contents() {
    const std::string& part = made_.partition_node;
    const std::string label = disk_label(options_.name);
    std::optional<LuksMapping> mapping;
    std::string node = part;
    if (options_.encrypt) {
      step("making the LUKS container");
      make_disk_key(options_.key_file);
      made_.key_file = options_.key_file;
      made_.recovery_passphrase = new_recovery_passphrase();
      luks_format(part, {made_.key_file, made_.recovery_passphrase}, tools_.processes);
      made_.luks_uuid = look(part).uuid;
      mapping.emplace(part, LuksSecrets{made_.key_file, ""}, options_.name, tools_.processes);
      node = mapping->node();
    }
    step(fmt::format("making the {} filesystem", options_.fs_type));
    run_tool(mkfs_command(node, options_.fs_type, target_.disk.size),
             fmt::format("make the {} filesystem on {}", options_.fs_type, node), tools_.processes);
    made_.fs_uuid = look(node).uuid;
    step("writing the identity and the reserve");
    write_files(node);
    step("labelling it");
    run_tool(label_command(node, options_.fs_type, label), "label " + node, tools_.processes);
    if (mapping) {
      mapping->close();
      luks_set_label(part, label, tools_.processes);
    }
    const udev::BlockDevice done = look(part);
    if (done.label != label || done.uuid != (mapping ? made_.luks_uuid : made_.fs_uuid)) {
      throw Error(ErrorKind::io, fmt::format("{} does not show what was written to it", part));
    }
    describe(label);
  }

  void write_files(const std::string& node) {
    Identity identity;
    identity.name = options_.name;
    identity.set = options_.set;
    identity.fs_uuid = made_.fs_uuid;
    identity.prepared = made_.prepared = tools_.clock.now();
    identity.token = new_token();
    made_.token_hash = token_hash(identity.token);
    DiskMount mount(node, options_.fs_type, MountMode::read_write);
    make_reserve(mount.fd());
    write_identity(mount.fd(), identity);
    mount.close();
  }

  void describe(const std::string& label) {
    made_.name = options_.name;
    made_.label = label;
    made_.set = options_.set;
    made_.fs_type = options_.fs_type;
    made_.vendor = target_.disk.vendor;
    made_.model = target_.disk.model;
    made_.serial = target_.disk.serial;
    made_.size = target_.disk.size;
  }

  udev::BlockDevice look(const std::string& node) {
    const auto found = tools_.devices.find(node);
    if (!found) throw Error(ErrorKind::unavailable, fmt::format("{} is gone", node));
    return *found;
  }

  void erase_signatures(const std::string& node) {
    // --force: the disk is claimed, by us.
    run_tool({"wipefs", "--all", "--quiet", "--force", node}, "erase what is on " + node,
             tools_.processes);
  }

  /// A half-made disk must not look like a rotation disk, nor its key like one that opens
  /// something.
  [[noreturn]] void give_up(const Error& error) {
    bool unlabelled = true;
    try {
      if (!made_.partition_node.empty()) erase_signatures(made_.partition_node);
      erase_signatures(disk_);
    } catch (const Error&) {
      unlabelled = false;
    }
    if (!made_.key_file.empty()) ::unlink(made_.key_file.c_str());
    throw Error(error.kind(),
                fmt::format("{}. {} was not prepared: what was on it is gone, and it {}",
                            error.what(), disk_,
                            unlabelled ? "has no label of a rotation disk; begin again"
                                       : "may hold a half-made filesystem; prepare it again with "
                                         "--wipe before it is used for anything"));
  }

  const PrepareTarget& target_;
  const PrepareOptions& options_;
  PrepareTools& tools_;
  std::string disk_;
  Fd disk_lock_;
  Fd claim_;
  PreparedDisk made_;
};

}  // namespace

PreparedDisk prepare(const std::string& node, const PrepareOptions& options, PrepareTools& tools) {
  check_target(look_at(tools.devices, node), options);  // before anything is made for it
  if (options.encrypt && !luks_is_possible()) {
    throw Error(ErrorKind::refused,
                "this kernel has no device mapper, so that an encrypted disk cannot be opened; "
                "`modprobe dm-crypt`, or prepare it without --encrypt");
  }
  if (options.encrypt && base::exists(options.key_file)) {
    throw Error(ErrorKind::refused,
                fmt::format("{} exists already: it may be the only key to an earlier disk {}; move "
                            "it away if that disk is gone for good",
                            base::printable(options.key_file), options.name));
  }
  const base::LockFile lock = lock_disk(options.lock_directory, options.name);
  const PrepareTarget target = look_at(tools.devices, node);
  check_target(target, options);
  return Preparation(target, options, tools).run();
}

}  // namespace rota::disk
