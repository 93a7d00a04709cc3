#include "disk/tripwire.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "ledger/disk_rows.h"
#include "rotation/clock.h"

namespace rota::disk {

namespace {

using base::human_count;

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// Shares beyond a thousandfold are all the same.
std::uint64_t thousandths(double share) {
  return static_cast<std::uint64_t>(std::llround(std::min(share, 1000.0) * 1000));
}

std::uint64_t hours(std::chrono::seconds time) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::hours>(time).count());
}

int percent(double share) { return static_cast<int>(std::lround(std::min(share, 1000.0) * 100)); }

std::vector<std::string> shown(const Tally& tally) {
  std::vector<std::string> names;
  for (const std::string& path : tally.examples) names.push_back(base::printable(path));
  if (tally.count > tally.examples.size() && !names.empty()) {
    names.push_back(fmt::format("and {} more", human_count(tally.count - tally.examples.size())));
  }
  return names;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

class Judge {
 public:
  Judge(const ChangeSummary& changes, const TripwireFacts& facts)
      : changes_(changes), facts_(facts) {}

  void source() {
    if (changes_.entries_now > 0) return;
    add("empty source", true, "the source is empty: is what should be there mounted?", {}, 0);
  }

  /// The clock went back, or was ahead when these were recorded.
  void clock_back() {
    constexpr std::chrono::hours kDay{24};
    std::optional<base::Instant> last;
    std::vector<std::string> names;
    for (const Recorded& one : facts_.recorded) {
      if (one.time <= facts_.now + kDay) continue;
      if (rotation::is_known_wrong(one.time, facts_.known_wrong)) continue;
      last = std::max(last.value_or(one.time), one.time);
      names.push_back(rotation::detail_of(one.time, one.what));
    }
    if (!last) return;
    std::ranges::sort(names);
    // What is not kept could not be accepted: the rest is asked about when these are.
    if (names.size() > ledger::kMaxDetails) names.resize(ledger::kMaxDetails);
    add(rotation::kClockTripwire, true,
        fmt::format("the clock says {}, more than a day before what was last recorded here, {}: "
                    "set the clock, because the age of no copy can be trusted until then; if it "
                    "is right now, and was ahead then, say so with `rota disk accept`",
                    base::local(facts_.now), base::local(*last)),
        std::move(names), hours(*last - facts_.now));
  }

  /// The clock jumped ahead: everything looks old.
  void clock_ahead() {
    std::vector<base::Instant> times;
    std::optional<base::Instant> believed;
    for (const Recorded& one : facts_.recorded) {
      times.push_back(one.time);
      if (one.believed && one.time <= facts_.now) believed = std::max(believed, {one.time});
    }
    const auto silence =
        rotation::unexplained_silence(std::move(times), believed, facts_.interval, facts_.now);
    if (!silence) return;
    add(rotation::kClockTripwire, true,
        fmt::format("nothing was recorded here between {} and {}, so that this machine's clock may "
                    "have jumped: if it is wrong, set it; if the machine was off or no backup was "
                    "made for so long, say so with `rota disk accept`",
                    base::local(silence->from), base::local(silence->to)),
        {"nothing was recorded after " + base::compact(silence->from)},
        hours(silence->to - silence->from));
  }

  void mounts() {
    if (!facts_.mounts_before) return;
    std::vector<std::string> gone;
    for (const std::string& path : *facts_.mounts_before) {
      if (std::ranges::find(facts_.mounts_now, path) == facts_.mounts_now.end()) {
        gone.push_back(base::printable(path));
      }
    }
    if (gone.empty()) return;
    std::string names = gone.front();
    if (gone.size() > 1) names += fmt::format(" and {} more", gone.size() - 1);
    add("missing mount", true,
        fmt::format("{} was mounted at the last copy and is not now: mount it, or accept that it "
                    "is gone",
                    names),
        std::move(gone), 0);
  }

  void canaries() {
    canary("canary", facts_.canaries_changed,
           "is not as it was at the last copy, and nothing should ever touch it");
    canary("missing canary", facts_.canaries_missing,
           "is not there: make it, or take it out of `canaries` in the profile");
  }

  void canary(const char* kind, const std::vector<std::string>& paths, const char* problem) {
    if (paths.empty()) return;
    std::vector<std::string> names;
    for (const std::string& path : paths) names.push_back(base::printable(path));
    const std::string first = names.front();
    add(kind, true, fmt::format("the canary file {} {}", first, problem), std::move(names), 0);
  }

  void sizes() {
    const std::uint64_t before = changes_.entries_before;
    const std::uint64_t now = changes_.entries_now;
    if (std::max(before, now) < kFewEntries) return;
    if (now < before && share(before - now, before) > kFewerEntries) {
      add("fewer entries", true,
          fmt::format("it has {} entries, {} % fewer than the last copy ({}); {} % is the limit",
                      human_count(now), percent(share(before - now, before)), human_count(before),
                      percent(kFewerEntries)),
          shown(changes_.removed), thousandths(share(before - now, before)));
    }
    if (now > before && share(now - before, before) > kMoreEntries) {
      add("more entries", knows_what_is_usual(),
          fmt::format("it has {} entries, {} % more than the last copy ({}); {} % is the limit",
                      human_count(now), percent(share(now - before, before)), human_count(before),
                      percent(kMoreEntries)),
          shown(changes_.added), thousandths(share(now - before, before)));
    }
    const std::uint64_t bytes = changes_.bytes_before;
    if (changes_.bytes_now < bytes && share(bytes - changes_.bytes_now, bytes) > kFewerBytes) {
      add("fewer bytes", true,
          fmt::format("it has {}, {} % less than the last copy ({}); {} % is the limit",
                      base::human_size(changes_.bytes_now),
                      percent(share(bytes - changes_.bytes_now, bytes)), base::human_size(bytes),
                      percent(kFewerBytes)),
          shown(changes_.removed), thousandths(share(bytes - changes_.bytes_now, bytes)));
    }
  }

  void contents() {
    if (changes_.entries_before < kFewEntries) return;
    const double changed = share(changes_.changed.count, changes_.entries_before);
    const double limit = std::max(3 * median(facts_.changed_before), kChangedShare);
    if (changed > limit) {
      add("many changed", knows_what_is_usual(),
          fmt::format("{} of {} entries have another content than in the last copy, {} %; up to {} "
                      "% is usual",
                      human_count(changes_.changed.count), human_count(changes_.entries_before),
                      percent(changed), percent(limit)),
          shown(changes_.changed), thousandths(changed));
    }
    if (changes_.became_noise.count >= kFewEntries / 2 &&
        share(changes_.became_noise.count, changes_.plain_before) > kNoiseShare) {
      add("noise", true,
          fmt::format("{} of {} changed files that could be compressed before look like noise now, "
                      "as encrypted files do",
                      human_count(changes_.became_noise.count), human_count(changes_.plain_before)),
          shown(changes_.became_noise),
          // Of all entries: ten files out of ten that changed say less than all there are.
          thousandths(share(changes_.became_noise.count, changes_.entries_before)));
    }
  }

  /// As many went as came, and what came has one extension.
  void renames() {
    if (changes_.entries_before < kFewEntries || changes_.added.count == 0) return;
    const auto most = std::ranges::max_element(
        changes_.added_extensions, {}, [](const auto& extension) { return extension.second; });
    if (most == changes_.added_extensions.end() || most->first.empty()) return;
    const std::uint64_t renamed = std::min(most->second, changes_.removed.count);
    if (share(renamed, changes_.entries_before) <= kRenamedShare ||
        share(most->second, changes_.added.count) < 0.8) {
      return;
    }
    add("renamed", true,
        fmt::format("{} files went and {} came whose names end in \".{}\", as when files are "
                    "encrypted and renamed",
                    human_count(changes_.removed.count), human_count(most->second),
                    base::printable(most->first)),
        shown(changes_.added), thousandths(share(renamed, changes_.entries_before)));
  }

  std::vector<Tripwire> take() { return std::move(found_); }

 private:
  bool knows_what_is_usual() const { return facts_.copies >= kCopiesToKnow; }

  void add(const char* kind, bool holds, std::string message, std::vector<std::string> details,
           std::uint64_t extent) {
    found_.push_back({kind, holds, std::move(message), std::move(details), extent});
  }

  const ChangeSummary& changes_;
  const TripwireFacts& facts_;
  std::vector<Tripwire> found_;
};

}  // namespace

