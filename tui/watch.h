#pragma once

#include "base/file.h"
#include "profile/places.h"

namespace rota::tui {

/// Which files may have changed; the kernel tells, nothing is polled.
struct Changes {
  bool jobs = false;    ///< a progress file
  bool ledger = false;  ///< the ledger or a setting
};

class Watch {
 public:
  explicit Watch(const profile::Places& places);

  int fd() const { return fd_.get(); }
  /// Takes in what has been told since the last call.
  Changes read();
  /// Directories that were not there before may be there now.
  void look_again();

 private:
  int add(const std::string& path, unsigned events);

  profile::Places places_;
  base::Fd fd_;
  int run_ = -1;
  int above_ = -1;  ///< the directory in which run's is made, until it is
  int state_ = -1;
  int config_ = -1;
};

}  // namespace rota::tui
