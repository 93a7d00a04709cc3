#include "ledger/disk_code.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "ledger/disks.h"
#include "ledger/names.h"

namespace rota::ledger {

namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

/// "20261024T0300Z": minutes are enough to tell copies apart, and make a smaller code.
std::string minute(base::Instant time) {
  std::string text = base::compact(time);
  return text.erase(text.size() - 3, 2);
}

std::optional<base::Instant> parse_minute(std::string_view text) {
  if (text.size() != 14 || text.back() != 'Z') return std::nullopt;
  return base::parse_compact(fmt::format("{}00Z", text.substr(0, 13)));
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::optional<DiskCode> parse_fields(std::string_view text) {
  std::vector<std::string_view> fields;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(':', at), text.size());
    fields.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (fields.size() != 5 || !is_disk_name(fields[1])) return std::nullopt;
  DiskCode code;
  code.name = fields[1];
  code.set = fields[2];
  if (!fields[3].empty()) {
    code.snapshot = parse_minute(fields[3]);
    if (!code.snapshot) return std::nullopt;
  }
  if (code.set.size() > 64 || fields[4].size() > 8 || !is_hex(fields[4])) return std::nullopt;
  code.sums = fields[4];
  return code;
}

}  // namespace

char check_digit(std::string_view name) {
  check_disk_name(name);
  std::string digits;
  for (const char c : name) {
    digits += c <= '9' ? std::string(1, c) : std::to_string(c - 'A' + 10);
  }
  int sum = 0;
  bool doubled = true;  // the digit beside the check digit
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, doubled = !doubled) {
    const int value = (*digit - '0') * (doubled ? 2 : 1);
    sum += value / 10 + value % 10;
  }
  return static_cast<char>('0' + (10 - sum % 10) % 10);
}

std::string printed_id(std::string_view name) {
  return fmt::format("ROTA-{}-{}", name, check_digit(name));
}

std::string code_text(const DiskCode& code) {
  return fmt::format("ROTA:{}:{}:{}:{}", code.name, code.set,
                     code.snapshot ? minute(*code.snapshot) : std::string(), code.sums);
}

std::optional<DiskCode> parse_scan(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  if (text.size() > 200) return std::nullopt;
  if (text.starts_with("ROTA:")) return parse_fields(text);
  const std::string id = upper(text);
  if (!id.starts_with("ROTA-")) return std::nullopt;
  std::string_view name = std::string_view(id).substr(5);
  const std::size_t dash = name.find('-');
  const std::string_view digit =
      dash == std::string_view::npos ? std::string_view() : name.substr(dash + 1);
  name = name.substr(0, dash);
  if (!is_disk_name(name)) return std::nullopt;
  if (dash != std::string_view::npos && (digit.size() != 1 || digit[0] != check_digit(name))) {
    return std::nullopt;
  }
  DiskCode code;
  code.name = name;
  return code;
}

}  // namespace rota::ledger
