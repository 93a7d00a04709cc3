#include "disk/survey.h"

#include "base/signals.h"
#include "disk/predecessors.h"
#include "tree/unchanged.h"

namespace rota::disk {

namespace {

constexpr std::uint64_t kBlock = 4096;
/// Of an entry: its line in the index and in SHA256SUMS but for the path, and its inode and name
/// where it is no link.
constexpr std::uint64_t kLineBytes = 60 + 67;
constexpr std::uint64_t kInodeBytes = 512;
/// Index, SHA256SUMS, COPY.json and the directories that hold them.
constexpr std::uint64_t kCopyBytes = 64 << 10;

std::uint64_t in_blocks(std::uint64_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

}  // namespace

Survey survey(tree::Source& source, int root, const std::string& server, base::Progress& progress,
              const std::stop_token& stop) {
  Survey result;
  result.bytes_needed = kCopyBytes;
  ChangeCounter counter;
  base::CollectedWarnings told_later;  // the copy itself says what is wrong with earlier ones
  const base::Fd directory = open_server(root, server);
  std::optional<Predecessors> earlier;
  if (directory.valid()) {
    earlier.emplace(directory.get(), list_copies(directory.get(), server), counter, told_later);
  }
  tree::Placed placed;
  while (source.next(placed.entry)) {
    base::check_stop(stop);
    const tree::Entry& entry = placed.entry;
    ++result.entries;
    ++progress.files;
    placed.before.reset();
    bool written = true;
    for (std::size_t i = 0; !entry.is_directory() && earlier && i < earlier->trees.size(); ++i) {
      const tree::Known* known = earlier->trees[i]->find(entry.path);
      if (known == nullptr) continue;
      const bool same = !known->racy && tree::is_unchanged(entry, known->entry);
      if (same && !known->distrusted) written = false;
      if (i == 0 && earlier->has_sealed) {
        placed.before = tree::Before{known->entry.kind, known->entry.size, true, same, same};
      }
    }
    counter.now(placed);
    result.bytes_needed += kLineBytes + 2 * entry.path.size();
    if (entry.is_directory()) result.bytes_needed += kBlock + kInodeBytes;
    if (entry.kind == tree::EntryKind::hard_link || entry.is_directory() || !written) continue;
    result.bytes_needed += kInodeBytes + in_blocks(entry.size);
  }
  if (earlier && earlier->has_sealed) earlier->trees.front()->finish();
  result.changes = counter.summary();
  return result;
}

}  // namespace rota::disk
