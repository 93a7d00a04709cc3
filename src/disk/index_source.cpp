#include "disk/index_source.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/error.h"
#include "disk/copy_names.h"
#include "disk/small_file.h"
#include "tree/beneath.h"
#include "tree/local_content.h"

namespace rota::disk {

CopyIndexReader open_index(int copy, CopyIndexReader::Extent extent, const std::string& shown) {
  base::Fd fd(::openat(copy, kIndex, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) base::throw_os("cannot open the index of", shown, errno);
  return CopyIndexReader(std::move(fd), extent, shown + "/" + kIndex);
}

IndexSource::IndexSource(int root, const std::string& server, const std::string& directory,
                         base::Warnings& warnings)
    : IndexSource(open_copy(root, server, directory),
                  fmt::format("{}/{}/{}", kTop, server, directory), warnings) {}

IndexSource::IndexSource(base::Fd copy, std::string shown, base::Warnings& warnings)
    : copy_(std::move(copy)),
      tree_(open_directory(copy_.get(), kTree)),
      shown_(std::move(shown)),
      warnings_(warnings),
      index_(open_index(copy_.get(), CopyIndexReader::Extent::whole, shown_)) {
  if (!tree_.valid()) base::throw_os("cannot open the files of", shown_, errno);
}

bool IndexSource::next(tree::Entry& entry) {
  CopyEntry next;
  if (!index_.next(next)) return false;
  entry = std::move(next.entry);
  return true;
}

/// The index has all of it.
bool IndexSource::complete(tree::Entry&) { return true; }

std::unique_ptr<tree::Content> IndexSource::open(tree::Entry& entry) {
  const std::string path = fmt::format("{}/{}/{}", shown_, kTree, entry.path);
  const auto unreadable = [&](const std::string& reason) {
    warnings_.warn(path, "cannot be read: " + reason);
    entry.unreadable = true;
    return nullptr;
  };
  base::Fd fd = tree::open_beneath(tree_.get(), entry.path, O_RDONLY | O_NONBLOCK);
  struct statx st {};
  if (!fd.valid() || ::statx(fd.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) != 0) {
    return unreadable(base::os_reason(errno));
  }
  if (!S_ISREG(st.stx_mode)) return unreadable("it is no file any more");
  return std::make_unique<tree::LocalContent>(std::move(fd), path, st);
}

}  // namespace rota::disk
