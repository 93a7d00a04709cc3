#include "chain/trust_records.h"

#include <optional>

#include "base/error.h"
#include "base/hash.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

namespace {

/// The true record of a run; nothing when there is none that can be opened.
///
/// sha256: of its object, as the run behind it says.
std::optional<RunRecord> true_record(store::TimeTravelStore& past, const Catalog& catalog,
                                     const RunInfo& run,
                                     const std::optional<base::Sha256Digest>& sha256) {
  try {
    if (!sha256) return catalog.record(run);
    const auto object =
        past.choose(record_name(run.chain, run.run, run.kind), store::kMaxPut,
                    [&](const base::Bytes& content) { return base::sha256(content) == *sha256; });
    if (!object) return std::nullopt;
    return catalog.open_record(run, *object).record;
  } catch (const NoKeyError&) {
    return std::nullopt;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt && error.kind() != ErrorKind::not_found) throw;
    return std::nullopt;
  }
}

}  // namespace

void trust_records(store::TimeTravelStore& past, const Catalog& catalog, const ChainInfo& chain) {
  std::optional<base::Sha256Digest> sha256;
  std::string parent;  // whose record has it
  for (auto run_at = chain.runs.rbegin(); run_at != chain.runs.rend(); ++run_at) {
    const RunInfo& run = *run_at;
    if (run.run != parent) sha256.reset();  // a record between the two is missing
    const std::optional<RunRecord> record = true_record(past, catalog, run, sha256);
    sha256.reset();
    if (!record) continue;
    sha256 = record->parent_sha256;
    parent = record->parent;
    // Else copied here from another store: by size and SHA-256 then.
    const bool has_hashes = record->store_hash == past.hash_kind();
    for (const ObjectRow& row : record->objects) {
      past.expect(object_name(run.chain, run.run, static_cast<char>(row.type), row.number),
                  {has_hashes ? row.store_hash : "", row.size, row.sha256, ""});
    }
  }
}

}  // namespace rota::chain
