#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "chain/batch.h"
#include "chain/content_table.h"
#include "chain/piece.h"
#include "chain/resume_log.h"
#include "chain/uploader.h"

namespace rota::chain {

/// The end of the writer's pipeline: places packed frames into volumes and writes the index, batch
/// by batch in the walk's order. One thread.
///
/// Memory: the volume that is being filled, one index object, and 12 bytes for each frame of the
/// large file that is under way, as much as ResumeLog says.
class Sequencer {
 public:
  /// run: this run's number. absorbed: older records that this run's piece takes in (see
  /// docs/format.md, "Pieces"); null for none. log: is told what volumes hold. resumed: what is in
  /// the store already; null for a run that begins. room: what the run's record has for the index's
  /// blocks. All outlive the sequencer.
  Sequencer(std::uint32_t run, Uploader& uploader, ContentTable& contents, ResumeLog& log,
            const Resumed* resumed, RecordRoom& room, std::unique_ptr<IndexView> absorbed,
            std::function<void(std::uint32_t, const base::Bytes&)> keep_index);

  void take(Batch& batch);
  /// After the last batch: the rest of the index and the last volume.
  void finish();

  /// The piece, without its objects' rows, which the uploader has.
  Piece take_piece(std::uint32_t span);

  std::uint64_t files() const { return files_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  FramePlace add_frame(const base::Bytes& frame, const FrameHash* hash = nullptr);
  FramePlace add_large_frame(const base::Bytes& frame);
  void emit(Item& item, const std::vector<FramePlace>& places);
  void keep_signature(Item& item);
  void write_absorbed_before(const IndexRecord& record);
  void flush_volume();

  std::uint32_t run_;
  Uploader& uploader_;
  ContentTable& contents_;
  ResumeLog& log_;
  const Resumed* resumed_;
  std::unique_ptr<IndexView> absorbed_;
  IndexRecord absorbed_head_;
  bool has_absorbed_ = false;
  PieceWriter piece_;
  base::Bytes volume_;
  std::uint32_t volume_number_ = 0;
  std::vector<FramePlace> large_places_;
  std::uint64_t files_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace rota::chain
