#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/file.h"
#include "chain/frame_filler.h"
#include "chain/index_record.h"
#include "tree/xattr_spill.h"

namespace rota::chain {

/// One entry on its way into the index.
struct Item {
  IndexRecord record;
  std::optional<IndexRecord> before;  ///< what the chain knows of this path
  bool read = false;                  ///< a file whose content a packer has yet to read
  bool resign = false;                ///< unchanged: read for its lost signature, not stored
  bool drop = false;                  ///< nothing is to be written: the chain's word stays, if any
  bool large = false;                 ///< its pending extents count the frames of the large file
  base::Bytes signature;              ///< of new content, or of what is read for it
  base::Fd signature_file;            ///< the same of a large file
};

/// A piece of work that goes through the writer's threads, and comes out in its order.
///
/// Either entries in order, small files among them, whose contents share one frame; or one frame of
/// a large file.
struct Batch {
  std::uint64_t sequence = 0;
  std::vector<Item> items;
  RawBuffer raw;                    ///< of a large file's frame
  bool large = false;               ///< `frames` belongs to the large file that is under way
  std::vector<base::Bytes> frames;  ///< packed, in order
  tree::XattrSpill xattrs;          ///< of the items that were packed
};

/// Entries in a batch at most, and bytes of files and of what is known of xattrs: what fills a
/// frame.
inline constexpr std::size_t kBatchItems = 512;

/// Files up to this size are read by packers; larger ones are streamed by the walk itself.
inline constexpr std::uint64_t kSmallFile = kFrameRaw;

}  // namespace rota::chain
