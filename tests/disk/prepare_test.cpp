#include "disk/prepare.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/kind_of.h"
#include "base/lock.h"
#include "disk/identity.h"
#include "disk/lock.h"
#include "disk/luks.h"
#include "disk/make_filesystem.h"
#include "disk/mount.h"
#include "disk/power.h"
#include "disk/recognise.h"
#include "disk/superblock.h"
#include "support/loop_disk.h"
#include "support/skip.h"
#include "udev/partitions.h"

using namespace rota;
using namespace rota::test;

namespace {

std::uint64_t size_for(const std::string& fs) { return fs == "xfs" ? 384 << 20 : 192 << 20; }

/// Fails the call that runs `program`, or only counts when it is empty.
class FailingProcesses final : public base::ProcessRunner {
 public:
  int fail_at = -1;
  int calls = 0;

  base::ProcessResult run(const base::Command& command) override {
    if (calls++ == fail_at) return {1, "it was made to fail"};
    return base::real_processes().run(command);
  }
};

struct Bench {
  TempDir dir;
  FailingProcesses processes;
  std::vector<std::string> steps;
  disk::PrepareTools tools{udev::real_devices(), processes, base::real_clock(),
                           [this](const std::string& what) { steps.push_back(what); }};

  disk::PrepareOptions options(const std::string& fs = "ext4") const {
    disk::PrepareOptions options;
    options.name = "RT";
    options.set = "monthly";
    options.fs_type = fs;
    options.allow_fixed = true;
    options.lock_directory = dir / "run";
    options.key_file = dir / "keys/RT.key";
    return options;
  }
  disk::PreparedDisk prepare(const LoopDisk& disk, const disk::PrepareOptions& options) {
    return disk::prepare(disk.node(), options, tools);
  }
};

std::string label_of(const std::string& node) {
  const auto found = udev::real_devices().find(node);
  return found ? found->label : "";
}

}  // namespace

TEST_CASE("a prepared disk has label, identity, token and reserve", "[prepare]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  const std::string fs = GENERATE("ext4", "xfs", "btrfs");
  LoopDisk loop(size_for(fs));
  Bench bench;
  const disk::PreparedDisk made = bench.prepare(loop, bench.options(fs));
  CHECK(made.name == "RT");
  CHECK(made.label == "ROTA-RT");
  CHECK(made.set == "monthly");
  CHECK(made.fs_type == fs);
  CHECK(made.size == size_for(fs));
  CHECK(made.luks_uuid.empty());
  CHECK(made.recovery_passphrase.empty());
  CHECK(made.partition_node == loop.partition(1));
  CHECK(bench.steps.size() == 4);

  const auto whole = udev::real_devices().find(loop.node());
  CHECK(whole->table == "gpt");
  CHECK(whole->children.size() == 1);
  const auto part = udev::real_devices().find(made.partition_node);
  REQUIRE(part);
  CHECK(part->fs_type == fs);
  CHECK(part->label == "ROTA-RT");
  CHECK(part->partition_name == "ROTA-RT");
  CHECK(part->uuid == made.fs_uuid);
  CHECK(disk::inspect_filesystem(part->node, fs).state == disk::FilesystemState::clean);

  disk::DiskMount mount(part->node, fs, disk::MountMode::read_write);
  const auto identity = disk::read_identity(mount.fd());
  REQUIRE(identity);
  CHECK(identity->name == "RT");
  CHECK(identity->fs_uuid == made.fs_uuid);
  CHECK(disk::token_hash(identity->token) == made.token_hash);
  const disk::KnownDisk known{made.name, made.label, made.fs_uuid, "", made.token_hash, "", ""};
  CHECK(disk::recognise(*part, identity, true, {{known}}, {{*whole, *part}}).verdict ==
        disk::Verdict::known);

  struct stat st {};
  REQUIRE(::fstatat(mount.fd(), disk::kReserveFile, &st, AT_SYMLINK_NOFOLLOW) == 0);
  CHECK(st.st_size >= 1 << 20);
  CHECK(st.st_blocks * 512 >= st.st_size);
  const disk::Usage before = disk::usage(mount.fd());
  CHECK(before.size > size_for(fs) / 2);
  CHECK(before.free > 0);
  CHECK(before.free <= before.size);
  disk::release_reserve(mount.fd());
  disk::release_reserve(mount.fd());
  CHECK(disk::usage(mount.fd()).free > before.free);
  disk::make_reserve(mount.fd());
  disk::make_reserve(mount.fd());
  CHECK(::fstatat(mount.fd(), disk::kReserveFile, &st, AT_SYMLINK_NOFOLLOW) == 0);
}

