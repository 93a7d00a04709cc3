#pragma once

#include <cstdint>

#include "store/http.h"

namespace rota::store {

/// True when a 206 holds what was asked for: from `first` on `size` bytes, or up to the object's
/// end.
bool is_range(const HttpResponse& response, std::uint64_t first, std::size_t size);

}  // namespace rota::store
