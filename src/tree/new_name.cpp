#include "tree/new_name.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <utility>

namespace rota::tree {

namespace {

/// Beside `name`, and its own: several files of one directory may be written at once. The same each
/// time, so that a restore that is run again takes away what one that was killed left there.
std::string temporary_for(const std::string& name) {
  return fmt::format(".rota-restore.tmp-{:016x}", std::hash<std::string>{}(name));
}

}  // namespace

NewName::NewName(int parent, std::string name, bool replace)
    : parent_(parent),
      name_(std::move(name)),
      here_(replace ? temporary_for(name_) : name_),
      replace_(replace) {
  if (replace_) ::unlinkat(parent_, here(), 0);
}

NewName::~NewName() { remove(); }

void NewName::remove() {
  if (made_) ::unlinkat(parent_, here(), 0);
  made_ = false;
}

bool NewName::commit() {
  if (replace_) {
    if (::renameat(parent_, here(), parent_, name_.c_str()) != 0) return false;
    // It is still there if both were names of one inode already.
    ::unlinkat(parent_, here(), 0);
  }
  made_ = false;
  return true;
}

}  // namespace rota::tree
