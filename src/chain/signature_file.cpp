#include "chain/signature_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace rota::chain {

namespace {

/// Signatures are read and written in pieces of this size.
constexpr std::size_t kPiece = 256 << 10;

/// Of a file that a packer takes whole.
constexpr std::uint64_t kMaxSmallSignature = 1 << 20;

/// Filesystems give back whole blocks only.
constexpr std::uint64_t kMinHole = 4096;

/// signature: all of it was hashed.
std::int64_t sum_of(base::Sha256& signature, const base::Sha256Digest& content,
                    std::uint64_t layout) {
  base::Bytes of(content.begin(), content.end());
  base::ByteWriter(of).u64(layout);
  signature.update(of);
  const base::Sha256Digest digest = signature.finish();
  std::int64_t sum = 0;
  std::memcpy(&sum, digest.data(), sizeof sum);
  return sum;
}

bool holds_data(int file, std::uint64_t at, std::uint64_t end) {
  const off_t data = ::lseek(file, static_cast<off_t>(at), SEEK_DATA);
  return data >= 0 && static_cast<std::uint64_t>(data) < end;
}

}  // namespace

bool SignatureFile::punch_hole(int file, std::uint64_t at, std::uint64_t size) {
  return ::fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(at),
                     static_cast<off_t>(size)) == 0 ||
         (errno != EOPNOTSUPP && errno != ENOSYS);
}

SignatureFile::SignatureFile(const std::string& path)
    : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
  if (!file_.valid()) base::throw_os("cannot open", path, errno);
  end_ = static_cast<std::uint64_t>(std::max<off_t>(::lseek(file_.get(), 0, SEEK_END), 0));
}

std::uint64_t SignatureFile::room() const {
  struct stat st {};
  return ::fstat(file_.get(), &st) == 0 ? static_cast<std::uint64_t>(st.st_blocks) * 512 : 0;
}

void SignatureFile::write(std::span<const std::byte> data) {
  buffered_.insert(buffered_.end(), data.begin(), data.end());
  end_ += data.size();
  appended_ += data.size();
  if (buffered_.size() >= kPiece) flush();
}

void SignatureFile::flush() {
  base::real_files().write_all(file_.get(), buffered_, "signatures");
  buffered_.clear();
}

SignaturePlace SignatureFile::append(const base::Sha256Digest& content, std::uint64_t layout,
                                     const base::Bytes& signature) {
  base::Sha256 hasher;
  hasher.update(signature);
  const SignaturePlace place{end_, signature.size(), sum_of(hasher, content, layout)};
  write(signature);
  return place;
}

SignaturePlace SignatureFile::append(const base::Sha256Digest& content, std::uint64_t layout,
                                     const base::Fd& signature) {
  SignaturePlace place{end_, 0, 0};
  base::Sha256 hasher;
  base::Bytes piece(kPiece);
  while (const std::size_t n =
             base::read_at(signature.get(), piece, place.size, "a temporary file")) {
    const auto part = std::span<const std::byte>(piece).first(n);
    hasher.update(part);
    write(part);
    place.size += n;
  }
  place.sum = sum_of(hasher, content, layout);
  return place;
}

std::optional<base::Bytes> SignatureFile::read(const SignaturePlace& place,
                                               const base::Sha256Digest& content,
                                               std::uint64_t layout) const {
  if (place.size == 0 || place.size > kMaxSmallSignature) return std::nullopt;
  base::Bytes bytes(static_cast<std::size_t>(place.size));
  if (base::read_at(file_.get(), bytes, place.at, "signatures") != bytes.size()) {
    return std::nullopt;
  }
  base::Sha256 hasher;
  hasher.update(bytes);
  if (sum_of(hasher, content, layout) != place.sum) return std::nullopt;
  return bytes;
}

std::optional<SignatureBytes> SignatureFile::reader(const SignaturePlace& place,
                                                    const base::Sha256Digest& content,
                                                    std::uint64_t layout) const {
  if (place.size == 0) return std::nullopt;
  base::Sha256 hasher;
  base::Bytes piece(kPiece);
  for (std::uint64_t left = place.size; left > 0; left -= piece.size()) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, left)));
    const std::uint64_t at = place.at + place.size - left;
    if (base::read_at(file_.get(), piece, at, "signatures") != piece.size()) return std::nullopt;
    hasher.update(piece);
  }
  if (sum_of(hasher, content, layout) != place.sum) return std::nullopt;
  return SignatureBytes{
      place.size, [this, place](std::uint64_t at, std::span<std::byte> out) {
        if (at > place.size || out.size() > place.size - at ||
            base::read_at(file_.get(), out, place.at + at, "signatures") != out.size()) {
          throw base::Error(base::ErrorKind::corrupt, "a signature in the cache was cut short");
        }
      }};
}

bool SignatureFile::give_back_gaps(const std::function<std::optional<SignaturePlace>()>& next,
                                   const Punch& punch) {
  bool can = true;
  std::uint64_t used_to = 0;  // of what is in use so far
  const auto give_back = [&](std::uint64_t to) {
    if (!can || to < used_to + kMinHole || !holds_data(file_.get(), used_to, to)) return;
    can = punch(file_.get(), used_to, to - used_to);
  };
  while (const auto place = next()) {
    give_back(std::min(place->at, end_));
    used_to = std::max(used_to, place->at + place->size);
  }
  give_back(end_);
  return can;
}

void SignatureFile::clear() {
  if (::ftruncate(file_.get(), 0) == 0) end_ = 0;
}

}  // namespace rota::chain
