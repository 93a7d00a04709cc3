#include <algorithm>
#include <string>

#include "ledger/disk_rows.h"

namespace rota::ledger {

const char* word(DiskEnd value) {
  switch (value) {
    case DiskEnd::in_use:
      return "in use";
    case DiskEnd::lost:
      return "lost";
    case DiskEnd::retired:
      return "retired";
    case DiskEnd::held:
      return "held";
  }
  return "";
}

const char* word(Claimed value) {
  switch (value) {
    case Claimed::on_site:
      return "on site";
    case Claimed::in_transit_out:
      return "in transit out";
    case Claimed::off_site:
      return "off site";
    case Claimed::in_transit_back:
      return "in transit back";
  }
  return "";
}

const char* word(Observed value) {
  switch (value) {
    case Observed::enrolled:
      return "enrolled";
    case Observed::connected:
      return "connected";
    case Observed::copying:
      return "copying";
    case Observed::verifying:
      return "verifying";
    case Observed::sealed:
      return "sealed";
    case Observed::safe_to_remove:
      return "safe to remove";
    case Observed::away:
      return "away";
    case Observed::interrupted:
      return "interrupted";
    case Observed::suspect:
      return "suspect";
    case Observed::damaged:
      return "damaged";
    case Observed::full:
      return "full";
  }
  return "";
}

const char* word(CopyState value) {
  switch (value) {
    case CopyState::partial:
      return "partial";
    case CopyState::sealed:
      return "sealed";
    case CopyState::pruned:
      return "pruned";
    case CopyState::damaged:
      return "damaged";
  }
  return "";
}

const char* word(CheckKind value) {
  switch (value) {
    case CheckKind::seal:
      return "seal";
    case CheckKind::full:
      return "full";
    case CheckKind::scrub:
      return "scrub";
  }
  return "";
}

const char* word(Severity value) {
  switch (value) {
    case Severity::warning:
      return "warning";
    case Severity::alarm:
      return "alarm";
  }
  return "";
}

std::optional<Claimed> parse_claimed(std::string_view text) {
  std::string words(text);
  std::ranges::replace_if(
      words, [](char c) { return c == '-' || c == '_'; }, ' ');
  for (const Claimed value :
       {Claimed::on_site, Claimed::in_transit_out, Claimed::off_site, Claimed::in_transit_back}) {
    if (words == word(value)) return value;
  }
  return std::nullopt;
}

}  // namespace rota::ledger
