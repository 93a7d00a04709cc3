#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/channel.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/progress.h"
#include "disk/check_result.h"

namespace rota::disk {

/// A file as it should be.
struct Expected {
  std::string path;  ///< below the tree
  std::uint64_t size = 0;
  base::Sha256Digest digest{};
  std::int64_t born = 0;
};

/// Memory that direct I/O takes.
class AlignedBuffer {
 public:
  explicit AlignedBuffer(std::size_t size);
  std::span<std::byte> bytes() const { return {memory_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t size_;
};

/// Reads files from the medium, past the page cache, and compares their hashes.
///
/// kReaders threads take small files in batches, so that the medium always has several requests
/// (three reach half of what eight do on a fast medium, and there is no read-ahead to help). A
/// large one is read by one of them alone, ahead of its hashing by kAhead buffers, while the others
/// wait with theirs: two streams would make a disk seek between them.
///
/// Memory: kReaders × kBuffer + kAhead × kBuffer + 2 × kReaders batches: 13 MiB.
class ReadBack {
 public:
  static constexpr unsigned kReaders = 8;
  static constexpr std::size_t kBuffer = 1 << 20;
  static constexpr std::size_t kAhead = 4;
  static constexpr std::uint64_t kLarge = 4 << 20;
  static constexpr std::size_t kBatchFiles = 32;
  static constexpr std::uint64_t kBatchBytes = 4 << 20;

  /// tree: open; stays the caller's. result: gets files, bytes and damage.
  ReadBack(int tree, bool bypass_cache, CheckResult& result, base::Progress& progress,
           std::stop_token stop);

  /// Reads what `next` gives until it gives no more. `next` is called on this thread.
  void run(const std::function<bool(Expected&)>& next);

  /// The hash of one file, read the same way, on this thread. Throws FileError.
  base::Sha256Digest hash(int directory, const std::string& name, const std::string& shown);

 private:
  using Batch = std::vector<Expected>;
  struct Place;

  void read_batches();
  void check(const Expected& expected, Place& place, std::span<std::byte> buffer);
  base::Fd open(int directory, const std::string& name);
  std::uint64_t hash_content(int fd, base::Sha256& hasher, std::span<std::byte> buffer,
                             const std::string& shown);
  std::uint64_t hash_large(int fd, base::Sha256& hasher, const std::string& shown);
  void damaged(const Expected& expected, const std::string& what);

  int tree_;
  bool bypass_cache_;
  CheckResult& result_;
  base::Progress& progress_;
  std::stop_token stop_;
  base::Channel<Batch> batches_{kReaders};
  std::mutex mutex_;  ///< of result_
  std::mutex large_;  ///< held by who reads a large file
};

}  // namespace rota::disk
