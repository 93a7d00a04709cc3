#pragma once

#include <map>
#include <string>
#include <vector>

#include "rotation/rotation.h"

namespace rota::rotation {

/// When something was said.
struct Said {
  Level level = Level::good;
  base::Instant first{};
  base::Instant last{};
  int times = 0;
  friend bool operator==(const Said&, const Said&) = default;
};

struct Reminders {
  std::vector<Notice> notices;  ///< all that stands, the worst first; empty: be silent
  Level level = Level::good;
  int times = 0;                     ///< how often the first of them was said, with this time
  std::map<std::string, Said> said;  ///< to be kept for the next time
};

/// Decides what to say now. Pure.
///
/// What is new, or worse than it was, is said at once; after that an alarm is repeated every day, a
/// warning every three days, a duty every week. When one thing is to be said, all that stands is,
/// in one message. What no longer stands is forgotten.
Reminders reminders(const RotationStatus& status, const std::map<std::string, Said>& said,
                    base::Instant now);

}  // namespace rota::rotation
