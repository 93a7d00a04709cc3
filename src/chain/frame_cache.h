#pragma once

#include <condition_variable>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "base/bytes.h"
#include "chain/extent.h"
#include "chain/record.h"
#include "store/store.h"

namespace rota::chain {

/// Unpacked frames of one chain, read from the store once while they are in use. Thread safe: two
/// threads that want the same frame share one read, different frames are read at once.
///
/// Memory: kCapacity, and for each reading thread one frame more.
class FrameCache {
 public:
  FrameCache(store::Store& store, const RunRecord& record) : store_(store), record_(record) {}

  using Frame = std::shared_ptr<const base::Bytes>;
  /// The frame that a data extent lies in. Throws Error(corrupt), naming volume and place, when it
  /// is damaged, or when its volume is missing.
  Frame get(const Extent& extent);

  static constexpr std::size_t kCapacity = 32 << 20;

 private:
  using Key = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;
  struct Slot {
    Frame frame;  ///< null while it is being read
    std::list<Key>::iterator age;
  };
  Frame load(const Extent& extent) const;
  void evict();

  store::Store& store_;
  const RunRecord& record_;
  std::mutex mutex_;
  std::condition_variable loaded_;
  std::map<Key, Slot> slots_;
  std::list<Key> ages_;  ///< least recently used first
  std::size_t held_ = 0;
};

}  // namespace rota::chain
