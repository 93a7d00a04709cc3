#include "disk/check_result.h"

#include <cerrno>

#include "base/file.h"

namespace rota::disk {

bool is_damage(const base::Error& error) {
  if (error.kind() == base::ErrorKind::corrupt) return true;
  const auto* file = dynamic_cast<const base::FileError*>(&error);
  if (file == nullptr) return false;
  const int number = file->error_number();
  // EUCLEAN and EBADMSG are the filesystems' own words for structures and checksums that are wrong.
  return number == EIO || number == ENOENT || number == EUCLEAN || number == EBADMSG;
}

}  // namespace rota::disk
