#include <fmt/core.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/disk.h"
#include "cli/person.h"
#include "ledger/disks.h"
#include "profile/rotation.h"
#include "status/ports.h"
#include "udev/device_probe.h"

namespace rota::cli {

namespace {

using base::Error;
using base::ErrorKind;
using ledger::Claimed;

class DiskMove final : public Command {
 public:
  const char* name() const override { return "disk move"; }
  const char* summary() const override { return "Say where a disk is, or that it is on its way"; }

  void declare(Options& options) override {
    options.words(words_, "DISK STATE",
                  "STATE: on-site, in-transit-out, off-site or in-transit-back", 2, 2);
    options.text("--place", place_, "PLACE",
                 "Where it is, such as \"bank\" (default: the place of its set in rotation.toml)");
    options.text("--by", by_, "NAME", "Who says so (default: the user who runs this)");
    options.text("--at", at_, "TIME", "Since when (default: now)");
    options.text("--note", note_, "TEXT", "Anything to remember");
  }

  int run(Context& context) override {
    const auto state = ledger::parse_claimed(words_[1]);
    if (!state) {
      throw Error(
          ErrorKind::usage,
          fmt::format("\"{}\" is no state of a disk: it is on-site, in-transit-out, off-site "
                      "or in-transit-back",
                      base::printable(words_[1])));
    }
    ledger::Ledger ledger(context.places().ledger());
    ledger::Disks disks(ledger);
    ledger::ClaimRow claim;
    claim.disk = disks.get(words_[0]).name;
    claim.state = *state;
    claim.time = time(disks, claim.disk, context.now());
    claim.place = *state == Claimed::off_site ? off_site_place(context, claim.disk)
                                              : one_line("--place", place_);
    claim.by = person(by_);
    claim.note = note_;
    disks.claim(claim, context.now());
    if (*state == Claimed::off_site || *state == Claimed::in_transit_out) {
      warn_if_here(context, disks, claim.disk);
    }
    if (context.chatty()) {
      fmt::print("{} is {}{}, by the word of {}.\n", claim.disk, ledger::word(*state),
                 claim.place.empty() ? "" : " at '" + base::printable(claim.place) + "'",
                 base::printable(claim.by));
    }
    return context.status();
  }

 private:
  /// What a person says holds from when the disk is unplugged: they may say it while they do so.
  static void warn_if_here(Context& context, ledger::Disks& disks, const std::string& disk) {
    const ledger::DiskRow row = disks.get(disk);
    const auto here = status::connected(std::span(&row, 1), udev::real_devices());
    if (!here || here->empty()) return;
    context.warnings().warn(disk, "it is still plugged in here: this counts when it is unplugged");
  }

  std::string off_site_place(Context& context, const std::string& disk) const {
    if (!place_.empty()) return one_line("--place", place_);
    const profile::Rotation rotation = profile::load_rotation(context.places());
    const profile::DiskSet* set = rotation.set_of(disk);
    if (set != nullptr && !set->place.empty()) return set->place;
    throw Error(ErrorKind::usage,
                fmt::format("where is disk {}? Give --place PLACE, such as --place bank", disk));
  }

  base::Instant time(ledger::Disks& disks, const std::string& disk, base::Instant now) const {
    if (at_.empty()) return now;
    const auto moment = base::parse_moment(at_, now);
    if (!moment) {
      throw Error(ErrorKind::usage,
                  fmt::format("\"{}\" is no time; write for example 2026-01-04T10:00 "
                              "or 2D",
                              base::printable(at_)));
    }
    if (*moment > now + std::chrono::days(1)) {
      throw Error(ErrorKind::usage, fmt::format("--at {} is still to come; say it when it is so",
                                                base::printable(at_)));
    }
    const base::Instant since = std::min(*moment, now);  // the end of a day that is not over
    const base::Instant seen = last_here(disks, disk);
    if (since < seen) {
      throw Error(
          ErrorKind::usage,
          fmt::format("--at {}: disk {} was here until {}, by what this machine saw; give a "
                      "time after that, or leave --at out",
                      base::printable(at_), disk, base::local(seen)));
    }
    return since;
  }

  static base::Instant last_here(ledger::Disks& disks, const std::string& disk) {
    for (const ledger::DiskState& state : disks.states()) {
      if (state.disk.name == disk) return state.last_seen.value_or(state.disk.prepared);
    }
    return {};
  }

  std::vector<std::string> words_;
  std::string place_;
  std::string by_;
  std::string at_;
  std::string note_;
};

}  // namespace

std::unique_ptr<Command> make_disk_move() { return std::make_unique<DiskMove>(); }

}  // namespace rota::cli
