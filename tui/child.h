#pragma once

#include <string>
#include <vector>

#include "base/file.h"

namespace rota::tui {

/// The program `rota` beside this one, or else the one in $PATH.
std::string find_rota();

/// A call of `rota` that goes on when the screen is left: it has a session of its own, and writes
/// into a file without a name, not into a pipe that could break.
class Child {
 public:
  /// Throws Error(io) when it cannot be started.
  Child(const std::string& program, const std::vector<std::string>& arguments);

  /// Readable when it has ended.
  int ended() const { return pidfd_.get(); }

  struct Result {
    int status = 0;      ///< exit status; 128 + signal when it was killed
    std::string output;  ///< what it said: its beginning, and its last words
  };
  /// After ended(): what came of it. most: bytes of its beginning.
  Result result(std::size_t most);
  /// Has it end as soon as it can.
  void stop();

 private:
  int pid_ = -1;
  base::Fd output_;
  base::Fd pidfd_;
};

/// Of what is told to people.
inline constexpr std::size_t kMostOutput = 2U << 20;

/// Output of `rota … --json` as lines for people: "rota: " is taken off, events become phrases.
std::string told(const std::string& output);
/// Of what is told the last line: steps come first, and then why it ended.
std::string last_line(const std::string& told);

}  // namespace rota::tui
