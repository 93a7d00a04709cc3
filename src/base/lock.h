#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

#include "base/file.h"
#include "base/time.h"

namespace rota::base {

/// How long a lock that somebody holds is waited for.
struct LockWait {
  Clock& clock;
  std::chrono::milliseconds most;
  std::stop_token stop;
  std::function<void()> begins;  ///< called once, when there is something to wait for; may be null
};

/// An exclusive lock on a file, held until the object is destroyed or the process ends, however it
/// ends.
class LockFile {
 public:
  /// what: what is locked, for the message: "the profile main". wait: null: not at all.
  ///
  /// Throws Error(locked), naming the process that holds it, and Error(interrupted).
  LockFile(const std::string& path, const std::string& what, const LockWait* wait = nullptr);

 private:
  bool take(const std::string& path);

  Fd fd_;
};

}  // namespace rota::base
