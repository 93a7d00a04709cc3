#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace rota::tree {

/// What a name in a tree is. The numbers stand in stored indexes (docs/format.md): never reuse one.
enum class EntryKind : std::uint8_t {
  file = 1,
  directory = 2,
  symlink = 3,
  char_device = 4,
  block_device = 5,
  fifo = 6,
  hard_link = 7  ///< another name of an entry that stands earlier in the order
};

/// A file time: seconds since 1970-01-01 UTC and 0..999,999,999 nanoseconds.
struct Timestamp {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

/// One extended attribute, POSIX ACLs and file capabilities among them, as the kernel hands it out.
struct Xattr {
  std::string name;
  std::string value;
  friend bool operator==(const Xattr&, const Xattr&) = default;
};

/// One name in a tree with its metadata: the one metadata type of rota.
///
/// A Source gives the fields of `lstat`; xattrs and link targets are there after Source::complete
/// or Source::open (they cost system calls that an unchanged entry does not need).
struct Entry {
  std::string path;  ///< relative to the tree's root, any bytes but NUL; "" is the root itself
  EntryKind kind = EntryKind::file;
  std::uint32_t mode = 0;  ///< permission bits, setuid, setgid, sticky: 07777
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string user;         ///< name of uid where the entry was read; may be empty
  std::string group;        ///< name of gid; may be empty
  std::uint64_t size = 0;   ///< bytes of a file's content, holes included; else 0
  std::uint64_t links = 1;  ///< names of this inode where it was read; 1 for directories
  Timestamp mtime;
  Timestamp ctime;          ///< where it was read; decides whether it changed, is never restored
  std::uint64_t inode = 0;  ///< where it was read, as ctime
  std::uint32_t device_major = 0;  ///< of a char or block device
  std::uint32_t device_minor = 0;
  std::string target;         ///< of a symlink; for a hard link the path of the group's first entry
  std::vector<Xattr> xattrs;  ///< sorted by name
  std::optional<base::Sha256Digest> digest;  ///< of a file's content, where it is known
  std::shared_ptr<const void>
      handle;               ///< of the Source that gave the entry; means nothing to others
  bool unreadable = false;  ///< a directory whose names could not be read: what is below is unknown

  bool is_file() const { return kind == EntryKind::file; }
  bool is_directory() const { return kind == EntryKind::directory; }
};

/// The order of entries everywhere: depth first, names bytewise within a directory. So '/' sorts
/// before every other byte: "a", "a/b", "a.txt".
std::strong_ordering compare_paths(std::string_view a, std::string_view b);

/// True when `path` is `ancestor` or lies below it. "" is the ancestor of all.
bool is_within(std::string_view path, std::string_view ancestor);

/// The part behind the last '/'.
std::string_view base_name(std::string_view path);

/// A word for messages: "file", "directory", …
std::string_view kind_name(EntryKind kind);

/// Limits of what may stand in an index: what an encoder refuses and a decoder calls corrupt.
inline constexpr std::size_t kMaxPath = 1 << 20;
inline constexpr std::size_t kMaxName = 255;        ///< bytes between two slashes
inline constexpr std::size_t kMaxXattrs = 1 << 20;  ///< bytes of all xattrs of an entry together
inline constexpr std::size_t kMaxXattrName = 255;
inline constexpr std::size_t kMaxXattrValue = 65'536;
inline constexpr std::size_t kMaxOwnerName = 1024;

/// What is walked has shorter paths: a run record names the first path of each index block, so that
/// whoever may nest directories could make it too large to be read. (PATH_MAX is no limit of a
/// tree.)
inline constexpr std::size_t kMaxWalkedPath = 32 << 10;

/// What is wrong with `path`, for a sentence about it; nothing when it may stand in a tree: no
/// leading, trailing or doubled '/', no "." or ".." component, no component over kMaxName bytes, no
/// NUL, at most kMaxPath bytes.
std::optional<std::string_view> fault_of_path(std::string_view path);

/// Throws Error(corrupt) for a stored path that has a fault.
void check_path(std::string_view path);

/// Bytes of names and values, as kMaxXattrs counts them.
std::size_t xattr_bytes(const Entry& entry);

/// True for an attribute in which a filesystem shows once more what stands in another: XFS lists
/// each POSIX ACL as trusted.SGI_ACL_FILE or _DEFAULT, too (fs/xfs/xfs_xattr.c), and sets the ACL
/// from it. No entry has such attributes; those that old backups hold are passed over.
bool is_shown_twice(std::string_view xattr);

}  // namespace rota::tree
