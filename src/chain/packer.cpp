#include "chain/packer.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "chain/extent_builder.h"
#include "tree/content_error.h"
#include "tree/unchanged.h"
#include "tree/zeros.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;
using tree::Entry;

namespace {

/// A small file's pieces may lie in so many runs before it is stored whole again: it is cheap to
/// store, and each run more is one request more for whoever fetches just this file.
constexpr std::size_t kMaxRuns = 3;

/// A file that grew beyond this between its listing and its reading waits for the next run.
constexpr std::uint64_t kMaxGrown = 4 * kSmallFile;

/// A delta of a file that is in memory, as a list: literals are places in it.
class DeltaList final : public DeltaSink {
 public:
  struct Command {
    bool copy;
    std::uint64_t offset;  ///< in the old file for a copy, else in the new one
    std::uint64_t length;
  };
  void copy(std::uint64_t offset, std::uint64_t length) override {
    commands.push_back({true, offset, length});
    at_ += length;
  }
  void literal(std::span<const std::byte> data) override {
    commands.push_back({false, at_, data.size()});
    at_ += data.size();
    literals += data.size();
  }
  std::vector<Command> commands;
  std::uint64_t literals = 0;

 private:
  std::uint64_t at_ = 0;
};

}  // namespace

std::shared_ptr<ExtentTable> find_content(WriterContext& context, const base::Sha256Digest& digest,
                                          std::uint64_t size) {
  if (context.parent == nullptr) return nullptr;
  const auto place = context.contents.find(digest);
  if (!place || place->run >= context.parent->runs.size()) return nullptr;
  try {
    const base::Bytes packed =
        context.index.read(context.parent->runs[place->run], place->block.object,
                           place->block.position, place->block.size);
    BlockDecoder decoder(unpack(packed, kMaxBlock));
    IndexRecord record;
    bool more = false;
    while (decoder.next(record, more)) {
      bool whole = true;
      while (whole && more) whole = decoder.continue_extents(record, more);
      if (!whole) return nullptr;  // it goes on in another block: too long to be worth it
      if (record.entry.is_file() && record.entry.size == size && record.entry.digest == digest) {
        return record.extents;
      }
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt && error.kind() != ErrorKind::not_found) throw;
  }
  return nullptr;
}

void leave_out(WriterContext& context, Item& item) {
  const Entry& entry = item.record.entry;
  if (!entry.unreadable && entry.links > 1) {
    // The walk has met them, or will, as links to this name.
    context.warnings.warn(entry.path,
                          "vanished before it was read and had other names, which this run cannot "
                          "restore; the next run takes them");
  }
  if (entry.unreadable || !item.before) {
    // What the chain has of an unreadable file is better than nothing; of a new one there is none.
    item.drop = true;
    return;
  }
  IndexRecord gone;
  gone.entry.path = entry.path;
  gone.removed = true;
  item.record = std::move(gone);
}

Packer::Packer(WriterContext& context)
    : context_(context), compressor_(context.level), filler_(kFrameRaw, [this](RawBuffer full) {
        batch_->frames.push_back(compressor_.pack(full.data()));
        return full;
      }) {}

void Packer::work(Batch& batch) {
  if (batch.large) {
    batch.frames.push_back(compressor_.pack(batch.raw.data()));
    batch.raw = {};
    return;
  }
  batch_ = &batch;
  filler_.restart();
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    if (batch.items[i].read) take(batch.items[i]);
    overflow_ = {};
    batch.xattrs.keep(i, batch.items[i].record.entry);
  }
  filler_.flush();
}

void Packer::take(Item& item) {
  bool there = false;
  try {
    there = read(item);
  } catch (const tree::ContentError& error) {
    context_.warnings.warn(item.record.entry.path, error.what());
    item.record.entry.unreadable = true;
  }
  if (item.resign) {
    // What the chain has stays; only content that is still the same may speak for it.
    item.drop = true;
    const IndexRecord& before = *item.before;
    if (there && item.record.entry.digest == before.entry.digest &&
        layout() == hole_layout(*before.extents)) {
      sign(item);
    }
  } else if (there) {
    store(item);
  } else {
    leave_out(context_, item);
  }
}

void Packer::sign(Item& item) {
  if (content_.size() < kMinSigned) return;
  item.signature = sign_whole(content_);
}

