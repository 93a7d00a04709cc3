#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/sqlite.h"

namespace rota::tree {

/// Remembers, for each group of hard links, the path that came first. Groups are found by a key of
/// two numbers (device, inode) or by a text.
///
/// Flat memory: the table is a private temporary SQLite database whose page cache is 2 MB; beyond
/// that it spills to a file that is gone with the object. Nothing is opened before the first use,
/// because most trees have few hard links or none.
class LinkTable {
 public:
  /// The path that was first registered for this group; registers `path` when there is none.
  std::optional<std::string> first_or_register(const std::string& group, const std::string& path);

  static std::string inode_group(std::uint64_t device, std::uint64_t inode) {
    return std::to_string(device) + ":" + std::to_string(inode);
  }

 private:
  struct Tables;
  struct Forget {
    void operator()(Tables* tables) const;
  };
  std::unique_ptr<Tables, Forget> tables_;
};

}  // namespace rota::tree
