#include "chain/digest_thread.h"

#include <algorithm>
#include <array>

namespace rota::chain {

namespace {
/// The signature is written on when so much of it is there.
constexpr std::uint64_t kWriteEvery = 16 << 20;  // bytes of content: 640 kB of signature
}  // namespace

DigestThread::DigestThread(std::uint64_t size) : builder_(size) {
  result_.signature = base::open_temporary();
  pipeline_.on_failure([this] { pieces_.abandon(); });
  pipeline_.add([this] { work(); });
}

DigestThread::~DigestThread() { pieces_.abandon(); }

void DigestThread::work() {
  base::Sha256 hasher;
  std::uint64_t unwritten = 0;
  const auto write = [&](const base::Bytes& part) {
    base::real_files().write_all(result_.signature.get(), part, "a temporary file");
    unwritten = 0;
  };
  while (const auto item = pieces_.receive()) {
    if (!item->data) {
      hash_zeros(hasher, item->hole);
      continue;
    }
    hasher.update(*item->data);
    builder_.update(*item->data);
    unwritten += item->data->size();
    if (unwritten >= kWriteEvery) write(builder_.take());
  }
  write(builder_.finish());
  result_.digest = hasher.finish();
}

DigestThread::Result DigestThread::finish() {
  pieces_.close();
  pipeline_.join();
  return std::move(result_);
}

void hash_zeros(base::Sha256& hasher, std::uint64_t length) {
  static constexpr std::array<std::byte, 65'536> kZeros{};
  while (length > 0) {
    const auto part = std::min<std::uint64_t>(length, kZeros.size());
    hasher.update(std::span(kZeros).first(static_cast<std::size_t>(part)));
    length -= part;
  }
}

}  // namespace rota::chain
