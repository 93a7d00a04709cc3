#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace rota::disk {

/// What RECOVER.txt tells of a disk: for a stranger who holds it and has never heard of rota.
struct RecoverFacts {
  struct Copy {
    std::string server;    ///< as in the path: [A-Za-z0-9._-]
    std::string snapshot;  ///< "20261024T030000Z"
    base::Instant time{};
    std::string source;  ///< "/": what the tree is a copy of
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
    std::uint64_t long_paths = 0;  ///< names that stock tools cannot open
  };
  std::string label;  ///< of the filesystem: "ROTA-B"
  bool encrypted = false;
  base::Instant written{};
  std::vector<Copy> copies;  ///< sealed ones, oldest first
};

/// The text of RECOVER.txt: which commands, of stock tools alone, give the files back. ASCII, lines
/// of at most 79 columns but for commands. Every command stands alone on a line behind four spaces
/// and "# ", and they work in the order given when /mnt/target is where the files shall go.
std::string recover_text(const RecoverFacts& facts);

}  // namespace rota::disk
