#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "tree/entry.h"

namespace rota::tree {

/// A stretch of a file: data, or a hole that reads as zeros and takes no room.
struct Segment {
  bool hole = false;
  std::uint64_t length = 0;
};

/// A regular file's content as a stream of segments. Used by one thread.
///
/// The data of all segments, without the holes, is called the file's *packed* bytes.
class Content {
 public:
  virtual ~Content() = default;

  /// The next segment, in order from offset 0. Nothing at the end. What the last data segment has
  /// left unread is skipped. Lengths are never 0.
  virtual std::optional<Segment> next_segment() = 0;

  /// Reads data of the current segment, as much as fits; less only where the segment ends. 0 when
  /// nothing is left of it (a file that shrank ends early).
  virtual std::size_t read(std::span<std::byte> buffer) = 0;

  /// After the last segment: false when the file changed while it was read.
  virtual bool unchanged() { return true; }
};

/// A tree as a sorted stream of entries with content on demand.
class Source {
 public:
  virtual ~Source() = default;

  /// The next entry in the order of compare_paths; the root ("") first. False at the end.
  /// A subtree that cannot be read is reported as a warning, its directory marked `unreadable`.
  virtual bool next(Entry& entry) = 0;

  /// False for a path of which this cannot tell whether it is there, because nobody could look (it
  /// was reported). To be asked between two calls of next(), of paths between the last two entries
  /// that it gave, or behind the last at the end. What is below an `unreadable` directory does not
  /// count among them.
  virtual bool can_tell(const std::string& path) const {
    static_cast<void>(path);
    return true;
  }

  /// Fills in xattrs and link target of an entry that is no regular file. False when it vanished
  /// or cannot be read (then it was reported, and entry.unreadable set). May be called from any
  /// thread.
  virtual bool complete(Entry& entry) = 0;

  /// Opens a regular file's content and refreshes `entry` from what was opened (size, times,
  /// xattrs). Null when it vanished (silently: it is simply gone) or cannot be read (reported, and
  /// entry.unreadable set). May be called from any thread; entries that next() gave.
  virtual std::unique_ptr<Content> open(Entry& entry) = 0;
};

}  // namespace rota::tree
