#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "rotation/status.h"

namespace rota::rotation {

namespace {

constexpr const char* kNothing =
    "If everything online vanished now, there would be nothing to go back to: ";

bool counts(const OffsiteCopy& copy) { return copy.verified && copy.offsite; }

/// Why no copy counts and what would change it, told of the copy that lacks least.
std::string what_is_missing(const OffsiteCopy& copy) {
  const std::string which =
      fmt::format("the copy of {} on {}", base::local(copy.snapshot_time), copy.disk);
  if (copy.verified) {
    return fmt::format("{} is not off site yet; unplug the disk and take it off site.", which);
  }
  if (copy.offsite) {
    return fmt::format("{} was never verified; bring the disk back and plug it in.", which);
  }
  return fmt::format(
      "{} is not verified and not off site; leave the disk plugged in until it is "
      "verified, then take it off site.",
      which);
}

}  // namespace

Exposure exposure(std::span<const OffsiteCopy> copies, base::Instant now) {
  Exposure result;
  if (copies.empty()) {
    result.sentence = std::string(kNothing) + "no rotation disk holds a copy yet.";
    return result;
  }
  // Copies that count before all others, then the one that lacks least, then the newest.
  const auto rank = [](const OffsiteCopy& copy) {
    return std::make_tuple(counts(copy), copy.verified, copy.snapshot_time);
  };
  const OffsiteCopy& best = *std::max_element(
      copies.begin(), copies.end(),
      [&](const OffsiteCopy& a, const OffsiteCopy& b) { return rank(a) < rank(b); });
  if (!counts(best)) {
    result.sentence = kNothing + what_is_missing(best);
    return result;
  }
  result.any_offsite_copy = true;
  result.falls_back_to = best.snapshot_time;
  result.age = std::max(now - best.snapshot_time, std::chrono::seconds(0));
  result.disk = best.disk;
  result.sentence = fmt::format(
      "If everything online vanished now, you would go back to {} ({}), the copy on {}.",
      base::local(best.snapshot_time),
      now < best.snapshot_time ? "later than this machine's clock, which is wrong: set it"
                               : base::relative(best.snapshot_time, now),
      best.disk);
  return result;
}

}  // namespace rota::rotation
