#include <fmt/core.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/disk.h"
#include "cli/person.h"
#include "ledger/disks.h"
#include "profile/rotation.h"

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
    claim.time = time(context.now());
    claim.place = *state == Claimed::off_site ? off_site_place(context, claim.disk)
                                              : one_line("--place", place_);
    claim.by = person(by_);
    claim.note = note_;
    disks.claim(claim, context.now());
    if (context.chatty()) {
      fmt::print("{} is {}{}, by the word of {}.\n", claim.disk, ledger::word(*state),
                 claim.place.empty() ? "" : " at '" + base::printable(claim.place) + "'",
                 base::printable(claim.by));
    }
    return base::kExitDone;
  }

 private:
  std::string off_site_place(Context& context, const std::string& disk) const {
    if (!place_.empty()) return one_line("--place", place_);
    const profile::Rotation rotation = profile::load_rotation(context.places());
    const profile::DiskSet* set = rotation.set_of(disk);
    if (set != nullptr && !set->place.empty()) return set->place;
    throw Error(ErrorKind::usage,
                fmt::format("where is disk {}? Give --place PLACE, such as --place bank", disk));
  }

  base::Instant time(base::Instant now) const {
    if (at_.empty()) return now;
    const auto moment = base::parse_moment(at_, now);
    if (!moment) {
      throw Error(ErrorKind::usage,
                  fmt::format("\"{}\" is no time; write for example 2026-01-04T10:00 "
                              "or 2D",
                              base::printable(at_)));
    }
    // The end of a day that is not over.
    return std::min(*moment, now);
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
