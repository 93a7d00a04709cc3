#pragma once

#include <string>
#include <vector>

#include "tree/link_table.h"
#include "tree/source.h"

namespace rota::tree {

/// Of another source's tree some paths only, each with all that is below it and the directories
/// above it.
///
/// A hard link whose first name is not among them becomes a file; its own other names become links
/// to it. So the inner source must be able to open every name of a file.
class SelectedSource final : public Source {
 public:
  /// paths: relative to the root. inner outlives this object.
  SelectedSource(Source& inner, std::vector<std::string> paths);

  bool next(Entry& entry) override;
  bool can_tell(const std::string& path) const override { return inner_.can_tell(path); }
  bool complete(Entry& entry) override { return inner_.complete(entry); }
  std::unique_ptr<Content> open(Entry& entry) override { return inner_.open(entry); }

  /// After the last entry: those of the paths that were not there.
  std::vector<std::string> missing() const;

 private:
  bool is_selected(const std::string& path);
  bool is_above(const std::string& path) const;

  Source& inner_;
  std::vector<std::string> paths_;
  std::vector<bool> met_;
  LinkTable links_;
};

}  // namespace rota::tree
