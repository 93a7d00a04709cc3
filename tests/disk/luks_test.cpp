#include "disk/luks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/kind_of.h"
#include "disk/mount.h"
#include "disk/rekey.h"
#include "support/loop_disk.h"
#include "support/skip.h"
#include "udev/device_probe.h"

using namespace rota;
using namespace rota::test;

namespace {

/// Runs for real, and remembers every word that other users of the machine could read meanwhile.
class Watched final : public base::ProcessRunner {
 public:
  std::string words;

  base::ProcessResult run(const base::Command& command) override {
    for (const std::string& word : command.argv) words += word + "\n";
    for (const auto& [name, value] : command.environment) words += name + "=" + value + "\n";
    return base::real_processes().run(command);
  }
};

struct Container {
  TempDir dir;
  LoopDisk disk{48 << 20};
  Watched processes;
  disk::LuksSecrets secrets{dir / "keys/B.key", disk::new_recovery_passphrase()};

  Container() {
    disk::make_disk_key(secrets.key_file);
    disk::luks_format(disk.node(), secrets, processes);
  }
  bool key_fits(const std::string& file) {
    return disk::luks_key_fits(disk.node(), file, processes);
  }
  bool passphrase_fits(const std::string& text) {
    return disk::luks_passphrase_fits(disk.node(), text, processes);
  }
};

}  // namespace

TEST_CASE("a recovery passphrase can be typed, and has 200 random bits", "[luks]") {
  const std::string text = disk::new_recovery_passphrase();
  CHECK(text.size() == 47);
  CHECK(std::ranges::count(text, '-') == 7);
  CHECK(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567-") == std::string::npos);
  CHECK(disk::new_recovery_passphrase() != text);
  CHECK(disk::is_recovery_passphrase(text));
  CHECK_FALSE(disk::is_recovery_passphrase(text.substr(1) + "A"));
  CHECK_FALSE(disk::is_recovery_passphrase(text + "\n"));
}

TEST_CASE("a key file is for root alone, and is never replaced", "[luks]") {
  TempDir dir;
  const std::string file = dir / "keys/B.key";
  disk::make_disk_key(file);
  const std::string key = read(file);
  CHECK(key.size() == 64);
  struct stat st {};
  REQUIRE(::stat(file.c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0400);
  REQUIRE(::stat((dir / "keys").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0700);
  CHECK(kind_of([&] { disk::make_disk_key(file); }) == base::ErrorKind::refused);
  CHECK(read(file) == key);
}

TEST_CASE("key file and recovery passphrase open a container, and nothing else does", "[luks]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Container box;
  CHECK(box.key_fits(box.secrets.key_file));
  CHECK(box.passphrase_fits(box.secrets.recovery_passphrase));
  CHECK_FALSE(box.passphrase_fits(disk::new_recovery_passphrase()));
  disk::make_disk_key(box.dir / "keys/other.key");
  CHECK_FALSE(box.key_fits(box.dir / "keys/other.key"));

  CHECK(udev::real_devices().find(box.disk.node())->label.empty());
  disk::luks_set_label(box.disk.node(), "ROTA-B", box.processes);
  CHECK(udev::real_devices().find(box.disk.node())->label == "ROTA-B");

  const std::string dump =
      base::real_processes().run({{"cryptsetup", "luksDump", box.disk.node()}, {}}).output;
  CHECK(dump.find("pbkdf2") != std::string::npos);
  CHECK(dump.find("argon2id") != std::string::npos);
  CHECK(dump.find("Memory:     65536") != std::string::npos);
  CHECK(box.processes.words.find(box.secrets.recovery_passphrase) == std::string::npos);
}

TEST_CASE("after a rekey only the new keys open", "[luks]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Container box;
  const disk::LuksSecrets fresh{box.dir / "keys/new.key", disk::new_recovery_passphrase()};
  disk::make_disk_key(fresh.key_file);
  disk::luks_rekey(box.disk.node(), box.secrets, fresh, box.processes);
  CHECK(box.key_fits(fresh.key_file));
  CHECK(box.passphrase_fits(fresh.recovery_passphrase));
  CHECK_FALSE(box.key_fits(box.secrets.key_file));
  CHECK_FALSE(box.passphrase_fits(box.secrets.recovery_passphrase));
  for (const std::string& secret : {fresh.recovery_passphrase, box.secrets.recovery_passphrase}) {
    CHECK(box.processes.words.find(secret) == std::string::npos);
  }

  // What does not open it changes nothing.
  CHECK(kind_of([&] { disk::luks_rekey(box.disk.node(), box.secrets, fresh, box.processes); }) ==
        base::ErrorKind::refused);
  CHECK(box.key_fits(fresh.key_file));
}

TEST_CASE("a rekey that was interrupted is cleared up by the next", "[luks]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Container box;
  const std::string& file = box.secrets.key_file;
  const std::string fresh = file + ".new";
  disk::make_disk_key(fresh);
  const std::string unused = read(fresh);
  SECTION("before the container had the new key") {}
  SECTION("when nothing but the new key opened it") {
    disk::luks_rekey(box.disk.node(), box.secrets, {fresh, disk::new_recovery_passphrase()},
                     box.processes);
    CHECK_FALSE(box.key_fits(file));
  }
  const std::string passphrase = disk::rekey_disk(box.disk.node(), file, "", box.processes);
  CHECK(box.key_fits(file));
  CHECK(box.passphrase_fits(passphrase));
  CHECK(read(file) != unused);
  CHECK_FALSE(base::exists(fresh));
}

TEST_CASE("a lost key file is made anew with the recovery passphrase", "[luks]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  Container box;
  const std::string& file = box.secrets.key_file;
  REQUIRE(::unlink(file.c_str()) == 0);
  const std::string wrong = disk::new_recovery_passphrase();
  CHECK(kind_of([&] { disk::rekey_disk(box.disk.node(), file, wrong, box.processes); }) ==
        base::ErrorKind::refused);
  CHECK_FALSE(base::exists(file + ".new"));
  disk::rekey_disk(box.disk.node(), file, box.secrets.recovery_passphrase, box.processes);
  CHECK(box.key_fits(file));
  CHECK_FALSE(box.passphrase_fits(box.secrets.recovery_passphrase));
}

TEST_CASE("a container that is opened holds a filesystem, and is closed again", "[luks]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  if (const auto why = LoopDisk::no_mapper()) return skip(*why);
  Container box;
  {
    disk::LuksMapping mapping(box.disk.node(), box.secrets, "RT1", box.processes);
    box.disk.format("ext4", "ROTA-B", mapping.node());
    disk::DiskMount mount(mapping.node(), "ext4", disk::MountMode::read_write);
    write(mount.path() + "/a", "text");
    mount.close();
    mapping.close();
  }
  // Left behind by a process that died: closed first.
  base::real_processes().run(
      {{"cryptsetup", "open", "--key-file", box.secrets.key_file, box.disk.node(), "rota-RT1"},
       {}});
  disk::LuksMapping mapping(box.disk.node(), box.secrets, "RT1", box.processes);
  disk::DiskMount mount(mapping.node(), "ext4", disk::MountMode::read_only);
  CHECK(read(mount.path() + "/a") == "text");
}

TEST_CASE("without a device mapper a container says that it cannot be opened", "[luks]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  if (disk::luks_is_possible()) return skip("this kernel has a device mapper");
  Container box;
  CHECK(message_of([&] {
          disk::LuksMapping(box.disk.node(), box.secrets, "RT2", box.processes);
        }).find("modprobe dm-crypt") != std::string::npos);
}
