#include "chain/sequencer.h"

#include <algorithm>

#include "base/hash.h"

namespace rota::chain {

Sequencer::Sequencer(std::uint32_t run, Uploader& uploader, ContentTable& contents, ResumeLog& log,
                     const Resumed* resumed, RecordRoom& room, std::unique_ptr<IndexView> absorbed,
                     std::function<void(std::uint32_t, const base::Bytes&)> keep_index)
    : run_(run),
      uploader_(uploader),
      contents_(contents),
      log_(log),
      resumed_(resumed),
      absorbed_(std::move(absorbed)),
      piece_(
          [this, keep = std::move(keep_index)](std::uint32_t number, base::Bytes object) {
            keep(number, object);
            uploader_.put(ObjectType::index, number, std::move(object));
          },
          [this, &room](const BlockRow& block) {
            room.take(block);
            contents_.placed(run_, block);
          }) {
  if (resumed_ != nullptr) volume_number_ = resumed_->next_volume;
  if (absorbed_) has_absorbed_ = absorbed_->next(absorbed_head_, true);
}

void Sequencer::take(Batch& batch) {
  std::vector<FramePlace> places;
  for (const base::Bytes& frame : batch.frames) {
    if (batch.large) {
      large_places_.push_back(add_large_frame(frame));
    } else {
      places.push_back(add_frame(frame));
    }
  }
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    Item& item = batch.items[i];
    batch.xattrs.give_back(i, item.record.entry);
    if (item.drop) {
      // The chain's word on this path stays.
      if (item.before) {
        ++files_;
        bytes_ += item.before->entry.size;
      }
      if (item.resign) keep_signature(item);
    } else {
      emit(item, item.large ? large_places_ : places);
    }
    if (item.large) large_places_.clear();
  }
}

/// hash: of a frame that is to be noted in the log; null for none.
FramePlace Sequencer::add_frame(const base::Bytes& frame, const FrameHash* hash) {
  // Not as soon as it is full: what its last frame holds is noted before the volume goes.
  if (volume_.size() >= kVolumeSize) flush_volume();
  if (volume_.empty()) {
    volume_.reserve(kVolumeSize + kFrameRaw + (1 << 16));
    const base::Bytes header = object_header(ObjectType::volume);
    volume_.insert(volume_.end(), header.begin(), header.end());
  }
  const FramePlace place{volume_number_, static_cast<std::uint32_t>(volume_.size()),
                         static_cast<std::uint32_t>(frame.size())};
  volume_.insert(volume_.end(), frame.begin(), frame.end());
  if (hash != nullptr) log_.frame(*hash, place);
  return place;
}

/// The frames of a large file may have been put before the run was interrupted.
FramePlace Sequencer::add_large_frame(const base::Bytes& frame) {
  const base::Sha256Digest digest = base::sha256(frame);
  FrameHash hash{};
  std::copy_n(digest.begin(), hash.size(), hash.begin());
  if (resumed_ != nullptr) {
    const auto known = resumed_->frames.find(hash);
    if (known != resumed_->frames.end() && known->second.size == frame.size()) {
      return known->second;
    }
  }
  return add_frame(frame, &hash);
}

void Sequencer::flush_volume() {
  if (volume_.empty()) return;
  log_.end_volume();
  uploader_.put(ObjectType::volume, volume_number_++, std::exchange(volume_, {}));
}

/// Of a file that stays as the chain has it.
void Sequencer::keep_signature(Item& item) {
  const base::Sha256Digest& digest = *item.before->entry.digest;
  if (item.signature_file.valid()) {
    contents_.sign(digest, item.signature_file, hole_layout(*item.before->extents));
  } else if (!item.signature.empty()) {
    contents_.sign(digest, item.signature, hole_layout(*item.before->extents));
  }
}

void Sequencer::emit(Item& item, const std::vector<FramePlace>& places) {
  IndexRecord& record = item.record;
  if (item.large && record.read_cost > 0 && !record.removed) {
    for (const FramePlace& place : places) record.read_cost += place.size;
  }
  write_absorbed_before(record);
  if (!record.removed) {
    ++files_;
    bytes_ += record.entry.size;
    const auto& old = item.before ? item.before->entry.digest : std::nullopt;
    if (old && record.entry.digest && *old != *record.entry.digest) contents_.supersede(*old);
    if (record.entry.is_file() && record.entry.size > 0) {
      if (item.signature_file.valid()) {
        contents_.add(*record.entry.digest, item.signature_file, hole_layout(*record.extents));
      } else {
        contents_.add(*record.entry.digest, item.signature,
                      item.signature.empty() ? 0 : hole_layout(*record.extents));
      }
    }
  }
  const auto resolve = [&](Extent extent) {
    const FramePlace& place = places.at(extent.frame);
    extent.run = run_;
    extent.volume = place.volume;
    extent.frame = place.frame;
    extent.frame_size = place.size;
    return extent;
  };
  if (record.extents && !record.removed) log_.entry(record, resolve);
  piece_.add(record, resolve);
}

/// Older records up to this one's path; its own word is newer.
void Sequencer::write_absorbed_before(const IndexRecord& record) {
  while (has_absorbed_) {
    const auto order = tree::compare_paths(absorbed_head_.entry.path, record.entry.path);
    if (order > 0) return;
    if (order < 0) piece_.add(absorbed_head_, nullptr);
    has_absorbed_ = absorbed_->next(absorbed_head_, true);
  }
}

void Sequencer::finish() {
  while (has_absorbed_) {
    piece_.add(absorbed_head_, nullptr);
    has_absorbed_ = absorbed_->next(absorbed_head_, true);
  }
  piece_.finish();
  flush_volume();
}

Piece Sequencer::take_piece(std::uint32_t span) {
  Piece piece;
  piece.run = run_;
  piece.span = span;
  piece.entries = piece_.entries();
  piece.blocks = piece_.take_blocks();
  return piece;
}

}  // namespace rota::chain
