#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/target.h"
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
/// Adds "--disk-key FILE" with its help.
void declare_disk_key(Options& options, std::string& key_file);
/// Asks for the recovery passphrase at the terminal where there is no key file.
job::DiskKey disk_key(const Context& context, const std::string& key_file);
/// Throws Error(usage) when options of online stores are given beside those of a disk.
void check_no_store(const TargetOptions& target);

/// A copy as a tree, with all that it needs to stay open.
class DiskTree {
 public:
  /// words: the command's, of which the server's name is taken off the front: there may be `most`
  /// others. at: see job::DiskReader::select().
  DiskTree(Context& context, const DiskOptions& options, std::vector<std::string>& words,
           std::size_t most, const std::string& at);

  /// Only these, as a person types them; none: everything.
  void select(const std::vector<std::string>& paths);
  /// A path as a person types it, made relative to the tree.
  static std::string relative(std::string path);

  tree::Source& source();
  /// "web 20261024T030000Z", for messages.
  const std::string& name() const { return name_; }
  /// Reads the index once. Throws Error(not_found) when one of the paths, as a person types them,
  /// is not there. Before anything is read of the tree.
  void check_paths(const std::vector<std::string>& paths);
  [[noreturn]] void refuse_path(const std::string& path) const;

 private:
  std::string take_server(std::vector<std::string>& words, std::size_t most) const;

  std::function<std::unique_ptr<disk::IndexSource>()> open_;  ///< once more
  std::unique_ptr<job::DiskReader> reader_;
  std::unique_ptr<disk::IndexSource> tree_;
  std::unique_ptr<tree::SelectedSource> selected_;
  std::string name_;
};

}  // namespace rota::cli
