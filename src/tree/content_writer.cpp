#include "tree/content_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/hash.h"
#include "base/signals.h"
#include "base/text.h"

namespace rota::tree {

namespace {

void write_at(int fd, std::span<const std::byte> data, std::uint64_t offset,
              const std::string& shown) {
  while (!data.empty()) {
    const ssize_t n = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      base::throw_os("cannot write", base::printable(shown), errno);
    }
    data = data.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void hash_zeros(base::Sha256& hasher, std::uint64_t length, std::span<std::byte> buffer) {
  std::fill(buffer.begin(), buffer.end(), std::byte{0});
  while (length > 0) {
    const std::uint64_t part = std::min<std::uint64_t>(length, buffer.size());
    hasher.update(buffer.first(static_cast<std::size_t>(part)));
    length -= part;
  }
}

[[noreturn]] void fail_digest() {
  throw base::Error(base::ErrorKind::corrupt,
                    "what the store holds of it is not what was backed up");
}

}  // namespace

void write_content(int fd, Content& content, const Entry& entry, const std::string& shown,
                   std::span<std::byte> buffer, base::Progress& progress,
                   const std::stop_token& stop) {
  base::Sha256 hasher;
  std::uint64_t start = 0;    // of the segment
  std::uint64_t written = 0;  // the end of the last data
  std::uint64_t size = 0;     // the end of the last data or hole
  while (const auto segment = content.next_segment()) {
    // Before anything is hashed or written: a damaged index may promise any number of zeros.
    if (entry.digest && segment->length > entry.size - start) fail_digest();
    if (segment->hole) {
      if (entry.digest) hash_zeros(hasher, segment->length, buffer);
      size = start + segment->length;
    } else {
      std::uint64_t at = start;
      while (const std::size_t n = content.read(buffer)) {
        base::check_stop(stop);
        write_at(fd, buffer.first(n), at, shown);
        if (entry.digest) hasher.update(buffer.first(n));
        at += n;
        progress.bytes += n;
      }
      size = written = at;
    }
    start += segment->length;  // also where a file that shrank gave less
  }
  if (size > written && ::ftruncate(fd, static_cast<off_t>(size)) != 0) {
    base::throw_os("cannot size", base::printable(shown), errno);
  }
  if (entry.digest && (size != entry.size || hasher.finish() != *entry.digest)) fail_digest();
}

}  // namespace rota::tree
