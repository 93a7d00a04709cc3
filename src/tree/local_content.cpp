#include "tree/local_content.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"

namespace rota::tree {

LocalContent::LocalContent(base::Fd fd, std::string path, const struct statx& st)
    : fd_(std::move(fd)),
      path_(std::move(path)),
      size_(st.stx_size),
      mtime_{st.stx_mtime.tv_sec, st.stx_mtime.tv_nsec},
      ctime_{st.stx_ctime.tv_sec, st.stx_ctime.tv_nsec},
      // Fewer blocks than bytes: a hole, or a filesystem that compresses; asking tells.
      sparse_(st.stx_blocks * 512 < st.stx_size) {}

std::optional<Segment> LocalContent::next_segment() {
  position_ = end_;
  if (position_ >= size_) return std::nullopt;
  if (!sparse_) {
    end_ = size_;
    return Segment{false, size_ - position_};
  }
  const off_t at = static_cast<off_t>(position_);
  const off_t data = ::lseek(fd_.get(), at, SEEK_DATA);
  if (data < 0 && errno != ENXIO) {  // the filesystem cannot say: all is data
    end_ = size_;
    return Segment{false, size_ - position_};
  }
  const std::uint64_t data_start =
      data < 0 ? size_ : std::min(static_cast<std::uint64_t>(data), size_);
  if (data_start > position_) {
    end_ = data_start;
    return Segment{true, end_ - position_};
  }
  const off_t hole = ::lseek(fd_.get(), at, SEEK_HOLE);
  end_ = hole <= at ? size_ : std::min(static_cast<std::uint64_t>(hole), size_);
  return Segment{false, end_ - position_};
}

std::size_t LocalContent::read(std::span<std::byte> buffer) {
  const std::uint64_t left = end_ - position_;
  buffer = buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left)));
  const std::size_t n = base::read_at(fd_.get(), buffer, position_, path_);
  position_ += n;
  return n;
}

bool LocalContent::unchanged() {
  struct statx st {};
  if (::statx(fd_.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) != 0) return false;
  return st.stx_size == size_ && Timestamp{st.stx_mtime.tv_sec, st.stx_mtime.tv_nsec} == mtime_ &&
         Timestamp{st.stx_ctime.tv_sec, st.stx_ctime.tv_nsec} == ctime_;
}

bool has_holes_over(int fd, const struct statx& st, std::uint64_t limit) {
  // Nearly every file ends here. The blocks alone do not say it: data may be packed in them.
  const std::uint64_t size = st.stx_size;
  const std::uint64_t allocated = st.stx_blocks * 512;
  if (size <= allocated || size - allocated <= limit) return false;
  std::uint64_t holes = 0;
  for (std::uint64_t at = 0; at < size && holes <= limit;) {
    const off_t data = ::lseek(fd, static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 && errno != ENXIO) return false;
    const std::uint64_t start = data < 0 ? size : std::min(static_cast<std::uint64_t>(data), size);
    holes += start - at;
    if (start >= size) break;
    const off_t hole = ::lseek(fd, static_cast<off_t>(start), SEEK_HOLE);
    if (hole <= static_cast<off_t>(start)) return false;
    at = static_cast<std::uint64_t>(hole);
  }
  return holes > limit;
}

}  // namespace rota::tree
