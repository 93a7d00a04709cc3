#include "profile/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace rota::profile {

namespace {

using base::Error;
using base::ErrorKind;

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorKind::config, message); }

/// rota runs programs with its own rights, so nobody else may be able to change `path`.
void check_ours(const std::string& path, const struct stat& st) {
  const std::string shown = base::printable(path);
  if (st.st_uid != 0 && st.st_uid != ::geteuid()) {
    fail(
        fmt::format("{} belongs to another user (uid {}), who could change what rota runs; run "
                    "`chown root '{}'` if you trust it",
                    shown, st.st_uid, shown));
  }
  if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    fail(
        fmt::format("{} can be written by others than its owner, who could change what rota runs; "
                    "run `chmod go-w '{}'` if you trust it",
                    shown, shown));
  }
}

}  // namespace

void check_program(const std::string& path) {
  const std::string shown = base::printable(path);
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) {
    if (errno != ENOENT || !base::exists(path)) base::throw_os("cannot look at", shown, errno);
    fail(fmt::format("{} is a symlink to something that does not exist; mend or remove it", shown));
  }
  if (!S_ISREG(st.st_mode)) {
    fail(fmt::format("{} must be a program or a script, but is no regular file", shown));
  }
  check_ours(path, st);
  const std::string directory = base::parent_directory(path);
  struct stat dir {};
  if (::stat(directory.c_str(), &dir) != 0) base::throw_os("cannot look at", directory, errno);
  check_ours(directory, dir);
  if (::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) != 0) {
    fail(fmt::format("{} is not executable; run `chmod +x '{}'`, or remove it if it should not run",
                     shown, shown));
  }
}

}  // namespace rota::profile
