#include "chain/damage_checks.h"

#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/file.h"

namespace rota::test {

using base::ErrorKind;

namespace fs = std::filesystem;

namespace {

struct stat status(const std::string& path) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0) FAIL("cannot look at " << path);
  return st;
}

void check_same(const std::string& kept, const std::string& restored, bool named) {
  const struct stat a = status(kept);
  const struct stat b = status(restored);
  if ((a.st_mode & S_IFMT) != (b.st_mode & S_IFMT)) FAIL(restored << " is of another kind");
  if (S_ISREG(a.st_mode) && read(kept) != read(restored)) FAIL(restored << " has wrong content");
  if (S_ISLNK(a.st_mode) && fs::read_symlink(kept) != fs::read_symlink(restored)) {
    FAIL(restored << " leads elsewhere");
  }
  // A directory that the index cannot tell of is made, and named.
  if (S_ISDIR(a.st_mode) && named) return;
  if (a.st_mode != b.st_mode || a.st_mtim.tv_sec != b.st_mtim.tv_sec ||
      a.st_mtim.tv_nsec != b.st_mtim.tv_nsec) {
    FAIL(restored << " has another mode or time");
  }
}

}  // namespace

Outcome restore_checked(Backups& backups, const std::string& run) {
  const std::string target = backups.temp / "damaged";
  remove_tree(target);
  bool failed = false;
  try {
    backups.restore(run, target);
  } catch (const base::Error& error) {
    // not_found: its record is gone, so that there is no such run.
    const bool clear = error.kind() == ErrorKind::corrupt || error.kind() == ErrorKind::not_found ||
                       error.kind() == ErrorKind::config;
    if (!clear) FAIL("the restore of " << run << " failed with: " << error.what());
    failed = true;
  }
  std::set<std::string> named;
  for (const auto& [path, message] : backups.warnings) named.insert(path);
  const std::string kept = backups.kept(run);
  std::uint64_t absent = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kept)) {
    const std::string name = entry.path().lexically_relative(kept);
    const std::string restored = target + "/" + name;
    if (base::exists(restored) || fs::is_symlink(restored)) {
      // What stopped in the middle has not set the times of directories.
      if (!failed || !entry.is_directory()) {
        check_same(entry.path(), restored, named.contains(restored));
      }
      continue;
    }
    ++absent;
    const bool lost = std::ranges::any_of(
        backups.lost, [&](const chain::LostRange& range) { return range.contains(name); });
    if (!failed && !lost && !named.contains(restored)) FAIL(name << " is missing and not named");
  }
  if (base::exists(target)) {
    for (const auto& entry : fs::recursive_directory_iterator(target)) {
      const std::string name = entry.path().lexically_relative(target);
      if (!base::exists(kept + "/" + name) && !fs::is_symlink(kept + "/" + name)) {
        FAIL(name << " was not in the tree");
      }
    }
  }
  if (failed) return Outcome::failed;
  if (!backups.lost.empty() || backups.damaged > 0) return Outcome::partly;
  if (absent > 0) FAIL("files are missing and were not counted");
  if (!named.empty()) FAIL("nothing is missing, but it was said");
  return Outcome::whole;
}

}  // namespace rota::test
