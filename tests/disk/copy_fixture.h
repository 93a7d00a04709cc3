#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/progress.h"
#include "base/time.h"
#include "disk/copies.h"
#include "disk/copy_writer.h"
#include "disk/verify_copy.h"
#include "support/files.h"
#include "tree/source.h"

namespace rota::test {

/// Bytes that nothing compresses, the same for a seed.
std::string noise(std::size_t size, unsigned seed);

/// The root of a disk on which copies are made: a directory or a mounted filesystem.
class CopyPlace {
 public:
  explicit CopyPlace(std::string root);

  /// One copy of a directory, taken at 2026-10-24 plus so many days; not sealed. Its time of day
  /// reaches far behind the files' ctimes, so that nothing is racy, unless `racy` is set.
  disk::CopySummary write(const std::string& source, int day, bool racy = false);
  disk::CopySummary write(tree::Source& source, int day);
  /// The same, and sealed.
  disk::CopySummary copy(const std::string& source, int day);
  disk::CopySummary copy(tree::Source& source, int day);
  void seal(int day);
  void remove(const std::string& directory);
  disk::CheckResult verify(const std::string& directory, disk::CheckOptions options = {});

  std::string server() const { return root_ + "/rota/web"; }
  std::string tree(int day) const { return server() + "/" + name(day) + "/tree"; }
  static base::Instant time(int day);
  static std::string name(int day);
  static std::string partial(int day) { return name(day) + ".partial"; }
  /// "sealed 20261024T030000Z", one each.
  std::vector<std::string> list() const;

  /// The descriptor of the root is closed, as for an unmount, and opened again.
  void close() { fd_.reset(); }
  void open();
  int fd() const { return fd_.get(); }

  /// Each look at the clock takes a second, so that there are checkpoints.
  bool slow_clock = false;
  base::CollectedWarnings warnings;
  base::Progress progress;

 private:
  std::string root_;
  base::Fd fd_;
};

/// Runs a program; its output is "" when all is well and it says nothing.
std::string run_program(std::vector<std::string> argv);

/// What `sha256sum -c` says in the copy's tree besides "OK"; "" when it accepts all.
std::string check_sums(const std::string& copy);

/// What differs between two trees, by tree::compare, "path: what" in lines: for disks whose mount
/// no other program can enter.
std::string compared(const std::string& first, const std::string& second);

std::uint64_t inode_of(const std::string& path);

/// Until what is changed next has another ctime than what was changed before.
void wait_for_another_tick();

}  // namespace rota::test
