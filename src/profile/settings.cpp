#include "profile/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/error.h"
#include "base/text.h"
#include "profile/config_file.h"
#include "profile/setting_value.h"
#include "profile/toml_file.h"

namespace rota::profile {

namespace {

using base::Error;
using base::ErrorKind;

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorKind::config, message); }

template <double Profile::Cost::*Price>
void read_price(const SettingValue& value, Profile& profile) {
  profile.cost.*Price = value.number(0, 1e9);  // of any currency, for any unit
}

template <int Profile::Cost::*Count>
void read_count(const SettingValue& value, Profile& profile) {
  profile.cost.*Count = value.integer(0, 10'000);
}

template <std::string Profile::Cost::*Label>
void read_label(const SettingValue& value, Profile& profile) {
  profile.cost.*Label = value.short_text();
}

/// Everything about one key. A new key is one row here and one member of Profile.
struct Row {
  Setting setting;
  void (*read)(const SettingValue& value, Profile& profile);
};

constexpr std::array kRows{
    Row{{"source", "The directory that is backed up, with all below it.", R"("/")", true},
        [](const SettingValue& value, Profile& profile) { profile.source = value.path(); }},
    Row{{"target", "Where the backup goes: a URL or a directory on this machine.",
         R"("file:///srv/backup")", true},
        [](const SettingValue& value, Profile& profile) {
          profile.target = value.text();
          if (profile.target.empty()) {
            value.reject("is empty; write for example target = \"file:///srv/backup\"");
          }
        }},
    Row{{"credentials",
         "The file with the access key of the target, if it needs one: two lines, key_id = "
         "\"...\"\n"
         "and key = \"...\", readable by its owner alone (chmod 600). Or the name of a systemd\n"
         "credential. For an sftp:// target, the private SSH key (without it, the keys of the "
         "user\n"
         "and of the agent). It is never part of the backup: keep a copy on the recovery sheet.",
         R"("/etc/rota/credentials")", false},
        [](const SettingValue& value, Profile& profile) {
          profile.credentials = value.credential();
        }},
    Row{{"encrypt_to",
         "For whom the backup is encrypted: recipients that `rota key generate` shows, 16 at "
         "most.\n"
         "Any one of their keys opens it, and nothing else does. [] means: not encrypted.",
         "[]", false},
        [](const SettingValue& value, Profile& profile) {
          profile.encrypt_to = value.texts("[\"rota-pub-1-...\"]");
        }},
    Row{{"key",
         "A secret key file on this machine, to read encrypted backups without asking. Only for\n"
         "machines where restores are tried; on a server that is backed up it is what an intruder\n"
         "looks for. It is never part of the backup.",
         R"("/root/rota.key")", false},
        [](const SettingValue& value, Profile& profile) { profile.key = value.path(); }},
    Row{{"max_age",
         "How far back you can restore: chains that are wholly older are deleted. The newest\n"
         "complete chain is always kept. Units: D days, W weeks, M months, Y years.",
         R"("2Y")", true},
        [](const SettingValue& value, Profile& profile) { profile.max_age = value.span(); }},
    Row{{"max_fulls_with_incrs",
         "How many of the newest fulls keep their increments. Of an older chain only the full is\n"
         "kept: its one point in time.",
         "2", true},
        [](const SettingValue& value, Profile& profile) {
          profile.max_fulls_with_incrs = value.integer(1, 10'000);
        }},
    Row{{"max_full_age", "When the last full is older than this, the next backup is a full again.",
         R"("3M")", true},
        [](const SettingValue& value, Profile& profile) { profile.max_full_age = value.span(); }},
    Row{{"lock_days",
         "Lock what is stored: for so many days at least nobody can delete a run, whoever has the\n"
         "key, where the store has Object Lock. A chain is locked as a whole, until max_full_age\n"
         "and lock_days after its full. 0 means: no lock.",
         "0", false},
        [](const SettingValue& value, Profile& profile) {
          profile.lock_days = value.integer(0, 3650);
        }},
    Row{{"lock_mode",
         "\"governance\": keys with a right of their own can lift the lock. \"compliance\": "
         "nobody\n"
         "can, not even the owner of the account, who pays for it until the end.",
         R"("governance")", false},
        [](const SettingValue& value, Profile& profile) {
          const std::string mode = value.text();
          if (mode != "governance" && mode != "compliance") {
            value.reject("must be \"governance\" or \"compliance\"");
          }
          profile.lock_compliance = mode == "compliance";
        }},
    Row{{"one_file_system",
         "Stay on the filesystem of the source and leave out what else is mounted below it.",
         "false", false},
        [](const SettingValue& value, Profile& profile) {
          profile.one_file_system = value.boolean();
        }},
    Row{{"exclude_caches",
         "Leave out what lies in directories that are marked as a cache by a CACHEDIR.TAG file.",
         "true", false},
        [](const SettingValue& value, Profile& profile) {
          profile.exclude_caches = value.boolean();
        }},
    Row{{"exclude_if_present",
         "Leave out directories that hold a file of such a name, for example [\".nobackup\"].",
         "[]", false},
        [](const SettingValue& value, Profile& profile) {
          profile.exclude_if_present = value.names();
        }},
    Row{{"canaries",
         "Files within the source that nothing ever touches: when one changes or is gone, a copy "
         "to a\n"
         "rotation disk is held until a person has looked, for example [\"/srv/canary\"].",
         "[]", false},
        [](const SettingValue& value, Profile& profile) { profile.canaries = value.paths(); }},
    Row{{"compression_level", "1 is fast, 19 is small.", "3", false},
        [](const SettingValue& value, Profile& profile) {
          profile.compression_level = value.integer(1, 19);
        }},
    Row{{"rate",
         "How fast data may go to the target or come from it, in bytes a second: K, M or G behind\n"
         "the number. Without it, as fast as it can.",
         R"("10M")", false},
        [](const SettingValue& value, Profile& profile) { profile.rate = value.rate(); }},
    Row{{"b2.api_url", "Where b2:// targets log in, if not at Backblaze.",
         R"("https://api.backblazeb2.com")", false},
        [](const SettingValue& value, Profile& profile) {
          profile.b2.api_url = value.web_address();
        }},
    Row{{"s3.endpoint", "Which server holds s3:// targets, if not Amazon's.",
         R"("https://s3.example.org")", false},
        [](const SettingValue& value, Profile& profile) {
          profile.s3.endpoint = value.web_address();
        }},
    Row{{"s3.region", "The region in which the bucket of an s3:// target lies.",
         R"("eu-central-1")", false},
        [](const SettingValue& value, Profile& profile) {
          profile.s3.region = value.text();
          const bool plain = std::ranges::all_of(profile.s3.region, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
          });
          if (!plain || profile.s3.region.empty()) {
            value.reject("is no name of a region; write for example \"eu-central-1\"");
          }
        }},
    Row{{"s3.path_style",
         "Whether the bucket's name stands in the path of an address (true) or in front of the "
         "host's\n"
         "name (false). Without it: in front on Amazon, else in the path.",
         "true", false},
        [](const SettingValue& value, Profile& profile) {
          profile.s3.path_style = value.boolean();
        }},
    Row{{"sftp.known_hosts",
         "The file that must hold the key of the server of an sftp:// target. Without it, the\n"
         "known_hosts of root and of the system.",
         R"("/etc/rota/known_hosts")", false},
        [](const SettingValue& value, Profile& profile) {
          profile.sftp.known_hosts = value.path();
        }},
    Row{{"drill.scratch",
         "Where `rota drill` restores to: on a filesystem with room for everything, or for the "
         "sample.\n"
         "What is restored there is removed again.",
         R"("/var/tmp")", false},
        [](const SettingValue& value, Profile& profile) { profile.drill.scratch = value.path(); }},
    Row{{"drill.check",
         "A program that looks at what a drill has restored, in the directory that is its only\n"
         "argument. Status 0 means that it is good. Only its owner and root may be able to change "
         "it.",
         R"("/etc/rota/drill-check")", false},
        [](const SettingValue& value, Profile& profile) { profile.drill.check = value.path(); }},
    Row{{"drill.check_timeout", "How long that program may take: h, m or s behind the number.",
         R"("1h")", false},
        [](const SettingValue& value, Profile& profile) {
          const base::Span span = value.span();
          if (span.years != 0 || span.months != 0 || span.days != 0) {
            value.reject("must be in hours, minutes and seconds, for example \"30m\"");
          }
          if (span.seconds > 7 * 86'400) value.reject("must be at most \"168h\", a week");
          profile.drill.check_timeout = std::chrono::seconds(span.seconds);
        }},
    Row{{"cost.currency", "For `rota cost`: the currency of the prices that follow.", R"("USD")",
         false},
        read_label<&Profile::Cost::currency>},
    Row{{"cost.as_of", "When these prices held. As they stand here they are Backblaze B2's.",
         R"("2026-05-01")", false},
        read_label<&Profile::Cost::as_of>},
    Row{{"cost.storage_gb_month", "A GB (a thousand million bytes) stored for 30 days.", "0.00695",
         false},
        read_price<&Profile::Cost::storage_gb_month>},
    Row{{"cost.free_storage_gb", "So many GB cost nothing.", "10", false},
        read_price<&Profile::Cost::free_storage_gb>},
    Row{{"cost.download_gb", "A GB downloaded.", "0.01", false},
        read_price<&Profile::Cost::download_gb>},
    Row{{"cost.free_download",
         "Downloads in a month cost nothing up to so many times what is stored, on average.", "3",
         false},
        read_price<&Profile::Cost::free_download>},
    Row{{"cost.class_b_10000", "10,000 calls that fetch data.", "0", false},
        read_price<&Profile::Cost::class_b_10000>},
    Row{{"cost.class_c_1000", "1,000 calls that log in or list.", "0", false},
        read_price<&Profile::Cost::class_c_1000>},
    Row{{"cost.kept_after_purge",
         "For how many days what was purged is still stored and charged: by the bucket's rule for\n"
         "hidden objects, or by a lock.",
         "0", false},
        read_count<&Profile::Cost::kept_after_purge>},
    Row{{"cost.drills", "How many times a year everything is restored, to try it.", "4", false},
        read_count<&Profile::Cost::drills>},
    Row{{"cost.disk_copies", "How many copies a year are made onto rotation disks.", "12", false},
        read_count<&Profile::Cost::disk_copies>},
};

/// "b2" of "b2.api_url": the tables that there are.
std::vector<std::string> known_tables() {
  std::vector<std::string> tables;
  for (const Row& row : kRows) {
    const std::size_t dot = row.setting.key.find('.');
    if (dot == std::string_view::npos) continue;
    const std::string table(row.setting.key.substr(0, dot));
    if (std::ranges::find(tables, table) == tables.end()) tables.push_back(table);
  }
  return tables;
}

/// A key of the file, with the table in front where it stands in one.
struct Written {
  std::string name;
  std::uint32_t line;
  const toml::node* node;
};

[[noreturn]] void reject_key(const std::string& file, const Written& key) {
  const std::string where = fmt::format("{}:{}: ", file, key.line);
  const std::string name = base::printable(key.name);
  if (key.node->is_table() || key.node->is_array_of_tables()) {
    fail(
        fmt::format("{}unknown table \"{}\"; the tables are {}, all other keys stand at the top "
                    "level, above them",
                    where, name, fmt::join(known_tables(), ", ")));
  }
  std::vector<std::string> known;
  for (const Row& row : kRows) known.emplace_back(row.setting.key);
  const std::string last = key.name.substr(key.name.find('.') + 1);
  if (last != key.name && std::ranges::find(known, last) != known.end()) {
    fail(
        fmt::format("{}unknown key \"{}\"; \"{}\" belongs to the top level, above the first line "
                    "in [brackets]",
                    where, name, last));
  }
  if (const auto meant = base::nearest(key.name, known)) {
    fail(fmt::format("{}unknown key \"{}\"; did you mean \"{}\"?", where, name, *meant));
  }
  fail(fmt::format("{}unknown key \"{}\"; the keys are {}", where, name, fmt::join(known, ", ")));
}

/// In the order of the file, so that the first thing that is wrong is the first thing reported.
std::vector<Written> keys_of(const toml::table& table) {
  const std::vector<std::string> tables = known_tables();
  std::vector<Written> keys;
  for (auto&& [key, node] : table) {
    const std::string name(key.str());
    if (!node.is_table() || std::ranges::find(tables, name) == tables.end()) {
      keys.push_back({name, key.source().begin.line, &node});
      continue;
    }
    for (auto&& [inner, value] : *node.as_table()) {
      keys.push_back({name + "." + std::string(inner.str()), inner.source().begin.line, &value});
    }
  }
  std::ranges::stable_sort(keys, {}, [](const Written& key) { return key.line; });
  return keys;
}

}  // namespace

std::vector<Setting> settings() {
  std::vector<Setting> list;
  for (const Row& row : kRows) list.push_back(row.setting);
  return list;
}

void read_settings(const std::string& text, const std::string& file, Profile& profile) {
  const toml::table table = parse_toml(text, file);
  for (const Written& key : keys_of(table)) {
    const auto row = std::ranges::find(kRows, std::string_view(key.name),
                                       [](const Row& candidate) { return candidate.setting.key; });
    if (row == kRows.end()) reject_key(file, key);
    row->read(SettingValue(file, row->setting.key, *key.node), profile);
  }
  if (profile.target.empty()) {
    fail(fmt::format("{}: target is missing; add a line such as target = \"file:///srv/backup\"",
                     file));
  }
  if (local_target(profile.target) == profile.source) {
    SettingValue(file, "target", *table.get("target"))
        .reject(fmt::format("is the source itself, {}; a backup needs a place of its own",
                            base::printable(profile.source)));
  }
}

}  // namespace rota::profile