TEST_CASE("a full disk can be cleaned up when its reserve is given up", "[prepare]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  const std::string fs = GENERATE("ext4", "btrfs");
  LoopDisk loop(size_for(fs));
  Bench bench;
  const disk::PreparedDisk made = bench.prepare(loop, bench.options(fs));
  disk::DiskMount mount(made.partition_node, fs, disk::MountMode::read_write);
  const base::Fd big(::openat(mount.fd(), "big", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  const std::string block(1 << 20, 'x');
  while (::write(big.get(), block.data(), block.size()) > 0) {
  }
  CHECK(errno == ENOSPC);
  disk::release_reserve(mount.fd());
  CHECK(::pwrite(big.get(), block.data(), 4096, 0) == 4096);
  CHECK(::unlinkat(mount.fd(), "big", 0) == 0);
  mount.sync();
}

TEST_CASE("whatever fails on the way leaves no label of a rotation disk", "[prepare]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  const std::string fs = GENERATE("ext4", "btrfs");
  int failed = 0;
  for (int at = 0;; ++at) {
    LoopDisk loop(size_for(fs));
    Bench bench;
    bench.processes.fail_at = at;
    const auto preparing = [&] { bench.prepare(loop, bench.options(fs)); };
    const std::string message = message_of(preparing);
    if (bench.processes.calls <= at) {
      CHECK(message.empty());
      break;
    }
    ++failed;
    INFO(message);
    CHECK(message.find("was not prepared") != std::string::npos);
    CHECK(label_of(loop.node()).empty());
    CHECK(label_of(udev::partition_node(loop.node(), 1)).empty());
    // And it can be done again, with the name typed where something was left.
    bench.processes.fail_at = -1;
    disk::PrepareOptions again = bench.options(fs);
    again.wipe = true;
    CHECK(bench.prepare(loop, again).label == "ROTA-RT");
  }
  CHECK(failed >= 5);
}

TEST_CASE("a disk that cannot be recorded is no rotation disk", "[prepare]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk loop(size_for("ext4"));
  Bench bench;
  std::string recorded;
  bench.tools.record = [&](const disk::PreparedDisk& made) {
    recorded = label_of(made.partition_node);
    CHECK(kind_of([&] { disk::lock_disk(bench.options().lock_directory, "RT"); }) ==
          base::ErrorKind::locked);
    throw base::Error(base::ErrorKind::io, "the ledger is full");
  };
  CHECK(message_of([&] { bench.prepare(loop, bench.options()); }).find("the ledger is full") == 0);
  CHECK(recorded == "ROTA-RT");
  CHECK(label_of(loop.partition(1)).empty());
}

TEST_CASE("a disk that is pulled out while it is prepared is told of", "[prepare]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk loop(size_for("ext4"));
  Bench bench;
  bench.tools.step = [&](const std::string& what) {
    if (what == "writing the identity and the reserve") loop.yank();
  };
  const std::string message = message_of([&] { bench.prepare(loop, bench.options()); });
  INFO(message);
  CHECK(message.find("was not prepared") != std::string::npos);
  loop.push_in();
  CHECK(label_of(loop.partition(1)).empty());
}

TEST_CASE("a disk that is in use is not prepared, whatever was typed", "[prepare]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk loop(size_for("ext4"));
  Bench bench;
  const disk::PreparedDisk made = bench.prepare(loop, bench.options());
  disk::PrepareOptions options = bench.options();
  options.wipe = true;
  const auto preparing = [&] { bench.prepare(loop, options); };
  SECTION("mounted") {
    TempDir point;
    REQUIRE(::mount(made.partition_node.c_str(), point.path().c_str(), "ext4", 0, nullptr) == 0);
    CHECK(message_of(preparing).find("is mounted at " + point.path()) != std::string::npos);
    ::umount(point.path().c_str());
  }
  SECTION("mounted where nobody sees it") {
    disk::DiskMount mount(made.partition_node, "ext4", disk::MountMode::read_write);
    CHECK(kind_of(preparing) == base::ErrorKind::refused);
  }
  SECTION("another rota works on it") {
    const base::LockFile lock = disk::lock_disk(options.lock_directory, "RT");
    CHECK(kind_of(preparing) == base::ErrorKind::locked);
  }
  SECTION("udevd, or a partitioning program, has locked it") {
    const base::Fd held(::open(loop.node().c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(::flock(held.get(), LOCK_EX) == 0);
    CHECK(kind_of(preparing) == base::ErrorKind::locked);
  }
  SECTION("read-only") {
    loop.detach();
    loop.attach(true);
    CHECK(message_of(preparing).find("is read-only") != std::string::npos);
  }
  CHECK(label_of(loop.partition(1)) == "ROTA-RT");
  CHECK(udev::real_devices().find(loop.partition(1))->uuid == made.fs_uuid);
}

TEST_CASE("a disk that is not empty is refused, and its content shown", "[prepare]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk loop(size_for("ext4"));
  Bench bench;
  const auto preparing = [&] { bench.prepare(loop, bench.options()); };
  SECTION("a filesystem on the whole disk") {
    loop.format("btrfs", "photos");
    CHECK(message_of(preparing).find("the whole disk: btrfs, label \"photos\"") !=
          std::string::npos);
    CHECK(label_of(loop.node()) == "photos");
  }
  SECTION("another rotation disk") {
    bench.prepare(loop, bench.options());
    CHECK(message_of(preparing).find("label \"ROTA-RT\"") != std::string::npos);
  }
  SECTION("data that nobody knows") {
    const base::Fd fd(::open(loop.node().c_str(), O_WRONLY | O_CLOEXEC));
    REQUIRE(::pwrite(fd.get(), "x", 1, 4711) == 1);
    CHECK(message_of(preparing).find("not known") != std::string::npos);
  }
  CHECK(kind_of(preparing) == base::ErrorKind::refused);
  disk::PrepareOptions options = bench.options();
  options.wipe = true;
  CHECK(bench.prepare(loop, options).label == "ROTA-RT");
  CHECK(label_of(loop.node()).empty());
}

TEST_CASE("an encrypted disk is prepared with a key file and a recovery passphrase",
          "[prepare][luks]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  LoopDisk loop(size_for("ext4"));
  Bench bench;
  disk::PrepareOptions options = bench.options();
  options.encrypt = true;
  if (!disk::luks_is_possible()) {
    CHECK(kind_of([&] { bench.prepare(loop, options); }) == base::ErrorKind::refused);
    CHECK_FALSE(base::exists(options.key_file));
    CHECK(udev::real_devices().find(loop.node())->signatures.empty());
  }
  if (const auto why = LoopDisk::no_mapper()) return skip(*why);
  const disk::PreparedDisk made = bench.prepare(loop, options);
  CHECK(label_of(made.partition_node) == "ROTA-RT");
  CHECK(udev::real_devices().find(made.partition_node)->uuid == made.luks_uuid);
  CHECK(disk::luks_passphrase_fits(made.partition_node, made.recovery_passphrase,
                                   base::real_processes()));
  disk::LuksMapping mapping(made.partition_node, {made.key_file, ""}, "RT", base::real_processes());
  disk::DiskMount mount(mapping.node(), "ext4", disk::MountMode::read_only);
  CHECK(disk::read_identity(mount.fd())->fs_uuid == made.fs_uuid);
}
