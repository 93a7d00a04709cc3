#pragma once

#include <functional>

namespace rota::tui {

/// Runs `screen` in a process of its own and returns its exit status. However that process ends, a
/// crash and kill -9 included, the terminal is then as it was before: this one, which does nothing
/// but wait, gives it back. When this one is killed, the screen ends by itself, in order.
int guarded(const std::function<int()>& screen);

}  // namespace rota::tui