bool covers(const Accepted& accepted, const Tripwire& tripwire) {
  if (accepted.kind != tripwire.kind) return false;
  // What these name is what was accepted: another mount is another matter.
  const bool by_name = tripwire.kind == "missing mount" || tripwire.kind == "canary" ||
                       tripwire.kind == "missing canary" ||
                       tripwire.kind == rotation::kClockTripwire;
  const auto was_named = [&](const std::string& name) {
    return std::ranges::find(accepted.details, name) != accepted.details.end();
  };
  if (by_name && !std::ranges::all_of(tripwire.details, was_named)) return false;
  return tripwire.extent <= accepted.extent + std::max(accepted.extent / 4, kSlack);
}

std::vector<Tripwire> judge(const ChangeSummary& changes, bool surveyed,
                            const TripwireFacts& facts) {
  Judge judge(changes, facts);
  judge.source();
  judge.clock_back();
  judge.clock_ahead();
  judge.mounts();
  judge.canaries();
  if (!changes.predecessor.empty()) {
    judge.sizes();
    judge.renames();
    if (!surveyed) judge.contents();
  }
  return judge.take();
}

std::vector<Tripwire> judge_contents(const ChangeSummary& changes, const TripwireFacts& facts) {
  Judge judge(changes, facts);
  if (!changes.predecessor.empty()) judge.contents();
  return judge.take();
}

}  // namespace rota::disk
