#pragma once

#include <string>
#include <string_view>

namespace rota::test {

/// A scratch directory below $TMPDIR (or /var/tmp, a real filesystem), removed with all that is in
/// it at the end, however deep.
class TempDir {
 public:
  TempDir();
  /// Below another directory.
  explicit TempDir(const std::string& parent);
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();
  const std::string& path() const { return path_; }
  /// "<path>/<name>".
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

/// A directory in memory for trees whose durability is not what is tested, where one exists that
/// takes all metadata (tmpfs takes user.* xattrs since Linux 6.6); else where TempDir() lies.
std::string fast_directory();

/// Writes a file, making its directories.
void write(const std::string& path, std::string_view text);
std::string read(const std::string& path);

/// Removes a tree of any depth.
void remove_tree(const std::string& path);

}  // namespace rota::test
