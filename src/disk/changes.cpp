#include "disk/changes.h"

#include "tree/noise.h"

namespace rota::disk {

namespace {

/// Longer ones are parts of names, not extensions.
constexpr std::size_t kLongest = 16;

/// "locked" of "report.doc.locked"; empty for none.
std::string extension_of(const std::string& path) {
  const std::string_view name = tree::base_name(path);
  const std::size_t dot = name.find_last_of('.');
  if (dot == std::string_view::npos || dot == 0 || name.size() - dot - 1 > kLongest) return "";
  return std::string(name.substr(dot + 1));
}

}  // namespace

void Tally::add(const std::string& path, std::uint64_t size) {
  ++count;
  bytes += size;
  if (examples.size() < kExamples) examples.push_back(path);
}

void ChangeCounter::now(const tree::Placed& placed) {
  const tree::Entry& entry = placed.entry;
  const auto& before = placed.before;
  const bool was_directory = before && before->kind == tree::EntryKind::directory;
  if (before && !was_directory) {
    ++summary_.entries_before;
    summary_.bytes_before += before->size;
  }
  if (entry.is_directory()) {
    if (before && !was_directory) summary_.removed.add(entry.path, before->size);
    return;
  }
  ++summary_.entries_now;
  summary_.bytes_now += entry.size;
  if (!before || was_directory) {
    summary_.added.add(entry.path, entry.size);
    const std::string extension = entry.is_file() ? extension_of(entry.path) : "";
    auto& extensions = summary_.added_extensions;
    if (!extension.empty() &&
        (extensions.size() < ChangeSummary::kExtensions || extensions.count(extension) > 0)) {
      ++extensions[extension];
    }
    return;
  }
  if (before->same_content) {
    (before->same_metadata ? summary_.same : summary_.touched).add(entry.path, entry.size);
    return;
  }
  summary_.changed.add(entry.path, entry.size);
  if (entry.is_file() && before->kind == tree::EntryKind::file && !before->noise &&
      before->size >= tree::NoiseMeter::kLeast && entry.size >= tree::NoiseMeter::kLeast) {
    ++summary_.plain_before;
    if (placed.noise) summary_.became_noise.add(entry.path, entry.size);
  }
}

void ChangeCounter::gone(const tree::Entry& entry) {
  if (entry.is_directory()) return;
  ++summary_.entries_before;
  summary_.bytes_before += entry.size;
  summary_.removed.add(entry.path, entry.size);
}

}  // namespace rota::disk
