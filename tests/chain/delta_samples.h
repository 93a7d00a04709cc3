#pragma once

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <stop_token>

#include "base/channel.h"
#include "chain/chance.h"
#include "chain/delta.h"
#include "chain/digest_thread.h"

namespace rota::test {

/// Applies a delta to the old bytes.
class Patcher final : public chain::DeltaSink {
 public:
  explicit Patcher(const base::Bytes& old) : old_(old) {}
  void copy(std::uint64_t offset, std::uint64_t length) override {
    REQUIRE(length > 0);
    REQUIRE(offset <= old_.size());
    REQUIRE(length <= old_.size() - offset);
    const auto from = old_.begin() + static_cast<std::ptrdiff_t>(offset);
    result.insert(result.end(), from, from + static_cast<std::ptrdiff_t>(length));
    copied += length;
  }
  void literal(std::span<const std::byte> data) override {
    result.insert(result.end(), data.begin(), data.end());
  }
  base::Bytes result;
  std::uint64_t copied = 0;

 private:
  const base::Bytes& old_;
};

/// Bytes as a file's content, with holes of random sizes at random places, in random segments.
class SampleContent final : public tree::Content {
 public:
  SampleContent(Chance& chance, std::span<const std::byte> data, bool holes = false)
      : chance_(chance), data_(data), holes_(holes) {}
  std::optional<tree::Segment> next_segment() override {
    data_ = data_.subspan(static_cast<std::size_t>(left_));
    left_ = 0;
    if (holes_ && chance_.one_in(2)) {
      const tree::Segment hole{true, chance_.between(1, 10'000)};
      hasher_.update(base::Bytes(hole.length));
      size += hole.length;
      return hole;
    }
    if (data_.empty()) return std::nullopt;
    left_ = std::min<std::uint64_t>(data_.size(),
                                    chance_.between(1, chance_.one_in(2) ? 5000 : 3'000'000));
    return tree::Segment{false, left_};
  }
  std::size_t read(std::span<std::byte> buffer) override {
    std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, buffer.size()));
    std::ranges::copy(data_.first(n), buffer.begin());
    hasher_.update(data_.first(n));
    data_ = data_.subspan(n);
    left_ -= n;
    size += n;
    return n;
  }
  base::Sha256Digest digest() { return hasher_.finish(); }
  std::uint64_t size = 0;  ///< with its holes

 private:
  Chance& chance_;
  std::span<const std::byte> data_;
  bool holes_;
  std::uint64_t left_ = 0;
  base::Sha256 hasher_;
};

struct Written {
  chain::DigestThread::Result result;
  base::Bytes signature;
};

/// Reads, compares (matcher: null for none) and signs a content, as a run does with a large file.
inline Written write(tree::Content& content, chain::SignatureShape shape,
                     const chain::OldSignature* old = nullptr, chain::Matcher* matcher = nullptr) {
  base::Channel<chain::StretchPtr> unused(chain::kStretches);
  for (std::size_t i = 0; i < chain::kStretches; ++i) {
    unused.send(std::make_unique<chain::Stretch>());
  }
  chain::DigestThread digest(shape, old, unused, std::stop_token());
  chain::StretchReader reader(content, shape.average);
  for (bool more = true; more;) {
    auto stretch = unused.receive();
    REQUIRE(stretch);
    more = reader.fill(**stretch, std::stop_token());
    if (matcher != nullptr) matcher->compare(**stretch);
    digest.send(std::move(*stretch));
  }
  Written written{digest.finish(), {}};
  const int file = written.result.signature.get();
  written.signature.resize(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)));
  base::read_at(file, written.signature, 0, "signature");
  return written;
}

inline base::Bytes sign(Chance& chance, const base::Bytes& data, chain::SignatureShape shape) {
  SampleContent content(chance, data);
  return write(content, shape).signature;
}

/// The signature must outlive what is returned.
inline chain::OldSignature opened(std::span<const std::byte> signature) {
  auto old = chain::OldSignature::open(chain::signature_bytes(signature));
  REQUIRE(old);
  return std::move(*old);
}

/// With some stretches of up to `most` bytes inserted, deleted, changed, moved or doubled.
inline base::Bytes edited(Chance& chance, base::Bytes data, std::uint64_t most = 2000) {
  for (std::uint64_t n = chance.below(6); n > 0; --n) {
    const auto at = data.begin() + static_cast<std::ptrdiff_t>(chance.below(data.size() + 1));
    const auto left = static_cast<std::uint64_t>(data.end() - at);
    const auto end = at + static_cast<std::ptrdiff_t>(chance.below(std::min(left, most) + 1));
    base::Bytes part(at, end);
    switch (chance.below(5)) {
      case 0:
        part = chance.bytes(chance.below(most));
        data.insert(at, part.begin(), part.end());
        break;
      case 1:
        data.erase(at, end);
        break;
      case 2:
        part = chance.bytes(part.size());
        std::ranges::copy(part, at);
        break;
      default:
        if (chance.one_in(2)) data.erase(at, end);
        data.insert(data.begin() + static_cast<std::ptrdiff_t>(chance.below(data.size() + 1)),
                    part.begin(), part.end());
    }
  }
  return data;
}

}  // namespace rota::test
