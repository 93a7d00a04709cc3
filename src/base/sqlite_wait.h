#pragma once

#include <chrono>

#include "base/lock.h"
#include "base/sqlite.h"

namespace rota::base {

/// How long a Database waits for another program that writes to it.
inline constexpr std::chrono::milliseconds kUsualWait{10'000};

/// While this object lives, a database waits longer than that, as `wait` says. A stop does not
/// shorten the usual time. wait.begins is called when that is over, and must not throw.
class WriterWait {
 public:
  WriterWait(Database& database, LockWait wait);
  WriterWait(const WriterWait&) = delete;
  WriterWait& operator=(const WriterWait&) = delete;
  ~WriterWait();

 private:
  bool goes_on(int tries);

  Database& database_;
  const LockWait wait_;
  std::chrono::milliseconds waited_{0};
};

}  // namespace rota::base
