#pragma once

#include "chain/catalog.h"
#include "store/time_travel.h"

namespace rota::chain {

/// Has the records of a chain say which version of each of its objects is the true one: they name
/// every object with the store's own hash, and their parent's record with its SHA-256. So what was
/// overwritten before the instant of `past`, and not noticed, is still found; the record of the
/// chain's newest run alone is taken as it was then.
///
/// catalog: of `past`. Of records that cannot be opened here, or of which no true version is left,
/// the objects are taken as they were at the instant; reading them tells of what is wrong.
///
/// One request a run, records one at a time. Memory: 300 bytes (TimeTravelStore::expect) for each
/// object, 16 MiB mostly: 19 MB for a chain of 1 TB.
void trust_records(store::TimeTravelStore& past, const Catalog& catalog, const ChainInfo& chain);

}  // namespace rota::chain
