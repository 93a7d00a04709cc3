// The export of a ledger, as it lies on a disk: any bytes, and behind those the same rows with
// hashes that are right, so that what a row says is reached too.
#include "ledger/export.h"

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "fuzz/fuzz.h"
#include "ledger/ledger.h"

using namespace rota;

namespace {

/// The input with every hash corrected; empty when it is nothing of the kind.
std::string mended(std::string_view text) {
  auto file = nlohmann::json::parse(text, nullptr, false);
  if (!file.is_object() || !file.contains("rows") || !file["rows"].is_array()) return "";
  std::string previous(ledger::kNoHash);
  std::int64_t number = 0;
  for (auto& row : file["rows"]) {
    if (!row.is_object()) return "";
    ledger::HistoryRow fields;
    fields.number = ++number;
    fields.time = base::Instant(std::chrono::seconds(number));
    fields.kind = row.contains("kind") && row["kind"].is_string() ? row["kind"] : "disk";
    const bool committed = row.contains("commitment") && row["commitment"].is_string();
    row["number"] = number;
    if (row.contains("data")) {
      fields.data = row["data"].dump();
      row.erase("people");
      row.erase("people_sha256");
      row["time"] = number;
      row["kind"] = fields.kind;
      if (committed) fields.commitment = ledger::commitment_of(fields);
    } else if (committed) {
      fields.commitment = row["commitment"];
    }
    if (committed) row["commitment"] = fields.commitment;
    fields.hash = ledger::row_hash(previous, fields);
    row["hash"] = fields.hash;
    previous = fields.hash;
  }
  file["rota_ledger"] = 1;
  file["head"] = previous;
  return file.dump();
}

void read(std::string_view text) {
  ledger::Exported exported;
  std::string message;
  if (!fuzz::accepted([&] { exported = ledger::parse_export(text, "fuzz"); },
                      {base::ErrorKind::corrupt}, &message)) {
    fuzz::require(message.starts_with("the ledger on fuzz cannot be used: "), message);
    return;
  }
  fuzz::require(ledger::broken_link(exported.rows).empty(), "what was taken is whole");
  for (const ledger::HistoryRow& row : exported.rows) {
    fuzz::require(!ledger::sentence(row).empty(), "each row can be told");
    fuzz::require(!row.withheld() || (row.data == "{}" && row.people.empty()),
                  "what is withheld says nothing");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(base::as_text(fuzz::Input(data, size).rest()));
  read(text);
  if (const std::string good = mended(text); !good.empty()) read(good);
  return 0;
}
