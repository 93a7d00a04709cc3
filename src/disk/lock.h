#pragma once

#include <string>

#include "base/lock.h"

namespace rota::disk {

/// One rota at a time for a disk: preparing, attaching, ejecting, wiping. By the disk's name, since
/// that is what a label tells before anything is mounted.
///
/// directory: where locks lie, "/run/rota"; made when missing. wait: see LockFile. Throws
/// Error(locked), io.
base::LockFile lock_disk(const std::string& directory, const std::string& name,
                         const base::LockWait* wait = nullptr);

}  // namespace rota::disk
