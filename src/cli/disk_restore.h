#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "job/disk_restore.h"
#include "tree/selected_source.h"

namespace rota::cli {

/// From which rotation disk, or which mounted copy, a reading command reads.
struct DiskOptions {
  std::string disk;      ///< --disk DISK
  std::string copy;      ///< --copy DIR
  std::string key_file;  ///< --disk-key FILE
  bool any() const { return !disk.empty() || !copy.empty(); }
};

void declare_disk(Options& options, DiskOptions& disk);

/// A copy as a tree, with all that it needs to stay open.
class DiskTree {
 public:
  /// server, at: which copy; see job::DiskReader::select(). paths: of the tree, as a person types
  /// them; empty: everything.
  DiskTree(Context& context, const DiskOptions& options, const std::string& server,
           const std::string& at, const std::vector<std::string>& paths);

  tree::Source& source();
  /// "web 20261024T030000Z", for messages.
  const std::string& name() const { return name_; }
  /// Throws Error(not_found) when one of the paths was not there.
  void check_paths() const;

 private:
  std::unique_ptr<job::DiskReader> reader_;
  std::unique_ptr<disk::IndexSource> tree_;
  std::unique_ptr<tree::SelectedSource> selected_;
  std::string name_;
};

}  // namespace rota::cli
