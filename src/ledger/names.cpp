#include "ledger/names.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "ledger/disks.h"

namespace rota::ledger {

namespace {

using base::Error;
using base::ErrorKind;

bool letter_or_digit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

void require(bool good, const char* what, std::string_view name) {
  if (good) return;
  throw Error(ErrorKind::corrupt,
              fmt::format("\"{}\" cannot be the name of a {}", base::printable(name), what));
}

void require_copy(const std::string& disk, const std::string& server, const std::string& snapshot) {
  require(is_disk_name(disk), "disk", disk);
  require(is_server_name(server), "server", server);
  require(base::parse_compact(snapshot).has_value(), "snapshot", snapshot);
}

}  // namespace

bool is_disk_name(std::string_view name) {
  return !name.empty() && name.size() <= 7 && std::ranges::all_of(name, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

bool is_server_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && letter_or_digit(name.front()) &&
         std::ranges::all_of(
             name, [](char c) { return letter_or_digit(c) || c == '.' || c == '_' || c == '-'; });
}

void check_disk_name(std::string_view name) {
  if (is_disk_name(name)) return;
  throw Error(ErrorKind::usage,
              fmt::format("\"{}\" cannot name a disk: a name has 1 to 7 of the characters A-Z "
                          "and 0-9",
                          base::printable(name)));
}

void check_names(const DiskRow& row) { require(is_disk_name(row.name), "disk", row.name); }
void check_names(const ClaimRow& row) { require(is_disk_name(row.disk), "disk", row.disk); }
void check_names(const ObservationRow& row) { require(is_disk_name(row.disk), "disk", row.disk); }
void check_names(const CopyRow& row) { require_copy(row.disk, row.server, row.snapshot); }
void check_names(const CheckRow& row) { require_copy(row.disk, row.server, row.snapshot); }

void check_names(const AlarmRow& row) {
  // Of a disk that the ledger does not know, the label: any text.
  require(row.server.empty() || is_server_name(row.server), "server", row.server);
}

void check_names(const DrillRow& row) {
  require(is_server_name(row.server), "server", row.server);
  require(row.disk.empty() || is_disk_name(row.disk), "disk", row.disk);
}

base::Instant CopyRow::snapshot_time() const {
  return base::parse_compact(snapshot).value_or(base::Instant{});
}

bool CopyRow::counts() const {
  return state == CopyState::sealed && verified && (!last_verified || last_good);
}

}  // namespace rota::ledger
