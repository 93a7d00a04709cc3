#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chain/chain_fixture.h"

namespace rota::test {

/// More than what packers take.
inline constexpr std::size_t kLarge = 5 << 20;

/// A few files of each size class.
void make_tree(Backups& backups);

bool is_restored(Backups& backups, const chain::RunRecord& record);

/// Of one file of a run, restored alone.
std::string contents(Backups& backups, const std::string& run, const std::string& path);

/// A directory's names below it, relative, sorted.
std::vector<std::string> listing(const std::string& root);

std::uint64_t inode(const std::string& path);

}  // namespace rota::test
