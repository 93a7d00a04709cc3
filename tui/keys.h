#pragma once

#include <string>
#include <vector>

#include "tui/state.h"

namespace rota::tui {

enum class KeyCode {
  text,  ///< a character, in Key::text
  up,
  down,
  left,
  right,
  page_up,
  page_down,
  home,
  end,
  enter,
  escape,
  tab,
  back_tab,
  backspace,
  interrupt,  ///< Ctrl-C
  click,
  wheel_up,
  wheel_down,
  redraw  ///< Ctrl-L
};

struct Key {
  KeyCode code = KeyCode::text;
  std::string text;  ///< UTF-8
  int row = 0;       ///< of a click
};

/// What is to be done outside of the screen because of a key.
struct Wish {
  enum class Kind { nothing, quit, reload, redraw, run, stop, list };
  Kind kind = Kind::nothing;
  std::vector<std::string> arguments;  ///< of `rota`; for list: State::browser has them
  std::string disk;                    ///< whose job is to be stopped,
  std::string server;                  ///< or whose drill
};

/// What a key does, on a screen of this size. Pure but for the state.
Wish handle(State& state, const Model& model, const Key& key, int columns, int rows);

/// After a new model: what is selected stays the same disk.
void keep_selection(State& state, const Model& before, const Model& after);

}  // namespace rota::tui
