#include "support/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#include "base/file.h"

namespace rota::test {

namespace {

/// One level at a time and never by a long path: trees in tests are deeper than PATH_MAX. A
/// subdirectory that is itself not empty is first moved up to the top, so that no recursion is
/// needed for depth.
void empty_directory(int top) {
  unsigned next = 0;
  for (bool again = true; again;) {
    again = false;
    DIR* dir = ::fdopendir(::openat(top, ".", O_RDONLY | O_DIRECTORY));
    if (dir == nullptr) return;
    std::vector<std::string> names;
    while (const dirent* e = ::readdir(dir)) {
      const std::string name = e->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    ::closedir(dir);
    for (const std::string& name : names) {
      if (::unlinkat(top, name.c_str(), 0) == 0) continue;
      if (::unlinkat(top, name.c_str(), AT_REMOVEDIR) == 0) continue;
      if (::fchmodat(top, name.c_str(), 0700, 0) != 0) continue;
      const base::Fd sub(::openat(top, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      if (!sub.valid()) continue;
      DIR* inner = ::fdopendir(::dup(sub.get()));
      std::vector<std::string> children;
      while (const dirent* e = ::readdir(inner)) {
        const std::string child = e->d_name;
        if (child != "." && child != "..") children.push_back(child);
      }
      ::closedir(inner);
      for (const std::string& child : children) {
        if (::unlinkat(sub.get(), child.c_str(), 0) == 0) continue;
        if (::unlinkat(sub.get(), child.c_str(), AT_REMOVEDIR) == 0) continue;
        const std::string moved = ".removing-" + std::to_string(next++);
        if (::fchmodat(sub.get(), child.c_str(), 0700, 0) != 0) continue;
        if (::renameat(sub.get(), child.c_str(), top, moved.c_str()) == 0) again = true;
      }
      ::unlinkat(top, name.c_str(), AT_REMOVEDIR);
    }
  }
}

}  // namespace

void remove_tree(const std::string& path) {
  {
    const base::Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (fd.valid()) empty_directory(fd.get());
  }
  ::rmdir(path.c_str());
  ::unlink(path.c_str());
}

namespace {

std::string usual_directory() {
  const char* parent = std::getenv("TMPDIR");
  return parent != nullptr ? parent : "/var/tmp";
}

}  // namespace

std::string fast_directory() {
  std::string probe = "/dev/shm/rota-test-XXXXXX";
  const base::Fd fd(::mkstemp(probe.data()));
  if (!fd.valid()) return usual_directory();
  const bool takes_all = ::fsetxattr(fd.get(), "user.probe", "1", 1, 0) == 0;
  ::unlink(probe.c_str());
  return takes_all ? "/dev/shm" : usual_directory();
}

TempDir::TempDir() : TempDir(usual_directory()) {}

TempDir::TempDir(const std::string& parent) {
  std::string pattern = parent + "/rota-test-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
  path_ = pattern;
}

TempDir::~TempDir() { remove_tree(path_); }

void write(const std::string& path, std::string_view text) {
  base::real_files().make_directories(base::parent_directory(path), 0755);
  const base::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  base::real_files().write_all(fd.get(), std::as_bytes(std::span(text)), path);
}

std::string read(const std::string& path) { return base::read_file(path, 1ULL << 32); }

}  // namespace rota::test
