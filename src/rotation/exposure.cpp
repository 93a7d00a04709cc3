#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "base/text.h"
#include "rotation/clock.h"
#include "rotation/parts.h"

namespace rota::rotation {

namespace {

using base::Instant;
using ledger::CopyRow;
using ledger::CopyState;

struct Candidate {
  const CopyRow* copy = nullptr;
  const DiskStatus* disk = nullptr;
  bool dated = true;  ///< not later than now
};

bool verified(const Candidate& candidate) { return candidate.copy->counts(); }
bool damaged(const Candidate& candidate) {
  return candidate.copy->state == CopyState::damaged ||
         (candidate.copy->last_verified && !candidate.copy->last_good);
}
bool reliable(const Candidate& candidate) {
  return verified(candidate) && candidate.disk->off_site && candidate.dated;
}

/// Copies of a server that could be gone back to, or could soon.
std::vector<Candidate> candidates(const std::string& server, std::span<const Member> members,
                                  Instant now) {
  std::vector<Candidate> found;
  for (const Member& member : members) {
    if (member.status.custody == Custody::lost || member.status.custody == Custody::retired) {
      continue;
    }
    for (const CopyRow& copy : member.state->copies) {
      const bool there = copy.state == CopyState::sealed || copy.state == CopyState::damaged;
      if (copy.server != server || !there) continue;
      found.push_back({&copy, &member.status, !is_of_future(copy, now)});
    }
  }
  return found;
}

/// Why no copy can be relied on and what would change it, told of the copy that lacks least.
std::string what_is_missing(const Candidate& best) {
  const std::string which = fmt::format("the copy of {} on disk {}",
                                        base::local(best.copy->snapshot_time()), best.disk->name);
  if (damaged(best)) {
    return fmt::format(
        "{} is damaged; most of its files may still be read. Make another copy: plug a rotation "
        "disk in and leave it until it is safe to remove.",
        which);
  }
  if (!verified(best)) {
    return fmt::format(
        "{} is not verified; plug the disk in and leave it until it is safe to remove.", which);
  }
  if (!best.dated) {
    return fmt::format(
        "{} is later than this machine's clock, so that nobody knows how old it is; set the clock, "
        "or, if that is right, make another copy.",
        which);
  }
  switch (best.disk->custody) {
    case Custody::in_transit_out:
    case Custody::in_transit_back:
      return fmt::format(
          "{} is in transit since {}; when it is there, say so with `rota disk move "
          "{} off-site --place PLACE --by NAME`.",
          which, day(*best.disk->since), best.disk->name);
    default:
      return fmt::format(
          "{} is not off site; take the disk there, and say so with `rota disk move "
          "{} off-site --place PLACE --by NAME`.",
          which, best.disk->name);
  }
}

}  // namespace

std::string day(Instant time) { return base::local(time).substr(0, 10); }

Exposure exposure(const std::string& server, std::span<const Member> members, bool several,
                  Instant now) {
  Exposure result;
  result.server = server;
  const std::string who = several ? server : "you";
  const std::string nothing =
      fmt::format("If everything online vanished now, there would be nothing {}to go back to: ",
                  several ? "of " + server + " " : "");
  const std::vector<Candidate> found = candidates(server, members, now);
  if (found.empty()) {
    result.sentence = nothing + "no rotation disk holds a copy yet.";
    return result;
  }
  // What can be relied on before all others, then what lacks least, damage most, then the newest
  // that has a date.
  const auto rank = [](const Candidate& candidate) {
    return std::make_tuple(reliable(candidate), verified(candidate), !damaged(candidate),
                           candidate.dated, candidate.copy->snapshot);
  };
  const Candidate& best = *std::ranges::max_element(found, {}, rank);
  if (!reliable(best)) {
    result.sentence = nothing + what_is_missing(best);
    return result;
  }
  const Instant time = best.copy->snapshot_time();
  result.any_offsite_copy = true;
  result.falls_back_to = time;
  result.age = std::max(now - time, std::chrono::seconds(0));
  result.disk = best.disk->name;
  result.place = best.disk->place;
  result.by = best.disk->by;
  result.since = best.disk->since;
  result.sentence = fmt::format(
      "If everything online vanished now, {} would go back to {} ({}): disk {}, sealed and "
      "verified, "
      "off site{} since {}{}.",
      who, base::local(time), base::relative(std::min(time, now), now), result.disk,
      result.place.empty() ? "" : " at '" + base::printable(result.place) + "'", day(*result.since),
      result.by.empty() ? "" : " by the word of " + base::printable(result.by));
  return result;
}

Exposure worst_of(std::span<const Exposure> exposures) {
  if (exposures.empty()) {
    Exposure none;
    none.sentence =
        "If everything online vanished now, there would be nothing to go back to: no rotation disk "
        "holds a copy yet.";
    return none;
  }
  // Of those without a copy any; else the one that falls back furthest.
  return *std::ranges::min_element(exposures, {}, [](const Exposure& exposure) {
    return exposure.falls_back_to.value_or(Instant::min());
  });
}

}  // namespace rota::rotation
