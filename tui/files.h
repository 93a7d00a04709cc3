#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "tui/act.h"

namespace rota::tui {

/// A name in a directory of a run or of a copy.
struct FileRow {
  std::string name;    ///< as base::printable gives it, without its directory
  std::string target;  ///< of a link
  std::uint64_t size = 0;
  base::Instant mtime{};
  char kind = '-';  ///< as in `ls -l`; 'h': another name of a file
};

/// More names of one directory are not shown: at about 150 bytes each, 30 MB.
inline constexpr std::size_t kMostFiles = 200'000;
/// Of what `rota ls` says of one directory; a name takes about 200 bytes of it.
inline constexpr std::size_t kMostListing = 64U << 20;

/// A directory as `rota ls` listed it.
struct Directory {
  std::string path;  ///< as base::printable gives it; "" is the root
  std::vector<FileRow> rows;
  bool cut = false;       ///< there are more than kMostFiles
  std::size_t item = 0;   ///< the selected one
  std::size_t first = 0;  ///< the first shown one
  std::string told;       ///< what `rota ls` said beside it
};

/// Somebody looks into a run or a copy, a directory at a time.
struct Browser {
  Subject subject;
  std::vector<Directory> open;      ///< from the root to the one that is shown
  std::vector<std::string> wanted;  ///< the arguments of `rota` for what is waited for; empty: none
  std::string wanted_path;
  std::string problem;  ///< why there is nothing to show
};

/// Asks for a directory; path as base::printable gives it.
void want(Browser& browser, const std::string& path);
/// What `rota ls` said of what was wanted. good: its status says that it has listed all.
void take_listing(Browser& browser, std::string_view output, bool good);

/// Of a path as base::printable gives it, the bytes.
std::string original(std::string_view printable);
/// "etc" and "fstab" make "etc/fstab".
std::string path_in(const Directory& directory, const FileRow& row);

}  // namespace rota::tui
