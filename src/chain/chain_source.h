#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "chain/clear_store.h"
#include "chain/frame_cache.h"
#include "chain/piece.h"
#include "chain/record.h"
#include "store/store.h"
#include "tree/link_table.h"
#include "tree/source.h"

namespace rota::chain {

/// The tree as it was at one run of a chain.
///
/// Every entry says directly where its bytes lie: nothing of other runs is applied or replayed.
class ChainSource final : public tree::Source {
 public:
  /// paths: what is wanted of the tree, relative to its root; each comes with all that lies below
  /// it and the directories above it; empty means everything. A hard link whose first name is not
  /// among them becomes a file of its own. Throws Error(not_found) for a path that is not there, at
  /// once.
  /// index_copies: see IndexObjects; may be empty.
  /// lost: told of each stretch of what is wanted of which the damaged index cannot tell; the rest
  /// is given, maybe without directories above it, and names of a file whose first name is lost
  /// cannot be opened. Null: damage of the index is thrown as Error(corrupt).
  /// keys: for an encrypted chain; null for none. Outlives the source.
  ChainSource(store::Store& store, RunRecord record, const std::string& index_copies,
              std::vector<std::string> paths = {}, OnLost lost = nullptr, KeyRing* keys = nullptr);
  ~ChainSource() override;

  /// Throws NoKeyError when the run is encrypted and nothing here opens it: copies of the index on
  /// this machine are in the clear, the data is not.
  void check_key() { clear_.check_key(); }

  bool next(tree::Entry& entry) override;
  bool complete(tree::Entry&) override { return true; }
  std::unique_ptr<tree::Content> open(tree::Entry& entry) override;

  const RunRecord& record() const { return record_; }

 private:
  bool next_record(IndexRecord& record);
  void enter(const std::string& path);
  void check_paths();
  bool selected(const std::string& path) const;
  void make_first_name(IndexRecord& record);
  void note(const LostRange& range);
  void tell();
  bool is_lost(const std::string& path);

  RunRecord record_;
  OnLost on_lost_;
  std::vector<LostRange> lost_;  ///< at most one for each block that the record names
  std::size_t told_ = 0;         ///< so many of them
  bool entering_ = false;
  ClearStore clear_;
  IndexObjects objects_;
  FrameCache frames_;
  IndexView view_;
  std::vector<std::string> paths_;  ///< sorted, none below another
  std::size_t next_path_ = 0;
  std::deque<IndexRecord> ready_;  ///< directories above a wanted path
  std::string last_above_;
  tree::LinkTable links_;
};

}  // namespace rota::chain
