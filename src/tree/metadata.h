#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "tree/entry.h"

struct statx;

namespace rota::tree {

/// Names of users and groups by number, asked once each. Thread safe. Bounded: it starts afresh
/// after 65,536 names.
class NameCache {
 public:
  std::string user(std::uint32_t uid);
  std::string group(std::uint32_t gid);
  /// The number here of a name from elsewhere; nothing where there is none.
  std::optional<std::uint32_t> uid(const std::string& user);
  std::optional<std::uint32_t> gid(const std::string& group);

 private:
  std::mutex mutex_;
  std::map<std::uint32_t, std::string> users_;
  std::map<std::uint32_t, std::string> groups_;
  std::map<std::string, std::optional<std::uint32_t>> uids_;
  std::map<std::string, std::optional<std::uint32_t>> gids_;
};

/// Fills an entry's fields from statx, all but path, target and xattrs. False for a socket, which
/// is never backed up.
bool fill_from_stat(const struct statx& st, NameCache& names, Entry& entry);

/// The extended attributes of what `fd` refers to (an O_PATH descriptor will do), sorted by name.
/// Filesystems without any give none. Returns an errno, 0 for success; E2BIG when not all that
/// there are can be kept (see kMaxXattrs): then those of the system come first, so that ACLs and
/// capabilities are not lost to what a user hangs on a file.
int read_xattrs(int fd, std::vector<Xattr>& xattrs);

/// What could not be set, counted, because a restore without root meets it at every entry.
struct MetadataShortfall {
  std::uint64_t owners = 0;
  std::uint64_t xattrs = 0;
  std::uint64_t others = 0;
  std::string first_other;  ///< a sentence about the first of `others`

  void add(const MetadataShortfall& more);
  /// One warning for each sort, about `target`.
  void report(const std::string& target, base::Warnings& warnings) const;
};

/// Takes away the xattrs that `fd` refers to and `keep` does not name: what a directory had before
/// a restore, or inherited. Those that belong to the system (security labels) stay.
void remove_other_xattrs(int fd, const std::vector<Xattr>& keep);

/// Sets owner, xattrs, mode and times of what `fd` refers to, in the order that keeps them all:
/// chown clears setuid and capabilities, so it is first; ACLs and a mode without write permission
/// would forbid user xattrs, so these follow them; times are last. A file whose owner or group
/// cannot be set does not get setuid and setgid: they would lend out the rights of somebody else.
///
/// fd: open for writing (files), reading (directories) or O_PATH (anything; symlinks need it).
/// by_name: owners by name where the name is known here, else by number.
void apply_metadata(int fd, const Entry& entry, bool by_name, NameCache& names,
                    MetadataShortfall& shortfall);

}  // namespace rota::tree
