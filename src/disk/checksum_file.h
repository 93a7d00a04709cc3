#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/file.h"
#include "base/hash.h"

namespace rota::disk {

/// A name as sha256sum writes it: backslash, newline and carriage return as \\, \n and \r.
std::string escape_name(std::string_view name);
/// The reverse; other backslashes stand for themselves.
std::string unescape_name(std::string_view text);

/// Writes SHA256SUMS, as `sha256sum` would in tree/ and `sha256sum -c` reads it there: GNU
/// coreutils, digest.c: a line whose name is escaped begins with a backslash.
class ChecksumFile {
 public:
  /// Longer paths no program can open whole; they are left out, and counted.
  static constexpr std::size_t kMaxPath = 4000;

  ChecksumFile(base::Fd file, std::string shown);
  void add(const std::string& path, const base::Sha256Digest& digest);
  /// Makes it durable. Returns the hash of the whole file.
  base::Sha256Digest finish();
  std::uint64_t left_out() const { return left_out_; }

 private:
  void flush();

  base::Fd file_;
  std::string shown_;
  std::string buffer_;
  base::Sha256 hasher_;
  std::uint64_t left_out_ = 0;
};

}  // namespace rota::disk
