// A signature that the cache gives back, two bytes for its size in front, and the file's new bytes.
#include "chain/chunker.h"
#include "fuzz/script.h"

using namespace rota;

namespace {

/// Chunks are small, so that short inputs have some.
constexpr std::uint32_t kAverage = 64;

template <typename Action>
void cut(std::span<const std::byte> data, Action action) {
  chain::Chunker chunker(kAverage);
  base::Sha256 hasher;
  while (!data.empty()) {
    bool ends = false;
    const auto chunk = data.first(chunker.feed(data, ends));
    data = data.subspan(chunk.size());
    action(chain::chunk_hash(hasher, chunk), chunk);
  }
}

base::Bytes sign(std::span<const std::byte> data) {
  chain::SignatureWriter writer({16, kAverage});
  cut(data, [&](const chain::ChunkHash& hash, std::span<const std::byte> chunk) {
    writer.update(chunk);
    writer.end_chunk(hash);
  });
  return writer.finish();
}

void compare(const chain::OldSignature& old, std::span<const std::byte> data,
             chain::DeltaSink& sink) {
  chain::Matcher matcher(old, sink, {8, 256});
  cut(data, [&](const chain::ChunkHash& hash, std::span<const std::byte> chunk) {
    matcher.chunk(hash, chunk);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t length = input.number(2);
  const auto first = input.take(length);
  const auto second = input.rest();

  // As a signature: whatever it holds, the delta makes as many bytes as were given.
  std::uint64_t made = 0;
  bool opened = false;
  const bool good = fuzz::accepted(
      [&] {
        const auto old = chain::OldSignature::open(chain::signature_bytes(first));
        if (!old) return;
        opened = true;
        fuzz::Script script(old->packed_size());
        compare(*old, second, script);
        made = script.total;
      },
      {base::ErrorKind::corrupt});
  fuzz::require(!opened || !good || made == second.size(), "a delta makes the whole new file");

  // As the old file: the signature of it and the new file give the new file.
  const base::Bytes signature = sign(first);
  const auto old = chain::OldSignature::open(chain::signature_bytes(signature));
  fuzz::require(old && old->packed_size() == first.size(), "a signature is of all that was signed");
  fuzz::Script patch(first.size(), first);
  compare(*old, second, patch);
  fuzz::require(patch.made == fuzz::copy_of(second), "a delta of an honest signature is right");
  return 0;
}
