#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace rota::base {

/// A program to run: no shell, an explicit argument list, additions to the environment. Secrets go
/// through files or descriptors, never through `argv`.
struct Command {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string input{};            ///< its standard input
  std::chrono::seconds limit{0};  ///< killed with all that it started after so long; 0: no limit
  std::stop_token stop{};         ///< killed like that when a stop is requested, too
  std::chrono::milliseconds after_stop{0};  ///< it may go on for so long behind that request
  std::chrono::milliseconds grace{
      0};  ///< when a stop ends it: SIGTERM, and so long to end by itself
  std::size_t most_output = 64 << 10;  ///< bytes of its output that are kept, the last ones
};

struct ProcessResult {
  int status = 0;          ///< exit status; 128 + signal when it was killed
  std::string output;      ///< standard output and error together, the end of it
  bool cut = false;        ///< there was more of it
  bool timed_out = false;  ///< killed at its limit
  bool stopped = false;    ///< asked to end, or killed, because a stop was requested
};

/// The seam to other programs.
class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;
  /// Runs to its end, until every writer of its output is gone (a daemon that it starts must not
  /// keep it open). One that may be killed has a session of its own: Ctrl-C reaches it by way of
  /// `stop` only, and it has no terminal to ask. Throws Error(io) when it cannot be started.
  virtual ProcessResult run(const Command& command) = 0;
};

ProcessRunner& real_processes();

}  // namespace rota::base
