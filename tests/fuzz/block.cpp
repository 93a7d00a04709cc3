// Two blocks of an index, unpacked, the second behind the first: the first two bytes say where.
#include <algorithm>

#include "chain/index_samples.h"
#include "fuzz/fuzz.h"

using namespace rota;

namespace {

using Records = std::vector<chain::IndexRecord>;

/// Reads blocks as a reader of a piece does: a file's extents may go on in the next block. What
/// was read before an error stays in `records`, but not a file whose extents break off.
void read(const std::vector<base::Bytes>& blocks, Records& records) {
  chain::IndexRecord open;
  bool more = false;
  for (const base::Bytes& block : blocks) {
    chain::BlockDecoder in(block);
    while (more && in.continue_extents(open, more)) {
    }
    if (more) continue;
    if (open.extents) records.push_back(std::exchange(open, {}));
    chain::IndexRecord record;
    while (in.next(record, more)) {
      while (more && in.continue_extents(record, more)) {
      }
      if (more) break;
      records.push_back(record);
    }
    if (more) open = record;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t first = input.number(2);
  std::vector<base::Bytes> blocks{fuzz::copy_of(input.take(first))};
  blocks.push_back(fuzz::copy_of(input.rest()));
  Records records;
  fuzz::accepted([&] { read(blocks, records); }, {base::ErrorKind::corrupt});

  // What was read can be written, and reads the same.
  chain::BlockEncoder out;
  std::vector<base::Bytes> written;
  const auto close = [&] { written.push_back(out.take()); };
  for (const chain::IndexRecord& record : records) {
    out.add(
        record, [](chain::Extent extent) { return extent; }, close);
    if (out.size() >= chain::kBlockRaw) close();
  }
  close();
  Records again;
  read(written, again);
  fuzz::require(again.size() == records.size(), "as many records after writing and reading");
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::string difference = test::difference(records[i], again[i]);
    fuzz::require(difference.empty(), "a record is the same after writing: " + difference);
  }
  return 0;
}
