// A signature that the cache gives back, two bytes for its size in front, and the file's new bytes.
#include "fuzz/script.h"

using namespace rota;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t length = input.number(2);
  const auto first = input.take(length);
  const auto second = input.rest();

  // As a signature: whatever it holds, the delta makes as many bytes as were given.
  fuzz::Script script(1 << 30);
  const bool good = fuzz::accepted(
      [&] {
        chain::Matcher matcher(first, 1 << 30, script);
        matcher.update(second);
        matcher.finish();
      },
      {base::ErrorKind::corrupt});
  fuzz::require(!good || script.total == second.size(), "a delta makes the whole new file");

  // As the old file: the signature of it and the new file give the new file.
  chain::SignatureBuilder builder(first.size());
  builder.update(first);
  const base::Bytes signature = builder.finish();
  fuzz::Script patch(first.size(), first);
  chain::Matcher matcher(signature, first.size(), patch);
  matcher.update(second);
  matcher.finish();
  fuzz::require(patch.made == fuzz::copy_of(second), "a delta of an honest signature is right");
  return 0;
}
