#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "base/time.h"
#include "disk/copies.h"

namespace rota::disk {

/// How many bytes come free, at the most, when these sealed copies of a server go: what the ones
/// that stay share with them is not counted. Never less than what comes free (holes count as if
/// they took room), but more by little: per entry what names, inodes and last blocks can take.
///
/// An inode lies in the copy that wrote it and, without a gap, in later ones. So a run of copies
/// that go frees what they wrote and the copy behind them no longer has; and, where no copy stays
/// before them, what the first has from copies that are long gone. That takes the indexes of at
/// most two copies a run. What cannot be read counts as much as is used.
std::uint64_t freeable(int root, const std::string& server, const std::set<base::Instant>& going);

}  // namespace rota::disk
