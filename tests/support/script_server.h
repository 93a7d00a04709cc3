#pragma once

#include <sys/types.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/file.h"

namespace rota::test {

/// The program is not installed.
struct ProgramMissing : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A server of the tests as a process of its own, which says one line when it is ready. It ends
/// with this object, or when this process does, whichever is first: its standard input is closed.
class ScriptServer {
 public:
  /// argv: the program, looked for in PATH, and its arguments. log: a file for what it writes to
  /// standard error; "": where this program writes it. Throws ProgramMissing, and
  /// std::runtime_error when it says nothing for a minute.
  explicit ScriptServer(const std::vector<std::string>& argv, const std::string& log = "");
  ScriptServer(const ScriptServer&) = delete;
  ScriptServer& operator=(const ScriptServer&) = delete;
  ~ScriptServer();

  /// Its first line, without the end; nothing when it ended before.
  const std::optional<std::string>& said() const { return said_; }
  /// Waits until it has ended, and returns its exit status.
  int wait();

 private:
  base::Fd input_;
  pid_t pid_ = -1;
  std::optional<std::string> said_;
};

/// Takes the proxies out of the environment: a server on this machine is not behind one.
void forget_proxies();

}  // namespace rota::test
