#pragma once

#include <sys/stat.h>

#include <string>

#include "base/file.h"
#include "tree/entry.h"
#include "tree/source.h"

namespace rota::tree {

/// The content of an open file, holes found with SEEK_DATA and SEEK_HOLE, up to the size that it
/// had when it was opened.
class LocalContent final : public Content {
 public:
  /// path: for messages only.
  LocalContent(base::Fd fd, std::string path, const struct statx& st);

  std::optional<Segment> next_segment() override;
  std::size_t read(std::span<std::byte> buffer) override;
  bool unchanged() override;

 private:
  base::Fd fd_;
  std::string path_;
  std::uint64_t size_;
  Timestamp mtime_;
  Timestamp ctime_;
  bool sparse_;
  std::uint64_t position_ = 0;  ///< of the next byte to read
  std::uint64_t end_ = 0;       ///< of the current segment
};

/// True when the holes of this open file have more than `limit` bytes together. False where the
/// filesystem cannot say where they are: what it gives is read, then.
bool has_holes_over(int fd, const struct statx& st, std::uint64_t limit);

}  // namespace rota::tree
