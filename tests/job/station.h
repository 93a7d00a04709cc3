#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>

#include "base/atomic_file.h"
#include "base/process.h"
#include "disk/prepare.h"
#include "job/disk_attach.h"
#include "job/disk_care.h"
#include "ledger/history.h"
#include "support/files.h"
#include "support/loop_disk.h"
#include "support/quick_clock.h"

namespace rota::test {

/// All tests of a machine see all its devices.
inline std::string random_name() {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  std::random_device random;
  std::string name;
  for (int i = 0; i < 7; ++i) name += kLetters[random() % kLetters.size()];
  return name;
}

/// A station with one profile and one disk that has a copy, which can be had again as it was.
class Station {
 public:
  Station() : name_(random_name()) {
    std::filesystem::create_directories(source());
    for (int i = 0; i < 30; ++i) write(i, "first " + std::to_string(i));
    std::filesystem::create_directories(places_.config + "/web");
    base::write_file(
        places_.config + "/web/profile.toml",
        "source = \"" + source() + "\"\ntarget = \"file://" + (dir_ / "store") + "\"\n");
    base::write_file(places_.config + "/rotation.toml",
                     "[set.main]\nreserve = \"1M\"\nscrub_budget = \"1h\"\n");
    prepare();
    attach();
    clock.sleep(std::chrono::hours(24), {});
    for (int i = 0; i < 10; ++i) write(i, "second " + std::to_string(i));
    write(99, "new");
    disk_.detach();
    keep(disk_.image(), kept() + ".img");
    keep(places_.state, kept() + ".state");
  }

  /// As it was before the second copy.
  void restore() {
    disk_.detach();
    std::filesystem::remove_all(places_.state);
    keep(kept() + ".img", disk_.image());
    keep(kept() + ".state", places_.state);
    disk_.attach();
  }

  job::AttachReport attach(const job::OnDiskEvent& listener = nullptr,
                           const std::stop_token& stop = {},
                           udev::DeviceProbe& devices = udev::real_devices()) {
    job::AttachOptions options;
    options.disk = name_;
    options.session = session_options;
    return job::attach(places_, devices, options, listener, around(stop));
  }
  /// What a job does up to the end of its seal; then the power goes, and the new token stands in
  /// the disk's journal only.
  void lose_power_in_seal() {
    ledger::Ledger ledger(places_.state + "/ledger.db");
    ledger::Disks disks(ledger);
    job::DiskSession session(places_, disks, udev::real_devices(), name_, {}, around());
    session.mount(disk::MountMode::read_write);  // the copies are written
    disk::DiskMount& mount = session.mount(disk::MountMode::read_write);
    disk::Identity identity = session.identity();
    const std::string token = disk::new_token();
    disks.announce_token(name_, disk::token_hash(token), clock.now());
    disk::replace_token(mount.fd(), identity, token);
    keep(disk_.image(), kept() + ".cut");
    session.close();
    unplug();
    keep(kept() + ".cut", disk_.image());
    plug_in();
  }
  /// A whole job; but what it recorded since the seal is lost.
  void lose_record_of_seal() {
    const std::string before = kept() + ".sealing";
    attach([&](const job::DiskEvent& event) {
      if (event.step != "seal" || event.state != "begins") return;
      std::filesystem::remove_all(before);
      keep(places_.state, before);
    });
    std::filesystem::remove_all(places_.state);
    keep(before, places_.state);
    ledger::Ledger ledger(places_.state + "/ledger.db");
    ledger::Disks disks(ledger);
    disk::DiskMount mount(disk_.partition(1), "ext4", disk::MountMode::untouched);
    const auto identity = disk::read_identity(mount.fd());
    disks.announce_token(name_, disk::token_hash(identity->token), clock.now());
    mount.close();
  }
  /// The ledger knows the disk by another serial number than it has.
  void forget_serial() {
    ledger::Ledger ledger(places_.state + "/ledger.db");
    ledger::Disks disks(ledger);
    ledger::DiskRow row = disks.get(name_);
    row.serial = "ANOTHER";
    disks.change(row, clock.now());
  }
  void unplug() { disk_.detach(); }
  void plug_in() { disk_.attach(); }
  LoopDisk& disk() { return disk_; }
  /// What the ledger says that the disk is doing.
  ledger::Observed state() {
    ledger::Ledger ledger(places_.state + "/ledger.db");
    return ledger::Disks(ledger).last_observation(name_)->state;
  }

