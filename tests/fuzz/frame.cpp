// An object: its header and one frame.
#include <algorithm>

#include "chain/frame.h"
#include "fuzz/fuzz.h"

using namespace rota;

namespace {
constexpr std::size_t kLimit = 1 << 20;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using base::ErrorKind;
  const std::span<const std::byte> all = fuzz::Input(data, size).rest();
  for (const auto type :
       {chain::ObjectType::volume, chain::ObjectType::index, chain::ObjectType::record}) {
    std::uint8_t flags = 0;
    const bool good = fuzz::accepted([&] { flags = chain::check_header(all, type); },
                                     {ErrorKind::corrupt, ErrorKind::config});
    const base::Bytes header = chain::object_header(type, flags);
    fuzz::require(!good || std::equal(header.begin(), header.end(), all.begin()),
                  "there is one header for each kind of object and its flags");
  }
  for (const auto packed : {all, all.subspan(std::min(size, chain::kHeaderSize))}) {
    base::Bytes raw;
    fuzz::accepted([&] { raw = chain::unpack(packed, kLimit); }, {ErrorKind::corrupt});
    fuzz::require(raw.size() <= kLimit, "a frame gives no more than its limit");
  }

  base::Bytes packed = chain::Compressor(1).pack(all);
  const base::Bytes raw = chain::unpack(packed, size);
  fuzz::require(std::ranges::equal(raw, all), "what is packed unpacks");
  // A flipped bit, which one the input says, is noticed or harmless.
  if (size < 2) return 0;
  const std::size_t bit = (data[0] << 8 | data[1]) % (packed.size() * 8);
  packed[bit / 8] ^= std::byte{1} << (bit % 8);
  base::Bytes other = raw;
  fuzz::accepted([&] { other = chain::unpack(packed, kLimit); }, {ErrorKind::corrupt});
  fuzz::require(other == raw, "no damage goes unnoticed");
  return 0;
}
