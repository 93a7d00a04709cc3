#include "profile/setting_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>

#include "base/error.h"
#include "base/text.h"
#include "profile/credentials.h"
#include "profile/places.h"

namespace rota::profile {

using base::Error;
using base::ErrorKind;

void SettingValue::reject(const std::string& reason) const {
  throw Error(ErrorKind::config,
              fmt::format("{}:{}: {} {}", file_, node_.source().begin.line, key_, reason));
}

bool SettingValue::boolean() const {
  if (!node_.is_boolean()) reject_type("true or false");
  return node_.as_boolean()->get();
}

int SettingValue::integer(int lowest, int highest) const {
  if (!node_.is_integer()) {
    reject_type(fmt::format("a whole number from {} to {}", lowest, highest));
  }
  const std::int64_t number = node_.as_integer()->get();
  if (number < lowest || number > highest) {
    reject(fmt::format("is {}; it must be a whole number from {} to {}", number, lowest, highest));
  }
  return static_cast<int>(number);
}

double SettingValue::number(double lowest, double highest) const {
  if (!node_.is_number()) reject_type(fmt::format("a number from {} to {}", lowest, highest));
  const double number = node_.is_integer() ? static_cast<double>(node_.as_integer()->get())
                                           : node_.as_floating_point()->get();
  if (!(number >= lowest && number <= highest)) {  // nor is it "nan"
    reject(fmt::format("is {}; it must be a number from {} to {}", number, lowest, highest));
  }
  return number;
}

std::string SettingValue::short_text() const {
  std::string written = text();
  if (written.empty() || written.size() > 20 || base::printable(written) != written) {
    reject("must be 1 to 20 printable characters");
  }
  return written;
}

std::string SettingValue::text() const {
  if (!node_.is_string()) reject_type("text in double quotes");
  return node_.as_string()->get();
}

std::string SettingValue::path() const {
  const std::string written = text();
  const auto path = absolute_path(written);
  if (!path) {
    reject(fmt::format("is \"{}\"; it must be an absolute path without \"..\"",
                       base::printable(written)));
  }
  return *path;
}

std::vector<std::string> SettingValue::paths() const {
  if (!node_.is_array()) reject_type("a list such as [\"/srv/canary\"]");
  std::vector<std::string> list;
  for (const toml::node& element : *node_.as_array()) {
    list.push_back(SettingValue(file_, key_, element).path());
  }
  return list;
}

std::string SettingValue::credential() const {
  const std::string written = text();
  if (is_credential_name(written)) return written;
  const auto path = absolute_path(written);
  if (!path) {
    reject(
        fmt::format("is \"{}\"; it must be an absolute path without \"..\", or the name of a "
                    "systemd credential",
                    base::printable(written)));
  }
  return *path;
}

std::string SettingValue::web_address() const {
  std::string written = text();
  while (written.ends_with('/')) written.pop_back();
  const std::size_t scheme = written.starts_with("https://")  ? 8
                             : written.starts_with("http://") ? 7
                                                              : 0;
  const bool plain = std::ranges::all_of(written, [](char c) { return c > ' ' && c < 0x7f; });
  if (scheme == 0 || written.size() == scheme || !plain ||
      written.find_first_of("@?#\\\"") != std::string::npos) {
    const std::string shown =
        written.find('@') == std::string::npos ? base::printable(written) : "***";
    reject(
        fmt::format("is \"{}\"; it must be an address such as \"https://host.example\", "
                    "without a password",
                    shown));
  }
  return written;
}

std::uint64_t SettingValue::rate() const {
  constexpr std::uint64_t kSlowest = 10'000;  // slower, a volume would take hours
  return scaled(kSlowest, 1'000'000'000'000, "between 10K and 1000G",
                "write for example \"500K\" or \"10M\": bytes a second");
}

std::uint64_t SettingValue::size() const {
  return scaled(0, 100'000'000'000'000, "at most 100000G",
                "write for example \"500M\" or \"1G\": bytes");
}

std::uint64_t SettingValue::scaled(std::uint64_t lowest, std::uint64_t highest,
                                   const std::string& range, const std::string& hint) const {
  if (!node_.is_string()) reject_type(fmt::format("text in double quotes; {}", hint));
  const std::string written = text();
  const std::string shown = base::printable(written);
  std::uint64_t number = 0;
  const char* const end = written.data() + written.size();
  const auto [unit, error] = std::from_chars(written.data(), end, number);
  const std::string_view rest(unit, static_cast<std::size_t>(end - unit));
  const std::uint64_t factor = rest == "K"    ? 1000
                               : rest == "M"  ? 1'000'000
                               : rest == "G"  ? 1'000'000'000
                               : rest.empty() ? 1
                                              : 0;
  if (error != std::errc() || factor == 0) reject(fmt::format("is \"{}\"; {}", shown, hint));
  if (number > highest / factor || number * factor < lowest) {
    reject(fmt::format("is \"{}\"; it must be {}; {}", shown, range, hint));
  }
  return number * factor;
}

std::vector<std::string> SettingValue::names() const {
  if (!node_.is_array()) reject_type("a list such as [\".nobackup\"]");
  std::vector<std::string> list;
  for (const toml::node& element : *node_.as_array()) {
    const SettingValue value(file_, key_, element);
    std::string name = value.text();
    if (name.empty() || name == "." || name == ".." ||
        name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
      value.reject(fmt::format("holds \"{}\"; it must hold names of files without a directory",
                               base::printable(name)));
    }
    list.push_back(std::move(name));
  }
  return list;
}

std::vector<std::string> SettingValue::texts(std::string_view example) const {
  if (!node_.is_array()) reject_type(fmt::format("a list such as {}", example));
  std::vector<std::string> list;
  for (const toml::node& element : *node_.as_array()) {
    const SettingValue value(file_, key_, element);
    list.push_back(value.text());
    if (list.back().empty()) value.reject("holds an empty text");
  }
  return list;
}

base::Span SettingValue::span() const {
  constexpr const char* kHint = "write for example \"10D\", \"3M\" or \"2Y\"";
  if (!node_.is_string()) reject_type(fmt::format("a span of time in double quotes: {}", kHint));
  const std::string written = text();
  const std::string shown = base::printable(written);
  base::Span span;
  try {
    span = base::parse_span(written);
  } catch (const Error&) {
    reject(fmt::format("is \"{}\", which is no span of time; {}", shown, kHint));
  }
  const bool negative = span.years < 0 || span.months < 0 || span.days < 0 || span.seconds < 0;
  if (negative || span == base::Span{}) {
    reject(fmt::format("is \"{}\"; it must be longer than nothing: {}", shown, kHint));
  }
  if (span.years > 1000 || span.months > 12'000 || span.days > 365'000 ||
      span.seconds > 365'000LL * 86'400) {
    reject(fmt::format("is \"{}\"; it must be at most a thousand years", shown));
  }
  return span;
}

void SettingValue::reject_type(const std::string& wanted) const {
  reject(fmt::format("is {}; it must be {}", type(), wanted));
}

std::string_view SettingValue::type() const {
  switch (node_.type()) {
    case toml::node_type::none:
      return "nothing";
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "text";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
  }
  return "something else";
}

}  // namespace rota::profile
