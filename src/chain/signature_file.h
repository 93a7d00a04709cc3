#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/hash.h"
#include "chain/signature.h"

namespace rota::chain {

/// Where a signature lies in the file of signatures, and a sum over it and what it is of.
struct SignaturePlace {
  std::uint64_t at = 0;
  std::uint64_t size = 0;  ///< 0: there is none
  std::int64_t sum = 0;
};

/// Signatures one after another in a file, whose freed stretches are given back to the disk. What
/// lies where is known to who uses it.
///
/// Reading is thread safe; the rest is for one thread.
class SignatureFile {
 public:
  /// Gives a stretch of a file back to the disk. False where the filesystem cannot.
  using Punch = std::function<bool(int file, std::uint64_t at, std::uint64_t size)>;
  static bool punch_hole(int file, std::uint64_t at, std::uint64_t size);

  /// Opens the file, or makes it.
  explicit SignatureFile(const std::string& path);

  /// Behind the last byte, what was not yet flushed included.
  std::uint64_t end() const { return end_; }
  /// On the disk, in bytes.
  std::uint64_t room() const;
  /// Bytes appended since begin_count().
  std::uint64_t appended() const { return appended_; }
  void begin_count() { appended_ = 0; }

  /// The sum that goes with a signature of this content: a row that was damaged, or a signature
  /// that is of another layout, must not pass: what is copied by it would be other bytes.
  SignaturePlace append(const base::Sha256Digest& content, std::uint64_t layout,
                        const base::Bytes& signature);
  /// The same from a file, from its start to its end.
  SignaturePlace append(const base::Sha256Digest& content, std::uint64_t layout,
                        const base::Fd& signature);
  /// Writes what is buffered; only then can it be read.
  void flush();

  /// Nothing when the sum is not that of these bytes, this content and this layout, or when they
  /// are more than a packer takes whole.
  std::optional<base::Bytes> read(const SignaturePlace& place, const base::Sha256Digest& content,
                                  std::uint64_t layout) const;
  /// The same for a large one, which is checked now and read where it lies.
  std::optional<SignatureBytes> reader(const SignaturePlace& place,
                                       const base::Sha256Digest& content,
                                       std::uint64_t layout) const;

  /// Gives back what lies between the places that `next` names, in the order of the file, until it
  /// says nothing. False where the filesystem cannot.
  bool give_back_gaps(const std::function<std::optional<SignaturePlace>()>& next,
                      const Punch& punch);
  /// Forgets all.
  void clear();

 private:
  void write(std::span<const std::byte> data);

  base::Fd file_;
  std::uint64_t end_ = 0;
  std::uint64_t appended_ = 0;
  base::Bytes buffered_;
};

}  // namespace rota::chain
