#include "disk/damaged_copies.h"

#include <fmt/core.h>

#include "base/error.h"
#include "disk/damage_list.h"
#include "disk/index_source.h"

namespace rota::disk {

namespace {

bool has_any(int root, const CopyInfo& copy, const DamageList& damage) {
  try {
    const std::string shown = fmt::format("{}/{}/{}", kTop, copy.server, copy.directory);
    const base::Fd directory = open_copy(root, copy.server, copy.directory);
    CopyIndexReader index = open_index(directory.get(), CopyIndexReader::Extent::whole, shown);
    const std::int64_t own = copy.time.time_since_epoch().count();
    for (CopyEntry line; index.next(line);) {
      if (!line.entry.is_file()) continue;
      if (damage.contains(line.born != 0 ? line.born : own, line.entry.path)) return true;
    }
    return false;
  } catch (const base::Error&) {
    return true;
  }
}

}  // namespace

std::vector<CopyInfo> damaged_copies(int root, const std::string& server,
                                     const CheckResult& result) {
  DamageList damage;
  damage.add(result);
  std::vector<CopyInfo> copies;
  for (CopyInfo& copy : list_copies(root)) {
    if (copy.server != server || copy.state != CopyState::sealed) continue;
    if (has_any(root, copy, damage)) copies.push_back(std::move(copy));
  }
  return copies;
}

}  // namespace rota::disk
