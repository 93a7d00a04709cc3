#include "base/sqlite_wait.h"

#include <sqlite3.h>

#include <utility>

namespace rota::base {

WriterWait::WriterWait(Database& database, LockWait wait)
    : database_(database), wait_(std::move(wait)) {
  sqlite3_busy_handler(
      database.handle(),
      [](void* self, int tries) { return static_cast<WriterWait*>(self)->goes_on(tries) ? 1 : 0; },
      this);
}

WriterWait::~WriterWait() {
  sqlite3_busy_timeout(database_.handle(), static_cast<int>(kUsualWait.count()));
}

/// What sqlite3_busy_handler() asks for: true to try again. tries: since this wait began.
bool WriterWait::goes_on(int tries) {
  constexpr std::chrono::milliseconds kPause{100};
  if (tries == 0) waited_ = std::chrono::milliseconds(0);
  const bool usual = waited_ < kUsualWait;
  if (!usual && (wait_.stop.stop_requested() || waited_ >= wait_.most)) return false;
  if (waited_ == kUsualWait && wait_.begins) wait_.begins();
  wait_.clock.sleep(kPause, usual ? std::stop_token() : wait_.stop);
  waited_ += kPause;
  return true;
}

}  // namespace rota::base
