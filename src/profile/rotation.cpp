#include "profile/rotation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "profile/config_file.h"
#include "profile/paper_keys.h"
#include "profile/profile.h"
#include "profile/setting_value.h"
#include "profile/toml_table.h"

namespace rota::profile {

namespace {

using base::Error;
using base::ErrorKind;

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorKind::config, message); }

/// [set.monthly] and [disk.B] name a set and a disk.
bool plain_name(std::string_view name, std::size_t longest) {
  const auto plain = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= longest && name.front() != '-' && name.front() != '_' &&
         std::ranges::all_of(name, plain);
}

constexpr std::size_t kLongestDisk = 7;  // "ROTA-" and this fit into a label of XFS
constexpr std::size_t kLongestSet = 32;

std::vector<std::string> disk_names(const SettingValue& value) {
  std::vector<std::string> names = value.texts(R"(["A", "B"])");
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!plain_name(names[i], kLongestDisk)) {
      value.reject(
          fmt::format("holds \"{}\"; the name of a disk has 1 to 7 of the characters A-Z a-z "
                      "0-9 _ - (without the \"ROTA-\" of its label)",
                      base::printable(names[i])));
    }
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
        names.begin() + static_cast<std::ptrdiff_t>(i)) {
      value.reject(fmt::format("holds \"{}\" twice", names[i]));
    }
  }
  return names;
}

std::vector<std::string> profile_names(const SettingValue& value) {
  std::vector<std::string> names = value.texts(R"(["web"])");
  for (const std::string& name : names) {
    try {
      check_profile_name(name);
    } catch (const Error& error) {
      value.reject(fmt::format("cannot be used: {}", error.what()));
    }
  }
  return names;
}

/// Everything about one key of a set. A new key is one row here and one member of DiskSet.
struct Row {
  std::string_view key;
  void (*read)(const SettingValue& value, DiskSet& set);
};

