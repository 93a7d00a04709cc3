#include "chain/large_file.h"

#include "base/error.h"
#include "base/signals.h"
#include "chain/extent_builder.h"
#include "tree/compare.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;
using tree::Entry;

namespace {

/// Stored bytes of the frames that a restore of this file reads, each stretch of one frame once.
std::uint64_t frame_bytes(const ExtentTable& extents) {
  std::uint64_t sum = 0;
  Extent last;
  bool any = false;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const Extent extent = extents.at(i);
    if (extent.hole() || extent.pending()) continue;
    if (!any || !extent.same_frame(last)) sum += extent.frame_size;
    last = extent;
    any = true;
  }
  return sum;
}

}  // namespace

bool is_fragmented(const IndexRecord& record) {
  if (!record.extents) return false;
  return record.read_cost * 2 > record.fresh_cost * 3 ||
         record.extents->size() > 1000 * (record.entry.size / (1 << 20) + 1);
}

void LargeFile::work(Item& item) {
  Entry& entry = item.record.entry;
  bool there = false;
  try {
    if (item.resign) return resign(item);
    if (reuse(item)) return;
    if (entry.unreadable) return leave_out(context_, item);
    const bool changes = old_signature(item).has_value();
    FrameFiller filler(changes ? kLiteralFrameRaw : kFrameRaw, [&](RawBuffer full) {
      const std::size_t capacity = full.capacity;
      send_(std::move(full));
      return RawBuffer::of(capacity);
    });
    there = read(item, filler);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::io) throw;
    context_.warnings.warn(entry.path, error.what());
    entry.unreadable = true;
    if (item.resign) return;
  }
  if (!there) leave_out(context_, item);
}

/// A large file that probably is what the chain has already, touched or under another name: reading
/// it once to know costs less than storing it.
bool LargeFile::reuse(Item& item) {
  Entry& entry = item.record.entry;
  const bool same = item.before && item.before->entry.size == entry.size &&
                    item.before->entry.mtime == entry.mtime;
  // Another inode under a known name: it may have had another name before, as logs that are
  // rotated.
  const bool fresh = context_.parent != nullptr && (!item.before || !item.before->entry.is_file() ||
                                                    item.before->entry.inode != entry.inode);
  if (!same && !fresh) return false;
  Entry read = entry;
  const base::Instant now = context_.clock.now();
  if (!tree::compute_digest(context_.source, read, stop_)) {
    entry.unreadable = read.unreadable;  // it was reported: do not ask again
    return false;
  }
  if (read.size != entry.size) return false;
  std::shared_ptr<ExtentTable> known;
  if (same && item.before->entry.digest == read.digest) {
    known = item.before->extents;
    item.record.read_cost = item.before->read_cost;
    item.record.fresh_cost = item.before->fresh_cost;
  } else {
    known = find_content(context_, *read.digest, read.size);
  }
  if (!known) return false;
  entry = std::move(read);
  item.record.racy = is_racy(entry, now);
  item.record.extents = std::move(known);
  context_.progress.bytes += entry.size;
  return true;
}

std::optional<Matcher::ReadSignature> LargeFile::old_signature(const Item& item) const {
  if (!item.before || !item.before->extents || !item.before->entry.digest ||
      is_fragmented(*item.before)) {
    return std::nullopt;
  }
  return context_.contents.signature_reader(*item.before->entry.digest,
                                            hole_layout(*item.before->extents));
}

bool LargeFile::read(Item& item, FrameFiller& filler) {
  Entry& entry = item.record.entry;
  for (int attempt = 0;; ++attempt) {
    const base::Instant now = context_.clock.now();
    const auto content = context_.source.open(entry);
    if (!content) return false;
    item.record.racy = is_racy(entry, now);
    const bool unchanged = store_pass(item, *content, filler);
    if (!unchanged && attempt == 0) continue;
    if (!unchanged) {
      context_.warnings.warn(entry.path, "changed while it was read; the copy may be of no use");
      item.record.racy = true;
    }
    filler.flush();
    return true;
  }
}

/// Reads the content once, to its digest and to those who are given. Returns its size.
std::uint64_t LargeFile::pass(tree::Content& content, DigestThread& digest, const OnHole& hole,
                              const OnData& data) {
  std::uint64_t size = 0;
  std::uint64_t packed = 0;
  while (const auto segment = content.next_segment()) {
    if (segment->hole) {
      hole(packed, segment->length);
      digest.hole(segment->length);
      size += segment->length;
      context_.progress.bytes += segment->length;
      continue;
    }
    for (;;) {
      base::check_stop(stop_);
      auto piece = std::make_shared<std::vector<std::byte>>(kRead);
      const std::size_t n = content.read(*piece);
      if (n == 0) break;
      piece->resize(n);
      digest.data(piece);
      data(*piece);
      size += n;
      packed += n;
      context_.progress.bytes += n;
    }
  }
  return size;
}

/// An unchanged file whose signature was lost: what the chain has stays, and only content that is
/// still the same may speak for it.
void LargeFile::resign(Item& item) {
  item.drop = true;
  const auto content = context_.source.open(item.record.entry);
  if (!content) return;
  HoleLayout layout;
  DigestThread digest(item.record.entry.size);
  pass(
      *content, digest,
      [&](std::uint64_t packed, std::uint64_t length) { layout.hole(packed, length); },
      [](std::span<const std::byte>) {});
  DigestThread::Result result = digest.finish();
  const IndexRecord& before = *item.before;
  if (content->unchanged() && result.digest == before.entry.digest &&
      layout.finish() == hole_layout(*before.extents)) {
    item.signature_file = std::move(result.signature);
  }
}

/// Stores the content once. False when the file changed meanwhile; the frames that were sent are
/// then of no use, which is the price of a file that is written to while it is read.
bool LargeFile::store_pass(Item& item, tree::Content& content, FrameFiller& filler) {
  IndexRecord& record = item.record;
  Entry& entry = record.entry;
  record.extents = std::make_shared<ExtentTable>();
  const ExtentTable* old = nullptr;
  const auto old_sums = old_signature(item);
  if (old_sums) old = item.before->extents.get();
  ExtentBuilder builder(old, filler, *record.extents);
  std::optional<Matcher> matcher;
  if (old_sums) matcher.emplace(*old_sums, old->packed_size(), builder);

  DigestThread digest(entry.size);
  const std::uint64_t size = pass(
      content, digest,
      [&](std::uint64_t packed, std::uint64_t length) { builder.hole(packed, length); },
      [&](std::span<const std::byte> data) {
        if (matcher) {
          matcher->update(data);
        } else {
          builder.literal(data);
        }
      });
  if (matcher) matcher->finish();
  builder.finish();
  const bool unchanged = content.unchanged() && size == entry.size;
  DigestThread::Result result = digest.finish();
  entry.size = size;
  entry.digest = result.digest;
  item.signature_file = std::move(result.signature);
  if (old_sums) {
    // What is new is added when its frames are placed.
    const bool in_parts = item.before->read_cost > 0;
    record.fresh_cost = in_parts ? item.before->fresh_cost : frame_bytes(*old);
    record.read_cost = in_parts ? item.before->read_cost : record.fresh_cost;
    if (item.before->entry.size > 0) {
      record.fresh_cost = static_cast<std::uint64_t>(static_cast<double>(record.fresh_cost) *
                                                     static_cast<double>(size) /
                                                     static_cast<double>(item.before->entry.size));
    }
  }
  return unchanged;
}

}  // namespace rota::chain