/// Reads the file into content_ and segments_ and hashes it. False when it is gone or unreadable.
bool Packer::read(Item& item) {
  Entry& entry = item.record.entry;
  for (int attempt = 0;; ++attempt) {
    const base::Instant now = context_.clock.now();
    const auto content = context_.source.open(entry);
    if (!content) return false;
    item.record.racy = tree::is_racy(entry, now);
    if (entry.size > kMaxGrown) {
      throw tree::ContentError(ErrorKind::io,
                               "grew too much while the tree was read; the next run takes it");
    }
    const auto expected = static_cast<std::size_t>(entry.size);
    std::span<std::byte> buffer = filler_.reserve(expected);
    if (buffer.size() < expected) {
      overflow_ = RawBuffer::of(expected);
      buffer = {overflow_.bytes.get(), expected};
    }
    std::size_t packed = 0;
    segments_.clear();
    base::Sha256 hasher;
    std::uint64_t size = 0;
    while (const auto segment = tree::from_content([&] { return content->next_segment(); })) {
      tree::Segment taken{segment->hole, segment->length};
      if (segment->hole) {
        tree::hash_zeros(hasher, segment->length, context_.stop);
      } else {
        const std::span<std::byte> room =
            buffer.subspan(packed, static_cast<std::size_t>(segment->length));
        taken.length = tree::from_content([&] { return content->read(room); });
        hasher.update(room.first(static_cast<std::size_t>(taken.length)));
        packed += static_cast<std::size_t>(taken.length);
      }
      size += taken.length;
      if (taken.length > 0) segments_.push_back(taken);
    }
    content_ = buffer.first(packed);
    const bool unchanged = content->unchanged() && size == entry.size;
    if (!unchanged && attempt == 0) continue;
    if (!unchanged && item.resign) return false;
    if (!unchanged) {
      context_.warnings.warn(entry.path, "changed while it was read; the copy may be of no use");
      item.record.racy = true;
    }
    entry.size = size;
    entry.digest = hasher.finish();
    context_.progress.bytes += size;
    return true;
  }
}

void Packer::store(Item& item) {
  IndexRecord& record = item.record;
  if (record.entry.size == 0) return;
  const base::Sha256Digest& digest = *record.entry.digest;
  // Of the same packed bytes only: the holes may lie elsewhere now.
  const auto sign_known = [&] {
    if (layout() == hole_layout(*record.extents) && !context_.contents.has_signature(digest)) {
      sign(item);
    }
  };
  if (item.before && item.before->entry.digest == digest && item.before->extents) {
    record.extents = item.before->extents;
    record.read_cost = item.before->read_cost;
    record.fresh_cost = item.before->fresh_cost;
    sign_known();
    return;
  }
  if (auto known = find_content(context_, digest, record.entry.size)) {
    record.extents = std::move(known);
    sign_known();
    return;
  }
  sign(item);
  record.extents = std::make_shared<ExtentTable>();
  if (store_changes(item)) return;
  ExtentBuilder builder(nullptr, filler_, *record.extents);
  std::span<const std::byte> data = content_;
  std::uint64_t packed = 0;
  for (const tree::Segment& segment : segments_) {
    if (segment.hole) {
      builder.hole(packed, segment.length);
      continue;
    }
    builder.literal(data.first(static_cast<std::size_t>(segment.length)));
    data = data.subspan(static_cast<std::size_t>(segment.length));
    packed += segment.length;
  }
  builder.finish();
}

/// Of what was read.
std::uint64_t Packer::layout() const {
  HoleLayout layout;
  std::uint64_t packed = 0;
  for (const tree::Segment& segment : segments_) {
    if (segment.hole) {
      layout.hole(packed, segment.length);
    } else {
      packed += segment.length;
    }
  }
  return layout.finish();
}

/// Stores only what is new against the version before. False when that is not possible or not worth
/// it; then nothing was stored.
bool Packer::store_changes(Item& item) {
  if (!item.before || !item.before->extents || !item.before->entry.digest) return false;
  const ExtentTable& old = *item.before->extents;
  if (old.packed_size() > kMaxGrown) return false;
  const auto signature = context_.contents.signature(*item.before->entry.digest, hole_layout(old));
  if (!signature) return false;
  const auto sums = OldSignature::open(signature_bytes(*signature));
  if (!sums || sums->packed_size() != old.packed_size()) return false;

  DeltaList delta;
  Matcher matcher(*sums, delta);
  matcher.update(content_);
  matcher.end_chunk();
  if (delta.literals * 4 > content_.size() * 3) return false;

  std::set<std::uint32_t> runs;
  for (const DeltaList::Command& command : delta.commands) {
    if (!command.copy) continue;
    std::uint64_t left = command.length;
    auto place = old.find(command.offset);
    std::uint64_t start = place.start;
    for (std::size_t i = place.index; start < command.offset + left; ++i) {
      const Extent extent = old.at(i);
      if (extent.hole()) continue;
      runs.insert(extent.run);
      start += extent.length;
    }
  }
  if (runs.size() >= kMaxRuns) return false;

  ExtentBuilder builder(&old, filler_, *item.record.extents);
  std::uint64_t packed = 0;
  for (const tree::Segment& segment : segments_) {
    if (segment.hole) {
      builder.hole(packed, segment.length);
    } else {
      packed += segment.length;
    }
  }
  for (const DeltaList::Command& command : delta.commands) {
    if (command.copy) {
      builder.copy(command.offset, command.length);
    } else {
      builder.literal(content_.subspan(static_cast<std::size_t>(command.offset),
                                       static_cast<std::size_t>(command.length)));
    }
  }
  builder.finish();
  return true;
}

}  // namespace rota::chain
