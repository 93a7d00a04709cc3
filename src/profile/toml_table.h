#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "profile/notify.h"
#include "profile/toml_file.h"

/// What the readers of rotation.toml's tables share.
namespace rota::profile {

/// Throws Error(config) for a key that no table of this kind has, with the one that was meant.
[[noreturn]] void reject_key(const std::string& file, std::uint32_t line, const std::string& name,
                             const std::vector<std::string>& known);

/// The table [notify]. Throws Error(config).
NotifySettings read_notify(const std::string& file, const toml::table& table);

/// The tables in a table, in the order of the file, so that the first thing that is wrong is the
/// first thing reported.
template <typename Read>
void each_in_order(const toml::table& table, Read read) {
  struct Item {
    std::string name;
    std::uint32_t line;
    const toml::node* node;
  };
  std::vector<Item> items;
  for (auto&& [key, node] : table) {
    items.push_back({std::string(key.str()), key.source().begin.line, &node});
  }
  std::ranges::stable_sort(items, {}, [](const Item& item) { return item.line; });
  for (const Item& item : items) read(item.name, item.line, *item.node);
}

}  // namespace rota::profile
