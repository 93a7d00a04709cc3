#include "profile/paper_keys.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "profile/setting_value.h"

namespace rota::profile {

namespace {

constexpr std::size_t kLongestLine = 200;  // bytes; what a label could still hold
constexpr std::size_t kMostContacts = 20;
constexpr std::size_t kLongestPrinter = 127;  // CUPS takes no longer name

std::string line(const SettingValue& value) {
  std::string text = value.text();
  if (text.empty() || text.size() > kLongestLine || base::printable(text) != text) {
    value.reject("must be one line of 1 to 200 printable characters");
  }
  return text;
}

/// A name that can be given to lp and in a path: no option, no way out of a directory.
std::string plain_word(const SettingValue& value, std::size_t longest, const char* example) {
  std::string text = value.text();
  const bool plain = std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
  if (text.empty() || text.size() > longest || !plain || text.front() == '-' ||
      text.front() == '.') {
    value.reject(std::string("must be a name of A-Z a-z 0-9 _ - . such as \"") + example + "\"");
  }
  return text;
}

struct Row {
  std::string_view key;
  void (*read)(const SettingValue& value, Paper& paper);
};

constexpr std::array kRows{
    Row{"contacts",
        [](const SettingValue& value, Paper& paper) {
          paper.contacts = value.texts(R"(["Jo Doe, +49 30 1234"])");
          if (paper.contacts.size() > kMostContacts) value.reject("holds more than 20");
          for (const std::string& contact : paper.contacts) {
            if (contact.empty() || contact.size() > kLongestLine ||
                base::printable(contact) != contact) {
              value.reject("holds one that is not 1 to 200 printable characters");
            }
          }
        }},
    Row{"owner", [](const SettingValue& value, Paper& paper) { paper.owner = line(value); }},
    Row{"if_found", [](const SettingValue& value, Paper& paper) { paper.if_found = line(value); }},
    Row{"if_found_discreet",
        [](const SettingValue& value, Paper& paper) { paper.if_found_discreet = line(value); }},
    Row{"label_stock", [](const SettingValue& value,
                          Paper& paper) { paper.label_stock = plain_word(value, 32, "L7163"); }},
    Row{"print_after_copy",
        [](const SettingValue& value, Paper& paper) {
          paper.print_after_copy = plain_word(value, kLongestPrinter, "Dymo");
        }},
};

}  // namespace

bool read_paper(const std::string& file, std::string_view key, const toml::node& node,
                Paper& paper) {
  const auto row = std::ranges::find(kRows, key, &Row::key);
  if (row == kRows.end()) return false;
  row->read(SettingValue(file, row->key, node), paper);
  return true;
}

}  // namespace rota::profile
