#include "disk/read_back.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <new>

#include "base/error.h"
#include "base/pipeline.h"
#include "base/signals.h"
#include "base/text.h"
#include "disk/small_file.h"
#include "tree/beneath.h"
#include "tree/entry.h"
#include "tree/zeros.h"

namespace rota::disk {

namespace {

/// Direct I/O wants memory, offsets and lengths in whole blocks of the device; 4 KiB suits all.
constexpr std::size_t kAlignment = 4096;

/// A file's data and holes, in order, in pieces of at most a buffer.
///
/// data: gets what was read; hole: gets a length.
template <typename Read, typename Hole>
std::uint64_t for_each_piece(int fd, const std::string& shown, Read read, Hole hole) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) base::throw_os("cannot read", shown, errno);
  const auto size = static_cast<std::uint64_t>(st.st_size);
  const bool sparse = static_cast<std::uint64_t>(st.st_blocks) * 512 < size;
  std::uint64_t at = 0;
  std::uint64_t end = sparse ? 0 : size;  // of the data
  while (at < size) {
    if (at >= end) {
      const off_t data = ::lseek(fd, static_cast<off_t>(at), SEEK_DATA);
      if (data < 0 && errno != ENXIO) base::throw_os("cannot read", shown, errno);
      const std::uint64_t start = data < 0 ? size : static_cast<std::uint64_t>(data);
      hole(start - at);
      at = start;
      if (at >= size) break;
      const off_t next = ::lseek(fd, static_cast<off_t>(at), SEEK_HOLE);
      if (next < 0) base::throw_os("cannot read", shown, errno);
      end = std::min(static_cast<std::uint64_t>(next), size);
    }
    const std::uint64_t n = read(at);
    if (n == 0) break;  // it shrank under our eyes
    at += n;
  }
  return at;
}

}  // namespace

AlignedBuffer::AlignedBuffer(std::size_t size)
    : memory_(static_cast<std::byte*>(std::aligned_alloc(kAlignment, size))), size_(size) {
  if (!memory_) throw std::bad_alloc();
}

void AlignedBuffer::Free::operator()(std::byte* memory) const { std::free(memory); }

/// The directory of the file before: most files lie in it too.
struct ReadBack::Place {
  std::string path;
  base::Fd fd;
};

ReadBack::ReadBack(int tree, bool bypass_cache, CheckResult& result, base::Progress& progress,
                   std::stop_token stop)
    : tree_(tree),
      bypass_cache_(bypass_cache),
      result_(result),
      progress_(progress),
      stop_(std::move(stop)) {}

void ReadBack::run(const std::function<bool(Expected&)>& next) {
  base::Pipeline pipeline;
  pipeline.on_failure([this] { batches_.abandon(); });
  for (unsigned i = 0; i < kReaders; ++i) pipeline.add([this] { read_batches(); });
  pipeline.run([&] {
    Batch batch;
    std::uint64_t bytes = 0;
    Expected expected;
    while (next(expected)) {
      base::check_stop(stop_);
      bytes += expected.size;
      batch.push_back(std::move(expected));
      if (batch.size() < kBatchFiles && bytes < kBatchBytes) continue;
      if (!batches_.send(std::exchange(batch, {}))) break;
      bytes = 0;
    }
    if (!batch.empty()) batches_.send(std::move(batch));
    batches_.close();
  });
  pipeline.join();
}

void ReadBack::read_batches() {
  const AlignedBuffer buffer(kBuffer);
  Place place;
  while (const auto batch = batches_.receive()) {
    for (const Expected& expected : *batch) {
      base::check_stop(stop_);
      check(expected, place, buffer.bytes());
    }
  }
}

void ReadBack::check(const Expected& expected, Place& place, std::span<std::byte> buffer) {
  const std::string name(tree::base_name(expected.path));
  const std::string parent = expected.path.substr(
      0, expected.path.size() - std::min(expected.path.size(), name.size() + 1));
  if (!place.fd.valid() || place.path != parent) {
    place.fd = parent.empty() ? base::Fd(::openat(tree_, ".", O_PATH | O_DIRECTORY | O_CLOEXEC))
                              : tree::open_beneath(tree_, parent, O_PATH | O_DIRECTORY);
    place.path = parent;
  }
  try {
    const base::Fd fd = place.fd.valid() ? open(place.fd.get(), name) : base::Fd();
    if (!fd.valid()) {
      damaged(expected, "cannot be opened: " + base::os_reason(errno));
      return;
    }
    base::Sha256 hasher;
    const std::uint64_t size = expected.size >= kLarge
                                   ? hash_large(fd.get(), hasher, expected.path)
                                   : hash_content(fd.get(), hasher, buffer, expected.path);
    if (size != expected.size || hasher.finish() != expected.digest) {
      damaged(expected, "its content is not what was written");
    }
  } catch (const base::FileError& error) {
    damaged(expected, "cannot be read: " + base::os_reason(error.error_number()));
  }
  ++progress_.files;
  const std::lock_guard lock(mutex_);
  ++result_.files;
}

