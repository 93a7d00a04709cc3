#include "chain/system_facts.h"

#include <fmt/core.h>

#include "base/error.h"
#include "chain/clear_store.h"
#include "chain/frame.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

namespace {
/// Lists of packages are the largest part: 100 bytes for each of some thousands.
constexpr std::size_t kMaxFacts = 32 << 20;
}  // namespace

base::Bytes facts_object(std::string_view text, int level) {
  base::Bytes object = object_header(ObjectType::facts);
  const base::Bytes packed = Compressor(level).pack(base::as_bytes(text));
  object.insert(object.end(), packed.begin(), packed.end());
  return object;
}

std::string read_facts(store::Store& store, const RunRecord& record, KeyRing* keys) {
  if (!record.facts) return "";
  const std::string name = object_name(record.chain, record.runs.at(record.facts->run), 'f', 0);
  try {
    const base::Bytes object = ClearStore(store, record, keys).get(name, store::kMaxObject);
    if (check_header(object, ObjectType::facts) != 0) {
      throw Error(ErrorKind::corrupt, "it says that it is encrypted, and its run is not");
    }
    const base::Bytes text = unpack(std::span(object).subspan(kHeaderSize), kMaxFacts);
    if (base::sha256(text) != record.facts->sha256) {
      throw Error(ErrorKind::corrupt, "it is not what the run's record says");
    }
    return std::string(base::as_text(text));
  } catch (const NoKeyError&) {
    throw;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt && error.kind() != ErrorKind::not_found) throw;
    throw Error(ErrorKind::corrupt, fmt::format("the system facts of run {} cannot be read: {}: {}",
                                                record.run, name, error.what()));
  }
}

}  // namespace rota::chain
