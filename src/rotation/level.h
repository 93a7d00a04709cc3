#pragma once

#include <chrono>

namespace rota::rotation {

/// What was recorded less than this ahead of the clock says nothing against it: clocks of one
/// machine before and after a restart differ by less, and a run takes the next second where another
/// has this one.
inline constexpr std::chrono::hours kClockSlack{1};

/// How a thing stands. The order counts: the worst is the greatest.
enum class Level { good, warning, alarm };

/// "good", "warning", "alarm".
const char* word(Level level);

}  // namespace rota::rotation
