#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"

namespace rota::base {

/// A program that runs beside this one. It has this process's output and a process group of its
/// own, so that Ctrl-C reaches it only by way of stop().
class Child {
 public:
  enum class Input {
    none,
    open  ///< a pipe that nothing is written to, and that ends with this object or this process
  };

  /// Throws Error(io) when it cannot be started.
  explicit Child(const std::vector<std::string>& argv, Input input = Input::none,
                 bool silent = false);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// Does not wait: a child that still runs is the system's from then on.
  ~Child();

  pid_t pid() const { return pid_; }
  /// Its exit status, 128 + signal when it was killed; nothing while it runs.
  std::optional<int> status();
  /// Waits for its end.
  int wait();
  /// Asks it to end (SIGTERM), once.
  void stop();

 private:
  int take(int raw);

  pid_t pid_ = 0;
  Fd input_;
  bool stopped_ = false;
  std::optional<int> status_;
};

}  // namespace rota::base
