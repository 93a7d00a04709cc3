// What a scanner types.
#include "ledger/disk_code.h"
#include "base/bytes.h"
#include "fuzz/fuzz.h"

using namespace rota;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(base::as_text(fuzz::Input(data, size).rest()));
  const auto code = ledger::parse_scan(text);
  if (!code) return 0;
  fuzz::require(!code->name.empty() && code->name.size() <= 7, "the name of a disk");
  fuzz::require(ledger::parse_scan(ledger::printed_id(code->name)).has_value(), "can be printed");
  fuzz::require(ledger::parse_scan(ledger::code_text(*code)) == code, "is the same again");
  return 0;
}
