#include "profile/notify.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "profile/setting_value.h"
#include "profile/toml_table.h"

namespace rota::profile {

namespace {

/// An address of mail as it may stand in a header and for sendmail: it can be nothing else there.
std::string mail_address(const SettingValue& value) {
  std::string address = value.text();
  const auto plain = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("@.+-_=").find(c) != std::string_view::npos;
  };
  if (address.empty()) return address;  // nobody
  if (address.front() == '-' || address.size() > 254 || !std::ranges::all_of(address, plain)) {
    value.reject("must be one address, for example \"root\" or \"admin@example.org\"");
  }
  return address;
}

/// Its path is often a secret: never shown.
std::string heartbeat_address(const SettingValue& value) {
  std::string address = value.text();
  const bool known = address.starts_with("https://") || address.starts_with("http://");
  const bool plain = std::ranges::all_of(
      address, [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '#'; });
  if (!known || !plain || address.find('@') != std::string::npos || address.size() > 1000 ||
      address.size() == address.find("//") + 2) {
    value.reject("must be an address such as \"https://hc.example/ping/…\", without a password");
  }
  return address;
}

/// Everything about one key of [notify].
struct Row {
  std::string_view key;
  void (*read)(const SettingValue& value, NotifySettings& settings);
};

constexpr std::array kRows{
    Row{"console", [](const SettingValue& value,
                      NotifySettings& settings) { settings.console = value.boolean(); }},
    Row{"mail",
        [](const SettingValue& value, NotifySettings& settings) {
          settings.mail = mail_address(value);
          settings.mail_written = true;
        }},
    Row{"desktop", [](const SettingValue& value,
                      NotifySettings& settings) { settings.desktop = value.boolean(); }},
    Row{"on_event", [](const SettingValue& value,
                       NotifySettings& settings) { settings.on_event = value.path(); }},
    Row{"heartbeat",
        [](const SettingValue& value, NotifySettings& settings) {
          settings.heartbeat = heartbeat_address(value);
        }},
};

}  // namespace

[[noreturn]] void reject_key(const std::string& file, std::uint32_t line, const std::string& name,
                             const std::vector<std::string>& known) {
  const auto meant = base::nearest(name, known);
  throw base::Error(base::ErrorKind::config,
                    fmt::format("{}:{}: unknown key \"{}\"; {}", file, line, base::printable(name),
                                meant ? fmt::format("did you mean \"{}\"?", *meant)
                                      : fmt::format("the keys are {}", fmt::join(known, ", "))));
}

NotifySettings read_notify(const std::string& file, const toml::table& table) {
  NotifySettings settings;
  each_in_order(table, [&](const std::string& key, std::uint32_t line, const toml::node& node) {
    const auto row = std::ranges::find(kRows, std::string_view(key), &Row::key);
    if (row == kRows.end()) {
      std::vector<std::string> known;
      for (const Row& candidate : kRows) known.emplace_back(candidate.key);
      reject_key(file, line, key, known);
    }
    row->read(SettingValue(file, row->key, node), settings);
  });
  return settings;
}

}  // namespace rota::profile
