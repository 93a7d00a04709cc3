#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/store.h"

namespace rota::store {

/// One directory of a store that keeps its objects as files, as list_tree() sees it.
class Folder {
 public:
  /// What lies in a directory. Bytewise order of full names is not that of the directories:
  /// "a-b" < "a/b" < "ab", so that a directory's key is its name with a '/' behind it.
  struct Entry {
    std::string key;
    std::optional<std::uint64_t> size;  ///< of a file, where it comes with the name
    bool is_directory() const { return key.ends_with('/'); }
  };

  virtual ~Folder() = default;
  /// The regular files and directories, in any order, of those whose keys are `wanted`. Symbolic
  /// links are neither.
  virtual std::vector<Entry> entries(const std::function<bool(const std::string&)>& wanted) = 0;
  /// A directory in this one; nothing when it is gone or something else by now.
  virtual std::unique_ptr<Folder> open(const std::string& name) = 0;
  /// The size of a file whose entry had none; nothing when it is gone or no regular file.
  virtual std::optional<std::uint64_t> size_of(const std::string& name) = 0;
};

/// Store::page_size() where each page reads the directory: 20 MB of names at a time, and a million
/// objects in ten pages.
inline constexpr std::size_t kFolderPage = 100'000;

/// One page of Store::list() from the files below `root`.
///
/// Memory: the names of one directory for each level. Names that is_name() refuses are passed over.
/// Throws what the folders throw.
Page list_tree(Folder& root, const std::string& prefix, const std::string& after,
               std::size_t limit);

}  // namespace rota::store
