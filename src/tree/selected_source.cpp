#include "tree/selected_source.h"

#include <algorithm>
#include <utility>

namespace rota::tree {

SelectedSource::SelectedSource(Source& inner, std::vector<std::string> paths)
    : inner_(inner), paths_(std::move(paths)), met_(paths_.size()) {}

bool SelectedSource::is_selected(const std::string& path) {
  bool selected = false;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    if (!is_within(path, paths_[i])) continue;
    met_[i] = true;
    selected = true;
  }
  return selected;
}

bool SelectedSource::is_above(const std::string& path) const {
  return std::ranges::any_of(paths_,
                             [&](const std::string& wanted) { return is_within(wanted, path); });
}

bool SelectedSource::next(Entry& entry) {
  while (inner_.next(entry)) {
    if (!is_selected(entry.path)) {
      if (entry.is_directory() && is_above(entry.path)) return true;
      continue;
    }
    if (entry.kind != EntryKind::hard_link) return true;
    const std::string first = entry.target;
    const auto is_wanted = [&](const std::string& path) {
      return std::ranges::any_of(
          paths_, [&](const std::string& wanted) { return is_within(path, wanted); });
    };
    if (is_wanted(first)) return true;
    if (auto made = links_.first_or_register(first, entry.path)) {
      entry.target = std::move(*made);
    } else {
      entry.kind = EntryKind::file;
      entry.target.clear();
    }
    return true;
  }
  return false;
}

std::vector<std::string> SelectedSource::missing() const {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    if (!met_[i]) paths.push_back(paths_[i]);
  }
  return paths;
}

}  // namespace rota::tree
