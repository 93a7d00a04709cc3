#pragma once

#include <optional>

#include "tui/grid.h"
#include "tui/keys.h"

namespace rota::tui {

/// How a terminal can be drawn on.
struct Abilities {
  bool ascii = false;  ///< nothing but ASCII
  bool colour = false;
};

/// The terminal of standard input and output, from construction until the destructor gives it back
/// as it was. The only part that knows ncurses.
class Terminal {
 public:
  /// Throws Error(usage) when there is no terminal, or one that cannot move its cursor.
  explicit Terminal(bool only_ascii);
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  int columns() const;
  int rows() const;
  /// Sends what differs from what is there.
  void show(const Grid& grid);
  /// Sends everything again: another program may have written over it.
  void redraw();
  /// The next key that has been pressed; nothing when none has. Never waits. Takes in a new size.
  std::optional<Key> key();

 private:
  Abilities abilities_;
};

/// For a process that is not the one that drew: gives the terminal back after that one was killed.
void reset_terminal();

}  // namespace rota::tui
