// The lines of a run record. They are packed here: mutated zstd frames would never be opened.
#include "chain/record.h"
#include "fuzz/fuzz.h"

using namespace rota;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using base::ErrorKind;
  fuzz::Input input(data, size);
  base::Bytes object = chain::object_header(chain::ObjectType::record);
  const base::Bytes packed = chain::Compressor(1).pack(input.rest());
  object.insert(object.end(), packed.begin(), packed.end());

  chain::RunRecord record;
  const bool good = fuzz::accepted([&] { record = chain::decode_record(object); },
                                   {ErrorKind::corrupt, ErrorKind::config});
  if (!good) return 0;
  // What was accepted can be written, and is then the same.
  const base::Bytes first = chain::encode(record);
  const chain::RunRecord again = chain::decode_record(first);
  fuzz::require(chain::encode(again) == first, "a record is the same after writing and reading");
  fuzz::require(again.source == record.source && again.runs == record.runs &&
                    again.objects.size() == record.objects.size() &&
                    again.pieces.size() == record.pieces.size(),
                "a record loses nothing");
  for (const chain::Piece& piece : record.pieces) {
    for (const chain::BlockRow& block : piece.blocks) {
      const chain::ObjectRow& in = piece.objects.at(block.object);
      fuzz::require(std::uint64_t{block.position} + block.size <= in.size, "blocks lie in objects");
    }
  }
  return 0;
}
