#pragma once

#include <memory>
#include <string>

#include "base/file.h"
#include "base/progress.h"
#include "disk/copy_index.h"
#include "tree/source.h"

namespace rota::disk {

/// The index of a copy whose directory is open. shown: the copy, for messages.
CopyIndexReader open_index(int copy, CopyIndexReader::Extent extent, const std::string& shown);

/// A copy on a disk as a Source: its index gives order, metadata and digests, its tree the content.
/// Restores, copies from one disk to another, comparisons and verification go through it.
///
/// What cannot be read of the tree is a warning; content that is not what the index says shows
/// where it is hashed (TreeWriter refuses it).
class IndexSource final : public tree::Source {
 public:
  /// root: a disk's root directory. directory: the copy's ("20261024T030000Z"). Throws
  /// FileError when there is none, Error(corrupt).
  IndexSource(int root, const std::string& server, const std::string& directory,
              base::Warnings& warnings);
  /// copy: the copy's own directory, open.
  IndexSource(base::Fd copy, std::string shown, base::Warnings& warnings);

  bool next(tree::Entry& entry) override;
  bool complete(tree::Entry& entry) override;
  std::unique_ptr<tree::Content> open(tree::Entry& entry) override;

 private:
  base::Fd copy_;
  base::Fd tree_;
  std::string shown_;
  base::Warnings& warnings_;
  CopyIndexReader index_;
};

}  // namespace rota::disk
