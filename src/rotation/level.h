#pragma once

namespace rota::rotation {

/// How a thing stands. The order counts: the worst is the greatest.
enum class Level { good, warning, alarm };

/// "good", "warning", "alarm".
const char* word(Level level);

}  // namespace rota::rotation
