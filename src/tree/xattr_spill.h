#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/file.h"
#include "tree/entry.h"

namespace rota::tree {

/// Keeps the xattrs of a batch of entries, however many and large they are, in little memory: those
/// beyond kInMemory bytes go to a temporary file until the batch is at its end. Used by one thread
/// at a time.
class XattrSpill {
 public:
  /// Entry number `index` of the batch has its xattrs. In ascending order.
  void keep(std::size_t index, Entry& entry);
  /// Gives them back. In the same order.
  void give_back(std::size_t index, Entry& entry);

  static constexpr std::size_t kInMemory = 1 << 20;

 private:
  struct Place {
    std::size_t index;
    std::uint64_t position;
    std::size_t size;
  };
  base::Fd file_;  ///< without a name
  std::uint64_t end_ = 0;
  std::size_t in_memory_ = 0;
  std::deque<Place> places_;
};

}  // namespace rota::tree
