#include "disk/freeable.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "disk/check_result.h"
#include "disk/index_source.h"
#include "disk/power.h"

namespace rota::disk {

namespace {

/// Times of copies, in seconds since 1970: what `born` is.
constexpr std::int64_t kEver = std::numeric_limits<std::int64_t>::min();

std::int64_t seconds(const CopyInfo& copy) { return copy.time.time_since_epoch().count(); }

constexpr std::uint64_t kInode = 512;
constexpr std::uint64_t kBlock = 4096;

/// An inode with its content, in whole blocks.
std::uint64_t taken(const tree::Entry& entry) {
  if (!entry.is_file()) return kInode + kBlock;
  return kInode + (entry.size + kBlock - 1) / kBlock * kBlock;
}

/// By a copy's inodes, directories apart, that were written after `after` and no later than
/// `until`.
///
/// Memory: 40 bytes for each inode with several names.
std::uint64_t taken_by(int root, const CopyInfo& copy, std::int64_t after, std::int64_t until) {
  const base::Fd directory = open_copy(root, copy.server, copy.directory);
  CopyIndexReader index = open_index(directory.get(), CopyIndexReader::Extent::whole,
                                     fmt::format("{}/{}", copy.server, copy.directory));
  std::uint64_t bytes = 0;
  std::unordered_set<std::uint64_t> linked;
  for (CopyEntry line; index.next(line);) {
    const std::int64_t born = line.born != 0 ? line.born : seconds(copy);
    if (line.entry.is_directory() || born <= after || until < born) continue;
    if (line.entry.links > 1 && !linked.insert(line.entry.inode).second) continue;
    bytes += taken(line.entry);
  }
  return bytes;
}

/// The same of what a copy wrote itself, by its record.
std::uint64_t taken_by_own(const CopyRecord& record) {
  return record.new_bytes + record.new_inodes * (kInode + kBlock);
}

/// What a copy takes beside: its directories, names, the lines of index and SHA256SUMS.
std::uint64_t overhead(const CopyRecord& record) {
  constexpr std::uint64_t kLines = 600;
  constexpr std::uint64_t kFiles = 256 << 10;  // rota's own files
  const std::uint64_t others = record.linked + record.new_inodes;
  const std::uint64_t directories = record.entries - std::min(others, record.entries);
  return kFiles + directories * (kInode + kBlock) + record.entries * kLines;
}

/// Copies that go, next to each other. before, behind: those that stay; null: none does.
struct Run {
  const CopyInfo* before = nullptr;
  std::vector<const CopyInfo*> going;
  const CopyInfo* behind = nullptr;
};

std::vector<Run> runs_of(const std::vector<CopyInfo>& copies,
                         const std::set<base::Instant>& going) {
  std::vector<Run> runs;
  const CopyInfo* stays = nullptr;
  bool open = false;
  for (const CopyInfo& copy : copies) {
    if (going.contains(copy.time)) {
      if (!open) runs.push_back({stays, {}, nullptr});
      runs.back().going.push_back(&copy);
      open = true;
    } else {
      if (open) runs.back().behind = &copy;
      stays = &copy;
      open = false;
    }
  }
  return runs;
}

std::uint64_t freed_by(int root, const Run& run) {
  const std::int64_t after = run.before != nullptr ? seconds(*run.before) : kEver;
  const std::int64_t until = seconds(*run.going.back());
  std::uint64_t bytes = taken_by(root, *run.going.front(), after, until);
  std::uint64_t more = 0;
  for (const CopyInfo* copy : run.going) {
    more += overhead(*copy->record);
    if (copy != run.going.front()) bytes += taken_by_own(*copy->record);
  }
  const std::uint64_t kept = run.behind != nullptr ? taken_by(root, *run.behind, after, until) : 0;
  return bytes - std::min(kept, bytes) + more;
}

}  // namespace

std::uint64_t freeable(int root, const std::string& server, const std::set<base::Instant>& going) {
  const Usage room = usage(root);
  std::vector<CopyInfo> copies = list_copies(root);
  std::erase_if(copies, [&](const CopyInfo& copy) {
    return copy.server != server || copy.state != CopyState::sealed;
  });
  std::uint64_t bytes = 0;
  for (const Run& run : runs_of(copies, going)) {
    const bool known = std::ranges::all_of(
        run.going, [](const CopyInfo* copy) { return copy->record.has_value(); });
    if (!known) return room.used;
    try {
      bytes += freed_by(root, run);
    } catch (const base::Error& error) {
      if (!is_damage(error)) throw;
      return room.used;
    }
  }
  return std::min(bytes, room.used);
}

}  // namespace rota::disk
