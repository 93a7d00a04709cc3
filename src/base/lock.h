#pragma once

#include <string>

#include "base/file.h"

namespace rota::base {

/// An exclusive lock on a file, held until the object is destroyed or the process ends, however it
/// ends. The constructor does not wait: it throws Error(locked), naming the process that holds it.
class LockFile {
 public:
  /// what: what is locked, for the message: "the profile main".
  LockFile(const std::string& path, const std::string& what);

 private:
  Fd fd_;
};

}  // namespace rota::base
