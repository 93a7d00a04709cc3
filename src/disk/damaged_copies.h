#pragma once

#include <string>
#include <vector>

#include "disk/check_result.h"
#include "disk/copies.h"

namespace rota::disk {

/// The sealed copies of a server that share what a check found damaged, oldest first: a file lies
/// in the copy that wrote it and in all that link to it.
///
/// Reads their indexes; a copy whose index cannot be read is one of them. When there was more
/// damage than the result could hold, so is each that has anything of a copy that it speaks of.
std::vector<CopyInfo> damaged_copies(int root, const std::string& server,
                                     const CheckResult& result);

}  // namespace rota::disk
