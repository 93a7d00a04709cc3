// The small texts beside copies on a disk: COPY.json, scrub.json, names. The first byte chooses.
#include "disk/checksum_file.h"
#include "disk/copy_names.h"
#include "disk/copy_record.h"
#include "disk/scrub.h"
#include "fuzz/fuzz.h"

using namespace rota;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using base::ErrorKind;
  fuzz::Input input(data, size);
  const auto which = input.number(1) % 3;
  const std::string text(base::as_text(input.rest()));
  if (which == 0) {
    disk::CopyRecord record;
    if (!fuzz::accepted([&] { record = disk::parse_copy_record(text); },
                        {ErrorKind::corrupt, ErrorKind::config})) {
      return 0;
    }
    const std::string first = disk::to_json(record);
    fuzz::require(disk::to_json(disk::parse_copy_record(first)) == first,
                  "a record is the same after writing and reading");
  } else if (which == 1) {
    disk::ScrubState state;
    if (!fuzz::accepted([&] { state = disk::parse_scrub_state(text); }, {ErrorKind::corrupt})) {
      return 0;
    }
    const std::string first = disk::to_json(state);
    fuzz::require(disk::to_json(disk::parse_scrub_state(first)) == first,
                  "a state is the same after writing and reading");
  } else {
    fuzz::require(disk::unescape_name(disk::escape_name(text)) == text,
                  "any name is the same after escaping and back");
    if (const auto name = disk::parse_copy_directory(text)) {
      fuzz::require(disk::copy_directory(name->time, name->state) == text,
                    "a name that is understood is written the same");
    }
  }
  return 0;
}
