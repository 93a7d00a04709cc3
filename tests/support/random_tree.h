#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace rota::test {

/// A random tree of everything that a backup must carry: all kinds but sockets, odd names, xattrs,
/// ACLs, holes, hard links, odd modes, owners and times. The same seed on the same kind of
/// filesystem gives the same tree, but for the times that the kernel sets.
///
/// Without root it leaves out devices, foreign owners, trusted.* and security.*, and modes that
/// would keep its owner from reading. Paths stay below 3,000 bytes, so that rsync can check them.
///
///   CAPTURE(seed);
///   RandomTree tree(seed, temp / "source");
///   tree.mutate();
class RandomTree {
 public:
  /// root: made, or an empty directory. About `size` entries.
  RandomTree(std::uint64_t seed, std::string root, std::size_t size = 80);

  /// Changes about `changes` things: content edited in place, inserted, appended, cut, punched;
  /// names added, removed, moved, swapped, of another kind; metadata; hard links made and broken.
  void mutate(std::size_t changes = 25);

  const std::string& root() const { return root_; }
  std::uint64_t seed() const { return seed_; }

 private:
  struct Listing;
  std::uint64_t below(std::uint64_t end);
  bool chance(unsigned one_in) { return below(one_in) == 0; }
  std::string bytes(std::size_t size);
  std::string new_name();
  std::string new_path(const std::string& directory);
  Listing list() const;
  const std::string& any(const std::vector<std::string>& paths);

  void make_any(const std::string& directory);
  void make_file(const std::string& path);
  void make_special(const std::string& path);
  void make_deep(const std::string& directory);
  void decorate(const std::string& path);
  void set_mode(const std::string& path);
  void set_owner(const std::string& path);
  void set_times(const std::string& path);
  void set_xattr(const std::string& path);
  void set_acl(const std::string& path);
  void change_content(const std::string& path);
  void change_names(Listing& all);
  void change_metadata(const std::string& path);

  std::uint64_t seed_;
  std::string root_;
  std::mt19937_64 random_;
  bool root_user_;
  std::uint64_t made_ = 0;
};

/// What differs between two directories by tree::compare() and by rsync, which knows nothing of
/// rota: "" when they are the same in everything, mtimes of directories and hard links included.
/// Throws std::runtime_error when rsync is not installed.
std::string differences(const std::string& first, const std::string& second);

/// What rsync says of it alone; paths that are too long for it make it fail.
std::string rsync_differences(const std::string& first, const std::string& second);

}  // namespace rota::test
