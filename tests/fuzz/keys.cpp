// The front of an encrypted run record: recipients and a wrapped key; and keys as people type them.
#include "chain/encryption.h"
#include "chain/key.h"
#include "fuzz/fuzz.h"

using namespace rota;

namespace {

/// Decodes a `T` and checks that it is written as it was read.
template <typename T>
void round_trip(std::span<const std::byte> data) {
  fuzz::accepted(
      [&] {
        base::ByteReader in(data);
        const T value = T::decode(in);
        base::Bytes written;
        base::ByteWriter out(written);
        value.encode(out);
        base::ByteReader again(written);
        fuzz::require(T::decode(again) == value, "the same after writing and reading");
        fuzz::require(again.at_end(), "what was written is read to its end");
      },
      {base::ErrorKind::corrupt});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto all = fuzz::Input(data, size).rest();
  round_trip<chain::Recipient>(all);
  round_trip<chain::Envelope>(all);
  fuzz::accepted(
      [&] {
        const chain::Lock lock = chain::read_lock(all);
        fuzz::require(
            !lock.recipients.empty() && lock.envelope.wrapped.size() == lock.recipients.size(),
            "who can open a run, and a key for each");
      },
      {base::ErrorKind::corrupt});
  const std::string_view text = base::as_text(all);
  fuzz::accepted(
      [&] {
        const std::string written = chain::Recipient::parse(text).text();
        fuzz::require(chain::Recipient::parse(written).text() == written, "a recipient's text");
      },
      {base::ErrorKind::config});
  fuzz::accepted(
      [&] {
        const std::string written = chain::SecretKey::parse(text).text();
        fuzz::require(chain::SecretKey::parse(written).text() == written, "a secret key's text");
      },
      {base::ErrorKind::config});
  return 0;
}
