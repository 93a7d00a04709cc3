#pragma once

#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/progress.h"
#include "tree/local_source.h"
#include "tree/tree_writer.h"

namespace rota::tree {

/// All entries; whatever is no file is completed.
std::vector<Entry> walk(Source& source);

/// A directory with everything of it taken, unless a selection is given. Fails the test on a
/// warning.
std::vector<Entry> walk(const std::string& root, Selection selection = {});

std::vector<std::string> paths(const std::vector<Entry>& entries);

/// The entry of that path; fails the test when there is none.
const Entry& at(const std::vector<Entry>& entries, std::string_view path);

/// "path: message" of each.
using WarningList = std::vector<std::string>;
WarningList texts(const base::CollectedWarnings& warnings);

/// Copies a directory. Returns the warnings.
WarningList copy(const std::string& from, const std::string& to, TreeWriterOptions options = {});
/// Writes a source. Returns the warnings. Throws what consume() throws.
WarningList write_tree(Source& source, const std::string& to, TreeWriterOptions options = {},
                       std::uint64_t* damaged = nullptr);

/// All of a content: holes as zeros. `holes` gets the bytes that were holes.
std::string content_of(Source& source, Entry entry, std::uint64_t* holes = nullptr);

/// The kind and the text of what `action` throws; fails the test when it throws nothing.
base::Error error_of(const std::function<void()>& action);

void set_xattr(const std::string& path, const std::string& name, const std::string& value);
/// "-" when there is none. Of a symlink its own.
std::string get_xattr(const std::string& path, const std::string& name);
/// A POSIX ACL that gives user `uid` the permissions, in the kernel's form.
std::string acl_for(std::uint32_t uid, unsigned permissions);
void set_mtime(const std::string& path, std::int64_t seconds, std::uint32_t nanoseconds = 0);
Timestamp mtime(const std::string& path);
struct stat status(const std::string& path);

/// Runs `action` in a child process without any right (user and group nobody), and returns what it
/// returned, or the text of what it threw. Only for root.
std::string as_nobody(const std::function<std::string()>& action);

/// A tmpfs of that size on a directory, while the object lives.
class TmpfsMount {
 public:
  TmpfsMount(const std::string& directory, const std::string& size);
  TmpfsMount(const TmpfsMount&) = delete;
  TmpfsMount& operator=(const TmpfsMount&) = delete;
  ~TmpfsMount();
  bool mounted() const { return mounted_; }

 private:
  std::string directory_;
  bool mounted_;
};

/// The process may open no more than `most` files while the object lives.
class OpenFileLimit {
 public:
  explicit OpenFileLimit(rlim_t most);
  OpenFileLimit(const OpenFileLimit&) = delete;
  OpenFileLimit& operator=(const OpenFileLimit&) = delete;
  ~OpenFileLimit();

 private:
  rlimit before_{};
};

/// Makes a directory of `depth` levels, itself the first, one file in each 250th, most names one
/// byte long and each 100th 255 bytes.
void make_deep(const std::string& top, int depth);

}  // namespace rota::tree