  std::vector<ledger::AlarmRow> alarms() {
    ledger::Ledger ledger(places_.state + "/ledger.db");
    return ledger::Disks(ledger).alarms(name_, true);
  }
  /// Copies that could not be read as they were written, says the ledger.
  std::size_t bad_checks() {
    ledger::Ledger ledger(places_.state + "/ledger.db");
    ledger::Disks disks(ledger);
    std::size_t bad = 0;
    for (const ledger::CopyRow& copy : disks.copies(name_)) {
      for (const ledger::CheckRow& check : disks.checks(name_, copy.server, copy.snapshot)) {
        bad += check.good ? 0 : 1;
      }
    }
    return bad;
  }

  /// Everything about the disk is as it should be after `copies` seals.
  void check(std::size_t copies) {
    ledger::Ledger ledger(places_.state + "/ledger.db");
    CHECK(ledger::History(ledger).check().empty());
    ledger::Disks disks(ledger);
    CHECK(disks.get(name_).next_token_sha256.empty());
    std::size_t counting = 0;
    for (const ledger::CopyRow& copy : disks.copies(name_)) {
      CHECK(copy.state == ledger::CopyState::sealed);
      counting += copy.counts() ? 1 : 0;
    }
    CHECK(counting == copies);
    const auto verified = verify();
    CHECK(verified.size() == copies);
    for (const auto& one : verified) CHECK(one.check.good());
  }
  std::vector<job::DiskCare::Verified> verify() {
    job::DiskCare care(places_, udev::real_devices(), name_, {}, nullptr, around());
    return care.verify("web", true);
  }

  QuickClock clock;
  base::CollectedWarnings warnings;
  job::SessionOptions session_options;

  const std::string& name() const { return name_; }
  const profile::Places& places() const { return places_; }
  std::string source() const { return dir_ / "source"; }
  void write(int number, const std::string& text) {
    base::write_file(source() + "/file" + std::to_string(number), text);
  }
  /// The ledger's copies of a server that are there: "20261024T030000Z sealed".
  std::vector<std::string> copies(const std::string& server = "web") {
    ledger::Ledger ledger(places_.state + "/ledger.db");
    std::vector<std::string> list;
    for (const ledger::CopyRow& copy : ledger::Disks(ledger).copies(name_)) {
      if (copy.server == server) list.push_back(copy.snapshot + " " + ledger::word(copy.state));
    }
    return list;
  }
  /// Somebody takes note of all that is open.
  void accept() {
    ledger::Ledger ledger(places_.state + "/ledger.db");
    ledger::Disks disks(ledger);
    for (const ledger::AlarmRow& alarm : disks.alarms(name_, true)) {
      disks.acknowledge(alarm.id, "jo", "as it should be", clock.now());
    }
  }
  static void keep(const std::string& from, const std::string& to) {
    const base::ProcessResult result =
        base::real_processes().run({{"cp", "-a", "--sparse=always", "-T", from, to}, {}});
    if (result.status != 0) throw std::runtime_error(result.output);
  }
  job::Surroundings around(const std::stop_token& stop = {}) {
    return {clock, base::real_processes(), warnings, progress_, stop};
  }

 private:
  std::string kept() const { return dir_ / "kept"; }
  void prepare() {
    disk::PrepareOptions options;
    options.name = name_;
    options.allow_fixed = true;
    options.lock_directory = places_.run;
    disk::PrepareTools tools{udev::real_devices(), base::real_processes(), clock, nullptr, nullptr};
    const disk::PreparedDisk made = disk::prepare(disk_.node(), options, tools);
    ledger::Ledger ledger(places_.state + "/ledger.db");
    ledger::DiskRow row;
    row.name = made.name;
    row.label = made.label;
    row.uuid = made.fs_uuid;
    row.filesystem = made.fs_type;
    row.token_sha256 = made.token_hash;
    row.serial = made.serial;
    row.size = made.size;
    row.prepared = made.prepared;
    ledger::Disks(ledger).add(row, made.prepared);
  }

  TempDir dir_{"/var/tmp"};
  profile::Places places_{dir_ / "config", dir_ / "state", dir_ / "cache", dir_ / "run"};
  std::string name_;
  base::Progress progress_;
  LoopDisk disk_{64 << 20};
};

}  // namespace rota::test
