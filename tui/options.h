#pragma once

#include <optional>
#include <string>

#include "base/time.h"

namespace rota::tui {

/// The command line of rota-tui.
struct Options {
  bool help = false;
  bool version = false;
  bool snapshot = false;  ///< print one frame of this size and end
  int columns = 0;
  int rows = 0;
  bool ascii = false;
  std::string replay;  ///< a recording to show instead of this machine
  std::string record;  ///< where to write one
  std::string keys;    ///< pressed before the frame is printed; a line feed is Enter
  std::optional<base::Instant> now;
};

/// Throws Error(usage).
Options parse_options(int argc, const char* const* argv);
extern const char* const kUsage;

}  // namespace rota::tui
