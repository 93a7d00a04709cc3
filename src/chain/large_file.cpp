#include "chain/large_file.h"

#include "base/error.h"
#include "base/pipeline.h"
#include "chain/extent_builder.h"
#include "tree/compare.h"
#include "tree/content_error.h"
#include "tree/unchanged.h"

namespace rota::chain {

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
    const auto old = old_signature(item);
    FrameFiller filler(old ? kLiteralFrameRaw : kFrameRaw, [&](RawBuffer full) {
      const std::size_t capacity = full.capacity;
      send_(std::move(full));
      return RawBuffer::of(capacity);
    });
    there = read(item, old ? &*old : nullptr, filler);
  } catch (const tree::ContentError& error) {
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
  const auto digest = [&] { return tree::compute_digest(context_.source, read, stop_); };
  if (!tree::from_content(digest)) {
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
  item.record.racy = tree::is_racy(entry, now);
  item.record.extents = std::move(known);
  context_.progress.bytes += entry.size;
  return true;
}

/// Nothing, too, when it cannot be of these extents: then it is as if it were lost.
std::optional<OldSignature> LargeFile::old_signature(const Item& item) const {
  if (!item.before || !item.before->extents || !item.before->entry.digest ||
      is_fragmented(*item.before)) {
    return std::nullopt;
  }
  const ExtentTable& extents = *item.before->extents;
  auto bytes = context_.contents.signature_reader(*item.before->entry.digest, hole_layout(extents));
  auto old = bytes ? OldSignature::open(std::move(*bytes)) : std::nullopt;
  return old && old->packed_size() == extents.packed_size() ? std::move(old) : std::nullopt;
}

bool LargeFile::read(Item& item, const OldSignature* old, FrameFiller& filler) {
  Entry& entry = item.record.entry;
  for (int attempt = 0;; ++attempt) {
    const base::Instant now = context_.clock.now();
    const auto content = context_.source.open(entry);
    if (!content) return false;
    item.record.racy = tree::is_racy(entry, now);
    const bool unchanged = store_pass(item, *content, old, filler);
    if (!unchanged && attempt == 0) continue;
    if (!unchanged) {
      context_.warnings.warn(entry.path, "changed while it was read; the copy may be of no use");
      item.record.racy = true;
    }
    filler.flush();
    return true;
  }
}

struct LargeFile::Pass {
  std::uint64_t size = 0;
  DigestThread::Result result;
};

/// Reads the content once. size: about how much will come. work: compares a stretch with `old`.
LargeFile::Pass LargeFile::pass(tree::Content& content, std::uint64_t size, const OldSignature* old,
                                const std::function<void(Stretch&)>& work) {
  Pass pass;
  const SignatureShape shape = SignatureShape::cut(size);
  base::Channel<StretchPtr> unused(kStretches);
  base::Channel<StretchPtr> filled(kStretches);
  for (std::size_t i = 0; i < kStretches; ++i) unused.send(std::make_unique<Stretch>());
  DigestThread digest(shape, old, unused, stop_);
  base::Pipeline pipeline;
  pipeline.on_failure([&] {
    unused.abandon();
    filled.abandon();
  });
  pipeline.add([&] {
    StretchReader reader(content, shape.average);
    bool more = true;
    while (more) {
      auto stretch = unused.receive();
      if (!stretch) break;  // another thread has failed
      more = reader.fill(**stretch, stop_);
      filled.send(std::move(*stretch));
    }
    filled.close();
  });
  pipeline.run([&] {
    while (auto stretch = filled.receive()) {
      work(**stretch);
      for (const tree::Segment& segment : (*stretch)->segments) {
        pass.size += segment.length;
        context_.progress.bytes += segment.length;
      }
      digest.send(std::move(*stretch));
    }
  });
  pipeline.join();
  pass.result = digest.finish();
  return pass;
}

/// An unchanged file whose signature was lost: what the chain has stays, and only content that is
/// still the same may speak for it.
void LargeFile::resign(Item& item) {
  item.drop = true;
  const auto content = context_.source.open(item.record.entry);
  if (!content) return;
  HoleLayout layout;
  std::uint64_t packed = 0;
  Pass pass = this->pass(*content, item.record.entry.size, nullptr, [&](Stretch& stretch) {
    for (const tree::Segment& segment : stretch.segments) {
      if (segment.hole) {
        layout.hole(packed, segment.length);
      } else {
        packed += segment.length;
      }
    }
  });
  const IndexRecord& before = *item.before;
  if (content->unchanged() && pass.result.digest == before.entry.digest &&
      layout.finish() == hole_layout(*before.extents)) {
    item.signature_file = std::move(pass.result.signature);
  }
}

/// Stores the content once. False when the file changed meanwhile; the frames that were sent are
/// then of no use, which is the price of a file that is written to while it is read.
bool LargeFile::store_pass(Item& item, tree::Content& content, const OldSignature* old,
                           FrameFiller& filler) {
  IndexRecord& record = item.record;
  Entry& entry = record.entry;
  record.extents = std::make_shared<ExtentTable>();
  const ExtentTable* before = old != nullptr ? item.before->extents.get() : nullptr;
  ExtentBuilder builder(before, filler, *record.extents);
  std::optional<Matcher> matcher;
  if (old != nullptr) matcher.emplace(*old, builder);

  std::uint64_t packed = 0;
  Pass pass = this->pass(content, entry.size, old, [&](Stretch& stretch) {
    for (const tree::Segment& segment : stretch.segments) {
      if (segment.hole) {
        builder.hole(packed, segment.length);
      } else {
        packed += segment.length;
      }
    }
    if (matcher) return matcher->compare(stretch);
    for (const Stretch::Chunk& chunk : stretch.chunks) builder.literal(stretch.data(chunk));
  });
  builder.finish();
  const bool unchanged = content.unchanged() && pass.size == entry.size;
  entry.size = pass.size;
  entry.digest = pass.result.digest;
  item.signature_file = std::move(pass.result.signature);
  if (old != nullptr) {
    // What is new is added when its frames are placed.
    const bool in_parts = item.before->read_cost > 0;
    record.fresh_cost = in_parts ? item.before->fresh_cost : frame_bytes(*before);
    record.read_cost = in_parts ? item.before->read_cost : record.fresh_cost;
    if (item.before->entry.size > 0) {
      record.fresh_cost = static_cast<std::uint64_t>(static_cast<double>(record.fresh_cost) *
                                                     static_cast<double>(pass.size) /
                                                     static_cast<double>(item.before->entry.size));
    }
  }
  return unchanged;
}

}  // namespace rota::chain
