#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/disk.h"
#include "cli/person.h"
#include "job/disk_room.h"
#include "ledger/disks.h"

namespace rota::cli {

namespace {

using base::Error;
using base::ErrorKind;
using ledger::AlarmRow;

bool holds(const AlarmRow& alarm) { return alarm.kind == job::kTripwire; }

/// "12 (tripwire, fewer entries, web)"
std::string named(const AlarmRow& alarm) {
  std::string text = base::printable(alarm.kind);
  for (const std::string& part : {alarm.what, alarm.server}) {
    if (!part.empty()) text += ", " + base::printable(part);
  }
  return fmt::format("{} ({})", alarm.id, text);
}

bool is_meant(const AlarmRow& alarm, const std::string& word) {
  std::int64_t number = 0;
  const char* end = word.data() + word.size();
  const auto [rest, failed] = std::from_chars(word.data(), end, number);
  if (failed == std::errc() && rest == end) return alarm.id == number;
  return word == alarm.kind || (!alarm.what.empty() && word == alarm.what);
}

class DiskAccept final : public Command {
 public:
  const char* name() const override { return "disk accept"; }
  const char* summary() const override {
    return "Take note of a disk's tripwires and alarms, so that its turn goes on";
  }

  void declare(Options& options) override {
    options.words(words_, "DISK", "The disk's name, or the label of one that is not known", 1, 1);
    options.text("--reason", reason_, "TEXT", "Why it is no harm", Options::Need::required);
    options.text("--by", by_, "NAME", "Who says so (default: the user who runs this)");
    options.list("--alarm", alarms_, "WHICH",
                 "Only this one: its number in `rota disk show`, or its kind: tripwire, \"fewer "
                 "entries\" (may be given again)");
    options.note(
        "A tripwire that is noted lets the next copy pass, as far as it goes no further than\n"
        "what was noted. Where tripwires and other alarms are open, --alarm says which are meant.");
  }

  int run(Context& context) override {
    ledger::Ledger ledger(context.places().ledger());
    ledger::Disks disks(ledger);
    const std::vector<AlarmRow> chosen = choose(disks);
    const std::string by = person(by_);
    nlohmann::json noted = nlohmann::json::array();
    for (const AlarmRow& alarm : chosen) {
      disks.acknowledge(alarm.id, by, reason_, context.now());
      if (context.chatty())
        fmt::print("Noted {}: {}\n", named(alarm), base::printable(alarm.message));
      noted.push_back({{"id", alarm.id},
                       {"kind", alarm.kind},
                       {"what", alarm.what},
                       {"server", alarm.server},
                       {"message", alarm.message}});
    }
    if (context.json) fmt::print("{}\n", nlohmann::json{{"noted", noted}}.dump());
    return base::kExitDone;
  }

 private:
  std::vector<AlarmRow> choose(ledger::Disks& disks) const {
    const std::string& disk = words_.front();
    std::vector<AlarmRow> open = disks.alarms(disk, true);
    if (open.empty()) {
      throw Error(
          ErrorKind::not_found,
          fmt::format("there is no open alarm of {} {}; `rota status` shows those that "
                      "there are",
                      disks.find(disk) ? "disk" : "any disk or label", base::printable(disk)));
    }
    std::string all;
    for (const AlarmRow& alarm : open) all += (all.empty() ? "" : "; ") + named(alarm);
    for (const std::string& word : alarms_) {
      if (std::ranges::any_of(open, [&](const AlarmRow& one) { return is_meant(one, word); })) {
        continue;
      }
      throw Error(ErrorKind::not_found,
                  fmt::format("disk {} has no open alarm {}; there are: {}", base::printable(disk),
                              base::printable(word), all));
    }
    if (!alarms_.empty()) {
      std::erase_if(open, [&](const AlarmRow& alarm) {
        return std::ranges::none_of(alarms_,
                                    [&](const std::string& word) { return is_meant(alarm, word); });
      });
      return open;
    }
    // Who takes note of a clone must not let a copy pass that nobody has looked at.
    const auto holding = std::ranges::count_if(open, holds);
    if (holding > 0 && holding < std::ssize(open)) {
      throw Error(ErrorKind::usage,
                  fmt::format("disk {} has tripwires and other alarms: say with --alarm which you "
                              "mean, by number or kind: {}",
                              base::printable(disk), all));
    }
    return open;
  }

  std::vector<std::string> words_;
  std::vector<std::string> alarms_;
  std::string reason_;
  std::string by_;
};

}  // namespace

std::unique_ptr<Command> make_disk_accept() { return std::make_unique<DiskAccept>(); }

}  // namespace rota::cli
