// A name as a store lists it, and a path as a record holds it.
#include "chain/names.h"

#include "chain/record.h"
#include "fuzz/fuzz.h"

using namespace rota;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(base::as_text(fuzz::Input(data, size).rest()));
  if (const auto id = chain::parse_record_name(text)) {
    fuzz::require(chain::record_name(id->chain, id->run, id->kind) == text,
                  "a name that is understood is written the same");
    fuzz::require(chain::run_time(id->chain) && chain::run_time(id->run), "its runs have times");
  }
  if (const auto time = chain::run_time(text)) {
    fuzz::require(base::compact(*time) + text.substr(16) == text, "a run's time is in its name");
  }
  fuzz::require(chain::percent_decode(chain::percent_encode(text)) == text,
                "any path is the same after encoding and decoding");
  std::string path;
  if (fuzz::accepted([&] { path = chain::percent_decode(text); }, {base::ErrorKind::corrupt})) {
    fuzz::require(path.size() <= text.size(), "decoding makes nothing longer");
  }
  return 0;
}
