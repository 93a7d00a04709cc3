#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "chain/key.h"
#include "chain/record.h"
#include "store/store.h"

namespace rota::chain {

/// What a rebuild needs to know of a machine (partitions, packages, network …), as the object
/// "f000000" of the run that found it changed.
base::Bytes facts_object(std::string_view text, int level);

/// The facts that hold for this run; empty where none were kept. One request. Throws Error(corrupt)
/// when they are damaged or missing, NoKeyError when nobody here can open them.
std::string read_facts(store::Store& store, const RunRecord& record, KeyRing* keys);

}  // namespace rota::chain
