#pragma once

#include <string>
#include <utility>

#include "tree/source.h"

namespace rota::tree {

/// What another source has at and below one path, as a tree in which it stands directly below the
/// root under a name of its own: how one file or directory is taken out.
class RebasedSource final : public Source {
 public:
  /// inner: gives `path` (not the root), what is below it and the directories above it, and no
  /// other hard link targets than those.
  RebasedSource(Source& inner, std::string path, std::string name)
      : inner_(inner), path_(std::move(path)), name_(std::move(name)) {}

  bool next(Entry& entry) override {
    while (inner_.next(entry)) {
      if (entry.path.empty()) return true;  // the root goes first
      if (!is_within(entry.path, path_)) continue;
      entry.path = rebased(entry.path);
      if (entry.kind == EntryKind::hard_link) entry.target = rebased(entry.target);
      return true;
    }
    return false;
  }
  bool complete(Entry& entry) override { return inner_.complete(entry); }
  std::unique_ptr<Content> open(Entry& entry) override { return inner_.open(entry); }

 private:
  std::string rebased(const std::string& path) const { return name_ + path.substr(path_.size()); }

  Source& inner_;
  std::string path_;
  std::string name_;
};

}  // namespace rota::tree
