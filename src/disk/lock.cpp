#include "disk/lock.h"

#include "base/file.h"

namespace rota::disk {

base::LockFile lock_disk(const std::string& directory, const std::string& name,
                         const base::LockWait* wait) {
  base::real_files().make_directories(directory, 0755);
  return base::LockFile(directory + "/disk-" + name + ".lock", "the disk " + name, wait);
}

}  // namespace rota::disk
