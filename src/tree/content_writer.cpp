#include "tree/content_writer.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/signals.h"
#include "base/text.h"
#include "tree/noise.h"
#include "tree/zeros.h"

namespace rota::tree {

namespace {

/// What filesystems share is whole blocks.
constexpr std::uint64_t kBlock = 4096;

[[noreturn]] void fail_digest() {
  throw base::Error(base::ErrorKind::corrupt,
                    "what the store holds of it is not what was backed up");
}

class FileWriter {
 public:
  FileWriter(int fd, int clone_of, const std::string& shown, std::size_t buffer)
      : fd_(fd), clone_of_(clone_of), shown_(shown), before_(clone_of < 0 ? 0 : buffer) {}

  void data(std::span<const std::byte> data, std::uint64_t offset) {
    if (clone_of_ < 0) return write_at(data, offset);
    const auto before = std::span(before_).first(data.size());
    const std::size_t known = base::read_at(clone_of_, before, offset, shown_);
    for (std::size_t at = 0; at < data.size();) {
      const std::size_t end = block_end(offset, at, data.size());
      if (end <= known && std::equal(data.begin() + at, data.begin() + end, before.begin() + at)) {
        at = end;
        continue;
      }
      std::size_t until = end;
      while (until < data.size()) {
        const std::size_t next = block_end(offset, until, data.size());
        if (next <= known &&
            std::equal(data.begin() + until, data.begin() + next, before.begin() + until)) {
          break;
        }
        until = next;
      }
      write_at(data.subspan(at, until - at), offset + at);
      at = until;
    }
  }

  void hole(std::uint64_t offset, std::uint64_t length) {
    if (clone_of_ < 0) return;
    constexpr int kPunch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    if (::fallocate(fd_, kPunch, static_cast<off_t>(offset), static_cast<off_t>(length)) != 0) {
      base::throw_os("cannot write", base::printable(shown_), errno);
    }
  }

  /// size: of the whole; written: the end of the last data.
  void finish(std::uint64_t size, std::uint64_t written) {
    if (clone_of_ < 0 && size <= written) return;
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) {
      base::throw_os("cannot size", base::printable(shown_), errno);
    }
  }

 private:
  static std::size_t block_end(std::uint64_t offset, std::size_t at, std::size_t size) {
    const std::uint64_t end = (offset + at) / kBlock * kBlock + kBlock - offset;
    return static_cast<std::size_t>(std::min<std::uint64_t>(end, size));
  }

  void write_at(std::span<const std::byte> data, std::uint64_t offset) {
    while (!data.empty()) {
      const ssize_t n = ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(offset));
      if (n < 0) {
        if (errno == EINTR) continue;
        base::throw_os("cannot write", base::printable(shown_), errno);
      }
      data = data.subspan(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
  }

  int fd_;
  int clone_of_;
  const std::string& shown_;
  std::vector<std::byte> before_;
};

/// What the content is, hashed where somebody needs it.
class Measure {
 public:
  explicit Measure(bool hash) : hash_(hash) {}
  void data(std::span<const std::byte> data) {
    if (hash_) hasher_.update(data);
    noise_.add(data);
  }
  void zeros(std::uint64_t length, const std::stop_token& stop) {
    if (hash_) hash_zeros(hasher_, length, stop);
  }
  Written finish(std::uint64_t size) {
    Written written;
    if (hash_) written.digest = hasher_.finish();
    written.size = size;
    written.noise = noise_.is_noise();
    return written;
  }

 private:
  bool hash_;
  base::Sha256 hasher_;
  NoiseMeter noise_;
};

}  // namespace

Written write_content(int fd, Content& content, const Entry& entry, const std::string& shown,
                      std::span<std::byte> buffer, base::Progress& progress,
                      const std::stop_token& stop, const WriteNeeds& needs) {
  FileWriter file(fd, needs.clone_of, shown, buffer.size());
  Measure measure(needs.digest || entry.digest.has_value());
  std::uint64_t start = 0;    // of the segment
  std::uint64_t written = 0;  // the end of the last data
  std::uint64_t size = 0;     // the end of the last data or hole
  const auto zeros = [&](std::uint64_t from, std::uint64_t length) {
    if (length == 0) return;
    file.hole(from, length);
    measure.zeros(length, stop);
  };
  while (const auto segment = from_content([&] { return content.next_segment(); })) {
    // Before anything is hashed or written: a damaged index may promise any number of zeros.
    if (entry.digest && segment->length > entry.size - start) fail_digest();
    zeros(size, start - size);  // a file that shrank gave less of the segment before
    if (segment->hole) {
      zeros(start, segment->length);
      size = start + segment->length;
    } else {
      std::uint64_t at = start;
      while (const std::size_t n = from_content([&] { return content.read(buffer); })) {
        base::check_stop(stop);
        file.data(buffer.first(n), at);
        measure.data(buffer.first(n));
        at += n;
        progress.bytes += n;
      }
      size = written = at;
    }
    start += segment->length;
  }
  file.finish(size, written);
  const Written result = measure.finish(size);
  if (entry.digest && (size != entry.size || result.digest != entry.digest)) fail_digest();
  return result;
}

bool clone_file(int fd, int other) { return ::ioctl(fd, FICLONE, other) == 0; }

}  // namespace rota::tree