constexpr std::array kRows{
    Row{"disks", [](const SettingValue& value, DiskSet& set) { set.disks = disk_names(value); }},
    Row{"interval", [](const SettingValue& value, DiskSet& set) { set.interval = value.span(); }},
    Row{"profiles",
        [](const SettingValue& value, DiskSet& set) { set.profiles = profile_names(value); }},
    Row{"place",
        [](const SettingValue& value, DiskSet& set) {
          set.place = value.text();
          if (set.place.empty() || set.place.size() > 100 ||
              base::printable(set.place) != set.place) {
            value.reject("must be 1 to 100 printable characters, for example \"bank\"");
          }
        }},
    Row{"transit", [](const SettingValue& value, DiskSet& set) { set.transit = value.span(); }},
    Row{"max_age", [](const SettingValue& value, DiskSet& set) { set.max_age = value.span(); }},
    Row{"keep",
        [](const SettingValue& value, DiskSet& set) { set.keep = value.integer(0, 10'000); }},
    Row{"replace_after",
        [](const SettingValue& value, DiskSet& set) { set.replace_after = value.span(); }},
    Row{"scrub_budget",
        [](const SettingValue& value, DiskSet& set) {
          const base::Span span = value.span();
          if (span.years != 0 || span.months != 0 || span.days != 0) {
            value.reject("must be in hours, minutes and seconds, for example \"30m\"");
          }
          set.scrub_budget = span.seconds;
        }},
    Row{"reserve", [](const SettingValue& value, DiskSet& set) { set.reserve = value.size(); }},
    Row{"key_file", [](const SettingValue& value, DiskSet& set) { set.key_file = value.path(); }},
    Row{"allow_fixed",
        [](const SettingValue& value, DiskSet& set) { set.allow_fixed = value.boolean(); }},
};

const toml::table& table_of(const std::string& file, std::uint32_t line, const std::string& name,
                            const toml::node& node) {
  if (!node.is_table()) {
    fail(
        fmt::format("{}:{}: {} must be a table: a line such as [set.monthly] or [disk.B], with its "
                    "keys below",
                    file, line, base::printable(name)));
  }
  return *node.as_table();
}

DiskSet read_set(const std::string& file, const std::string& name, const toml::table& table) {
  DiskSet set;
  set.name = name;
  each_in_order(table, [&](const std::string& key, std::uint32_t line, const toml::node& node) {
    const auto row = std::ranges::find(kRows, std::string_view(key), &Row::key);
    if (row == kRows.end()) {
      std::vector<std::string> known;
      for (const Row& candidate : kRows) known.emplace_back(candidate.key);
      reject_key(file, line, key, known);
    }
    row->read(SettingValue(file, row->key, node), set);
  });
  return set;
}

std::vector<std::string> read_limit(const std::string& file, const toml::table& table) {
  std::vector<std::string> profiles;
  each_in_order(table, [&](const std::string& key, std::uint32_t line, const toml::node& node) {
    if (key != "profiles") reject_key(file, line, key, {"profiles"});
    const SettingValue value(file, "profiles", node);
    profiles = profile_names(value);
    if (profiles.empty()) value.reject("is empty: a disk that may hold nothing is of no use");
  });
  return profiles;
}

base::Span read_drill(const std::string& file, const toml::table& table) {
  base::Span every = Rotation().drill_every;
  each_in_order(table, [&](const std::string& key, std::uint32_t line, const toml::node& node) {
    if (key != "every") reject_key(file, line, key, {"every"});
    const SettingValue value(file, "every", node);
    every = value.text() == "0" ? base::Span{} : value.span();
  });
  return every;
}

/// A disk takes its turn in one set only.
void check_sets(const std::string& file, const std::vector<DiskSet>& sets) {
  std::map<std::string, std::string> owner;
  std::string takes_all;
  for (const DiskSet& set : sets) {
    if (set.disks.empty()) {
      if (!takes_all.empty()) {
        fail(fmt::format(
            "{}: the sets {} and {} both name no disks, and so would both take all; name "
            "the disks of one, disks = [\"A\", \"B\"]",
            file, takes_all, set.name));
      }
      takes_all = set.name;
    }
    for (const std::string& disk : set.disks) {
      const auto [found, is_new] = owner.emplace(disk, set.name);
      if (!is_new) {
        fail(
            fmt::format("{}: the disk {} stands in the sets {} and {}; it can take its turn in one "
                        "only",
                        file, disk, found->second, set.name));
      }
    }
  }
}

bool names(const std::vector<std::string>& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

}  // namespace

const DiskSet* Rotation::set_of(std::string_view disk) const {
  const DiskSet* takes_all = nullptr;
  for (const DiskSet& set : sets) {
    if (names(set.disks, disk)) return &set;
    if (set.disks.empty()) takes_all = &set;
  }
  return takes_all;
}

const DiskSet* Rotation::find(std::string_view set) const {
  const auto found = std::ranges::find(sets, set, &DiskSet::name);
  return found == sets.end() ? nullptr : &*found;
}

bool Rotation::may_hold(std::string_view disk, std::string_view profile) const {
  const DiskSet* set = set_of(disk);
  if (set == nullptr || (!set->profiles.empty() && !names(set->profiles, profile))) return false;
  const auto limit = limits.find(std::string(disk));
  return limit == limits.end() || names(limit->second, profile);
}

std::optional<std::vector<std::string>> Rotation::limit_of(std::string_view disk) const {
  const DiskSet* set = set_of(disk);
  if (set == nullptr) return std::vector<std::string>();
  const auto limit = limits.find(std::string(disk));
  if (limit == limits.end() && set->profiles.empty()) return std::nullopt;
  std::vector<std::string> may = limit == limits.end() ? set->profiles : limit->second;
  std::erase_if(may, [&](const std::string& profile) { return !may_hold(disk, profile); });
  return may;
}

Rotation default_rotation() {
  Rotation rotation;
  rotation.sets.emplace_back().name = "monthly";
  return rotation;
}

Rotation read_rotation(const std::string& text, const std::string& file) {
  const toml::table table = parse_toml(text, file);
  Rotation rotation;
  rotation.written = true;
  each_in_order(table, [&](const std::string& kind, std::uint32_t line, const toml::node& node) {
    if (kind == "notify") {
      rotation.notify = read_notify(file, table_of(file, line, kind, node));
      return;
    }
    if (kind == "drill") {
      rotation.drill_every = read_drill(file, table_of(file, line, kind, node));
      return;
    }
    if (read_paper(file, kind, node, rotation.paper)) return;
    if (kind != "set" && kind != "disk") {
      fail(
          fmt::format("{}:{}: unknown key \"{}\"; everything stands in tables [set.NAME], "
                      "[disk.NAME], [drill] and [notify]",
                      file, line, base::printable(kind)));
    }
    const auto read = [&](const std::string& name, std::uint32_t at, const toml::node& inner) {
      const bool set = kind == "set";
      if (!plain_name(name, set ? kLongestSet : kLongestDisk)) {
        fail(
            fmt::format("{}:{}: \"{}\" cannot name a {}: a name has 1 to {} of the characters A-Z "
                        "a-z 0-9 _ -",
                        file, at, base::printable(name), kind, set ? kLongestSet : kLongestDisk));
      }
      const toml::table& keys = table_of(file, at, name, inner);
      if (set) {
        rotation.sets.push_back(read_set(file, name, keys));
      } else {
        rotation.limits[name] = read_limit(file, keys);
      }
    };
    each_in_order(table_of(file, line, kind, node), read);
  });
  if (rotation.sets.empty()) rotation.sets = default_rotation().sets;
  check_sets(file, rotation.sets);
  return rotation;
}

Rotation load_rotation(const Places& places) {
  const std::string file = places.config + "/rotation.toml";
  const auto text = read_config(file);
  return text ? read_rotation(*text, base::printable(file)) : default_rotation();
}

}  // namespace rota::profile
