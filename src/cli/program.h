#pragma once

#include <memory>
#include <span>
#include <vector>

#include "cli/command.h"

namespace rota::cli {

/// What the program answers with, and what that means.
struct ExitStatus {
  int status;
  const char* meaning;
};
std::span<const ExitStatus> exit_statuses();

/// All that the command line of `rota` takes: the one list of its commands, each of which has
/// declared its words and options. Used to run one of them and to write what explains them.
class Program {
 public:
  /// context: what the options that all commands share are put into; must outlive this.
  explicit Program(Context& context);

  CommandLine& line() { return line_; }
  /// number: as CommandLine::parse() returns it.
  Command& command(std::size_t number) { return *commands_[number]; }

 private:
  CommandLine line_;
  std::vector<std::unique_ptr<Command>> commands_;
};

}  // namespace rota::cli