/// O_DIRECT where the filesystem has it; else the page cache is asked to forget the file.
base::Fd ReadBack::open(int directory, const std::string& name) {
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  base::Fd fd;
  if (bypass_cache_) fd = base::Fd(::openat(directory, name.c_str(), kFlags | O_DIRECT));
  if (!fd.valid() && (!bypass_cache_ || errno == EINVAL || errno == EOPNOTSUPP)) {
    fd = base::Fd(::openat(directory, name.c_str(), kFlags));
    if (fd.valid() && bypass_cache_) ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
    const std::lock_guard lock(mutex_);
    result_.direct = false;
  }
  struct stat st {};
  if (fd.valid() && (::fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode))) {
    fd.reset();
    errno = EINVAL;
  }
  return fd;
}

std::uint64_t ReadBack::hash_content(int fd, base::Sha256& hasher, std::span<std::byte> buffer,
                                     const std::string& shown) {
  return for_each_piece(
      fd, shown,
      [&](std::uint64_t at) {
        base::check_stop(stop_);
        const std::size_t n = base::read_at(fd, buffer, at, shown);
        hasher.update(buffer.first(n));
        progress_.bytes += n;
        const std::lock_guard lock(mutex_);
        result_.bytes += n;
        return n;
      },
      [&](std::uint64_t length) { tree::hash_zeros(hasher, length, stop_); });
}

/// One thread reads while this one hashes, so that the medium never waits.
std::uint64_t ReadBack::hash_large(int fd, base::Sha256& hasher, const std::string& shown) {
  struct Piece {
    std::optional<AlignedBuffer> buffer;  ///< none: a hole
    std::uint64_t length = 0;
  };
  const std::lock_guard one_at_a_time(large_);
  base::Channel<Piece> read{kAhead};
  base::Channel<AlignedBuffer> free{kAhead};
  for (std::size_t i = 0; i < kAhead; ++i) free.send(AlignedBuffer(kBuffer));
  std::uint64_t size = 0;
  base::Pipeline pipeline;
  pipeline.on_failure([&] {
    read.abandon();
    free.abandon();
  });
  pipeline.add([&] {
    size = for_each_piece(
        fd, shown,
        [&](std::uint64_t at) -> std::uint64_t {
          base::check_stop(stop_);
          auto buffer = free.receive();
          if (!buffer) return 0;
          const std::size_t n = base::read_at(fd, buffer->bytes(), at, shown);
          if (n > 0) read.send({std::move(buffer), n});
          return n;
        },
        [&](std::uint64_t length) {
          read.send({std::nullopt, length});
        });
    read.close();
  });
  pipeline.run([&] {
    while (auto piece = read.receive()) {
      if (!piece->buffer) {
        tree::hash_zeros(hasher, piece->length, stop_);
        continue;
      }
      hasher.update(piece->buffer->bytes().first(static_cast<std::size_t>(piece->length)));
      progress_.bytes += piece->length;
      free.send(std::move(*piece->buffer));
      const std::lock_guard lock(mutex_);
      result_.bytes += piece->length;
    }
  });
  pipeline.join();
  return size;
}

base::Sha256Digest ReadBack::hash(int directory, const std::string& name,
                                  const std::string& shown) {
  const base::Fd fd = open(directory, name);
  if (!fd.valid()) base::throw_os("cannot read", shown, errno);
  const AlignedBuffer buffer(kBuffer);
  base::Sha256 hasher;
  hash_content(fd.get(), hasher, buffer.bytes(), shown);
  return hasher.finish();
}

void ReadBack::damaged(const Expected& expected, const std::string& what) {
  const std::lock_guard lock(mutex_);
  ++result_.damaged;
  if (result_.damage.size() < CheckResult::kMostDamage) {
    result_.damage.push_back({expected.born, expected.path, what});
  }
}

}  // namespace rota::disk
