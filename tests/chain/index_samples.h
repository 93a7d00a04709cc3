#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "chain/chance.h"
#include "chain/frame.h"
#include "chain/index_record.h"

namespace rota::test {

/// Random index records, for the tests of what writes and reads them.
class IndexSamples {
 public:
  explicit IndexSamples(std::uint64_t seed) : chance(seed) {}

  std::string name() {
    std::string text(chance.between(1, chance.one_in(20) ? 255 : 8), 'a');
    for (char& c : text) {
      c = chance.one_in(10) ? static_cast<char>(chance.between(1, 255))
                            : static_cast<char>(chance.between('a', 'c'));
      if (c == '/' || c == '.') c = '_';
    }
    return text;
  }

  std::string path() {
    std::string text = name();
    for (std::uint64_t depth = chance.below(4); depth > 0; --depth) text += "/" + name();
    return text;
  }

  /// Sorted, without doubles.
  std::vector<std::string> paths(std::size_t count) {
    std::vector<std::string> all;
    while (all.size() < count) all.push_back(path());
    std::ranges::sort(all, [](const std::string& a, const std::string& b) {
      return tree::compare_paths(a, b) < 0;
    });
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }

  std::shared_ptr<chain::ExtentTable> extents(std::size_t count) {
    auto table = std::make_shared<chain::ExtentTable>();
    chain::Extent last;
    while (table->size() < count) {
      chain::Extent extent;
      extent.length = chance.between(1, 1000);
      const std::uint64_t kind = chance.below(6);
      if (kind == 0) {
        extent.run = chain::Extent::kHole;
        extent.length = chance.between(1, 1ULL << 40);
        table->push(extent);
        continue;
      }
      if (kind < 3 && last.frame_size > 0) {
        extent = last;
        extent.offset =
            kind == 1 ? last.offset + static_cast<std::uint32_t>(last.length) : 1 + last.offset;
        extent.length = chance.between(1, 1000);
        if (extent.offset > chain::kFrameRaw - 2000) extent.offset = 0;
      } else {
        extent.run = static_cast<std::uint32_t>(chance.below(300));
        extent.volume = static_cast<std::uint32_t>(chance.number() >> 32);
        extent.frame = static_cast<std::uint32_t>(chance.between(16, 1 << 24));
        extent.frame_size = static_cast<std::uint32_t>(chance.between(1, 4 << 20));
        extent.offset = static_cast<std::uint32_t>(chance.below(chain::kFrameRaw - 1000));
      }
      table->push(extent);
      last = extent;
    }
    return table;
  }

  tree::Timestamp time() {
    return {static_cast<std::int64_t>(chance.number()) * (chance.one_in(2) ? 1 : -1),
            static_cast<std::uint32_t>(chance.below(1'000'000'000))};
  }

  /// max_extents: usually few, sometimes so many.
  chain::IndexRecord record(const std::string& path, std::size_t max_extents) {
    chain::IndexRecord record;
    tree::Entry& entry = record.entry;
    entry.path = path;
    if (chance.one_in(8)) {
      record.removed = true;
      return record;
    }
    entry.kind = static_cast<tree::EntryKind>(chance.between(1, 7));
    entry.mode = static_cast<std::uint32_t>(chance.below(010000));
    entry.uid = static_cast<std::uint32_t>(chance.one_in(3) ? chance.number() >> 32 : 0);
    entry.gid = static_cast<std::uint32_t>(chance.one_in(3) ? chance.number() >> 32 : 0);
    entry.user = entry.uid == 0 ? "root" : name();
    entry.group = chance.one_in(2) ? "" : "staff";
    entry.links = chance.between(1, 3);
    entry.mtime = time();
    entry.ctime = time();
    entry.inode = chance.number();
    record.racy = chance.one_in(4);
    if (chance.one_in(5)) {
      for (std::uint64_t n = chance.between(1, 4); n > 0; --n) {
        const base::Bytes value = chance.bytes(chance.below(300));
        entry.xattrs.push_back(
            {"user." + name().substr(0, 200), std::string(base::as_text(value))});
      }
    }
    switch (entry.kind) {
      case tree::EntryKind::file:
        entry.digest = base::sha256({});
        if (chance.one_in(5)) break;
        record.extents =
            extents(chance.one_in(10) ? chance.between(1, max_extents) : chance.between(1, 4));
        for (std::size_t i = 0; i < record.extents->size(); ++i) {
          entry.size += record.extents->at(i).length;
        }
        entry.digest = base::sha256(base::as_bytes(path));
        if (chance.one_in(3)) {
          record.read_cost = chance.number();
          record.fresh_cost = chance.number();
        }
        break;
      case tree::EntryKind::symlink: {
        const base::Bytes target = chance.bytes(chance.between(1, 30));
        entry.target = base::as_text(target);
        break;
      }
      case tree::EntryKind::hard_link:
        entry.target = this->path();
        break;
      case tree::EntryKind::char_device:
      case tree::EntryKind::block_device:
        entry.device_major = static_cast<std::uint32_t>(chance.number() >> 32);
        entry.device_minor = static_cast<std::uint32_t>(chance.number() >> 32);
        break;
      default:
        break;
    }
    return record;
  }

  Chance chance;
};

/// What differs between two records; empty when they are equal in all that the index keeps.
inline std::string difference(const chain::IndexRecord& a, const chain::IndexRecord& b) {
  const tree::Entry& x = a.entry;
  const tree::Entry& y = b.entry;
  if (x.path != y.path) return "path";
  if (a.removed != b.removed) return "removed";
  if (x.kind != y.kind) return "kind";
  if (x.mode != y.mode) return "mode";
  if (x.uid != y.uid || x.gid != y.gid || x.user != y.user || x.group != y.group) return "owner";
  if (x.size != y.size) return "size";
  if (x.links != y.links || x.inode != y.inode) return "inode";
  if (x.mtime != y.mtime || x.ctime != y.ctime) return "times";
  if (x.device_major != y.device_major || x.device_minor != y.device_minor) return "device";
  if (x.target != y.target) return "target";
  if (x.xattrs != y.xattrs) return "xattrs";
  if (x.digest != y.digest) return "digest";
  if (a.racy != b.racy) return "racy";
  if (a.read_cost != b.read_cost || a.fresh_cost != b.fresh_cost) return "costs";
  const std::size_t extents = a.extents ? a.extents->size() : 0;
  if (extents != (b.extents ? b.extents->size() : 0)) return "number of extents";
  for (std::size_t i = 0; i < extents; ++i) {
    if (!(a.extents->at(i) == b.extents->at(i))) return "extent " + std::to_string(i);
  }
  return "";
}

}  // namespace rota::test
