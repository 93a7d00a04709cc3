#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>

#include "base/bytes.h"

struct rs_job;
struct rs_signature;

namespace rota::chain {

/// Files with fewer packed bytes are stored whole when they change: a signature would cost more
/// than it saves.
inline constexpr std::uint64_t kMinSigned = 2048;
/// A signature's size at most: blocks grow beyond 512 bytes with the file to keep it.
inline constexpr std::uint64_t kMaxSignature = 64 << 20;

/// The librsync signature of a file's packed bytes: BLAKE2 strong sums of 16 bytes, RabinKarp
/// rolling sums (the format of `rdiff signature -R rabinkarp -S 16`).
class SignatureBuilder {
 public:
  /// size: about how many bytes will come; decides the block size.
  explicit SignatureBuilder(std::uint64_t size);
  void update(std::span<const std::byte> data);
  /// What was made so far and not taken yet, so that nobody need hold it whole.
  base::Bytes take() { return std::exchange(out_, {}); }
  /// The rest.
  base::Bytes finish();

 private:
  struct Free {
    void operator()(rs_job* job) const;
  };
  void iterate(std::span<const std::byte> data, bool end);
  std::unique_ptr<rs_job, Free> job_;
  base::Bytes out_;
};

/// What a delta consists of, in the order of the new file.
class DeltaSink {
 public:
  virtual ~DeltaSink() = default;
  /// The next `length` bytes are those at `offset` of the old packed bytes.
  virtual void copy(std::uint64_t offset, std::uint64_t length) = 0;
  /// The next bytes are new.
  virtual void literal(std::span<const std::byte> data) = 0;
};

/// Parses librsync's delta stream piece by piece as it comes (the format: librsync's command table,
/// prototab.h; magic "rs\x02\x36"). Throws Error(corrupt) for anything else.
class DeltaParser {
 public:
  /// old_size: packed bytes of the old file, which copies must not exceed.
  DeltaParser(std::uint64_t old_size, DeltaSink& sink) : old_size_(old_size), sink_(sink) {}
  void feed(std::span<const std::byte> data);
  /// Throws when the stream is not complete.
  void finish() const;

 private:
  bool command(std::span<const std::byte>& data);

  std::uint64_t old_size_;
  DeltaSink& sink_;
  base::Bytes partial_;  ///< a command that is not complete yet, 17 bytes at most
  std::uint64_t literal_left_ = 0;
  bool begun_ = false;
  bool ended_ = false;
};

/// Finds the parts of a new file that an old one had, by its signature. One thread; a signature
/// must not be shared (librsync counts in it).
///
/// Memory: 20 bytes a block and librsync's hash table, 8 bytes a block: 84 MB for the largest.
class Matcher {
 public:
  /// Gives the signature piece by piece, nothing at its end.
  using ReadSignature = std::function<base::Bytes()>;
  /// Throws Error(corrupt) when what is read is no signature.
  Matcher(const ReadSignature& read, std::uint64_t old_size, DeltaSink& sink);
  Matcher(std::span<const std::byte> signature, std::uint64_t old_size, DeltaSink& sink);
  ~Matcher();
  void update(std::span<const std::byte> data);
  void finish();

 private:
  struct FreeJob {
    void operator()(rs_job* job) const;
  };
  struct FreeSignature {
    void operator()(rs_signature* signature) const;
  };
  void iterate(std::span<const std::byte> data, bool end);
  DeltaParser parser_;
  base::Bytes out_;
  std::unique_ptr<rs_signature, FreeSignature> signature_;
  std::unique_ptr<rs_job, FreeJob> job_;
};

}  // namespace rota::chain
