// A delta of librsync: one byte for the size of the pieces it comes in, four for the old size.
#include <algorithm>

#include "fuzz/script.h"

using namespace rota;

namespace {

bool parse(std::span<const std::byte> delta, std::size_t piece, fuzz::Script& script,
           std::uint64_t old_size) {
  return fuzz::accepted(
      [&] {
        chain::DeltaParser parser(old_size, script);
        while (!delta.empty()) {
          const auto part = delta.first(std::min(piece, delta.size()));
          delta = delta.subspan(part.size());
          parser.feed(part);
        }
        parser.finish();
      },
      {base::ErrorKind::corrupt});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t piece = 1 + input.number(1);
  const std::uint64_t old_size = input.number(4);
  const auto delta = input.rest();
  fuzz::Script whole(old_size);
  fuzz::Script parts(old_size);
  const bool good = parse(delta, delta.size() + 1, whole, old_size);
  fuzz::require(parse(delta, piece, parts, old_size) == good,
                "a delta is accepted in pieces as it is in one");
  fuzz::require(whole.made == parts.made && whole.steps == parts.steps,
                "a delta says the same in pieces as in one");
  return 0;
}
