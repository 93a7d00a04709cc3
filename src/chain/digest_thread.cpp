#include "chain/digest_thread.h"

#include "tree/zeros.h"

namespace rota::chain {

namespace {
/// The signature is written on when so much of it is there.
constexpr std::size_t kWriteEvery = 256 << 10;
}  // namespace

DigestThread::DigestThread(SignatureShape shape, const OldSignature* old,
                           base::Channel<StretchPtr>& done, std::stop_token stop)
    : old_(old), done_(done), stretches_(kStretches), stop_(std::move(stop)), writer_(shape) {
  result_.signature = base::open_temporary();
  pipeline_.on_failure([this] {
    stretches_.abandon();
    done_.abandon();
  });
  pipeline_.add([this] { work(); });
}

DigestThread::~DigestThread() { stretches_.abandon(); }

void DigestThread::work() {
  base::Bytes unwritten;
  const auto write = [&](const base::Bytes& part, std::size_t least) {
    unwritten.insert(unwritten.end(), part.begin(), part.end());
    if (unwritten.size() < least) return;
    base::real_files().write_all(result_.signature.get(), unwritten, "a temporary file");
    unwritten.clear();
  };
  while (auto stretch = stretches_.receive()) {
    hash(**stretch);
    sign(**stretch);
    done_.send(std::move(*stretch));
    write(writer_.take(), kWriteEvery);
  }
  write(writer_.finish(), 0);
  result_.digest = hasher_.finish();
  result_.signed_bytes = writer_.signed_bytes();
}

void DigestThread::hash(const Stretch& stretch) {
  auto data = stretch.bytes.data().subspan(stretch.carried);
  for (const tree::Segment& segment : stretch.segments) {
    if (segment.hole) {
      tree::hash_zeros(hasher_, segment.length, stop_);
    } else {
      hasher_.update(data.first(static_cast<std::size_t>(segment.length)));
      data = data.subspan(static_cast<std::size_t>(segment.length));
    }
  }
}

void DigestThread::sign(const Stretch& stretch) {
  std::uint32_t count = 0;  // of chunks in one stretch of the old signature
  for (std::size_t i = 0; i < stretch.chunks.size(); ++i) {
    const Stretch::Chunk& chunk = stretch.chunks[i];
    if (!chunk.old || old_->shape().block != writer_.shape().block) {
      writer_.update(stretch.data(chunk));
      if (chunk.ends) writer_.end_chunk(chunk.hash);
      continue;
    }
    ++count;
    const bool goes_on =
        i + 1 < stretch.chunks.size() && stretch.chunks[i + 1].old == *chunk.old + 1;
    if (goes_on) continue;
    writer_.copy(*old_, *chunk.old + 1 - count, count);
    count = 0;
  }
}

DigestThread::Result DigestThread::finish() {
  stretches_.close();
  pipeline_.join();
  return std::move(result_);
}

}  // namespace rota::chain
