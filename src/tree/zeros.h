#pragma once

#include <cstdint>
#include <stop_token>

#include "base/hash.h"

namespace rota::tree {

/// The zeros of a hole, for a hash: about a second for each GB. Throws Error(interrupted) when a
/// stop is requested meanwhile.
void hash_zeros(base::Sha256& hasher, std::uint64_t length, const std::stop_token& stop);

}  // namespace rota::tree
