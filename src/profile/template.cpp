#include "profile/template.h"

#include <fmt/core.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "profile/profile.h"
#include "profile/settings.h"

namespace rota::profile {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::string_view kProfileHead = R"(# rota: the settings of the profile "{}".
#
# A line is `key = value`. Text and spans of time stand in double quotes. A line that starts with
# "#" is a comment; a key that is commented out shows its default or an example.
#
# Beside this file:
#   exclude   what is left out
#   pre       a program that is run before each backup, if it is there: database dumps, for example
#   post      a program that is run after each backup, if it is there, also when it failed or was
#             stopped, but not when pre failed; $ROTA_RESULT is done, failed or stopped
)";

constexpr std::string_view kExcludeHead = R"(# rota: what the profile "{}" leaves out.
#
#   - PATTERN   leave out what matches, and all that lies below it
#   + PATTERN   take in what matches, though a later rule would leave it out
#
# One rule a line. The first rule that matches decides; what no rule matches is backed up.
# A pattern is the full path on this server, below the source directory too: with the source /srv,
# write "- /srv/scratch" and not "- /scratch". In a pattern
#
#   *       is any text without a slash        - /home/*/.cache
#   **      is any text, slashes included      - /srv/**/cache
#   ?       is one character, but no slash     - /srv/log.?
#   [a-c]   is one of these characters         - /srv/disk[0-9]
)";

/// Default rules that belong together, and why they are there.
struct Group {
  std::string_view reason;
  std::vector<std::string_view> paths;
};

const std::vector<Group>& default_excludes() {
  static const std::vector<Group> groups{
      {"# What the kernel and running programs make anew at every start.\n",
       {"/dev", "/proc", "/sys", "/run", "/var/lock", "/var/run"}},
      {"# What a filesystem check found; the kernel and the boot loader, which come back with "
       "their\n"
       "# packages.\n",
       {"/lost+found", "/boot"}},
      {"# Temporary files.\n", {"/tmp", "/var/tmp"}},
      {"# Other disks: the rotation disks are mounted here, too.\n", {"/media", "/mnt"}},
      {"# Caches, crash reports and swap.\n",
       {"/var/cache", "/var/crash", "/var/swap", "/var/swapfile", "/var/swap.img"}},
      {"# Databases MUST BE DUMPED: the files of a running database cannot be restored from a "
       "copy\n"
       "# that was made file by file. Let the program \"pre\" dump them (mysqldump, pg_dumpall) to "
       "a\n"
       "# directory that is backed up.\n",
       {"/var/lib/mysql", "/var/lib/postgresql"}},
      {"# Not files on a disk: containers see the kernel's counters here.\n", {"/var/lib/lxcfs"}}};
  return groups;
}

std::string exclude_text(const NewProfile& wanted) {
  std::string text = fmt::format(kExcludeHead, wanted.name);
  for (const Group& group : default_excludes()) {
    text += fmt::format("\n{}", group.reason);
    for (const std::string_view path : group.paths) {
      // A rule for the source or for a directory above it would leave out everything.
      text += is_within(wanted.source, path)
                  ? fmt::format("# (not {}: the source lies there)\n", path)
                  : fmt::format("- {}\n", path);
    }
  }
  return text;
}

/// A TOML basic string. `text` is UTF-8.
std::string toml_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      quoted += fmt::format("\\u{:04X}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string profile_text(const NewProfile& wanted) {
  std::string text = fmt::format(kProfileHead, wanted.name);
  for (const Setting& setting : settings()) {
    std::string value(setting.value);
    bool shown = setting.shown;
    if (setting.key == "source") value = toml_string(wanted.source);
    if (setting.key == "target") value = toml_string(wanted.target);
    if (setting.key == "credentials" && !wanted.credentials.empty()) {
      value = toml_string(wanted.credentials);
      shown = true;
    }
    text += "\n# ";
    for (const char c : setting.meaning) {
      text += c;
      if (c == '\n') text += "# ";
    }
    text += fmt::format("\n{}{} = {}\n", shown ? "" : "#", setting.key, value);
  }
  return text;
}

void check_utf8(std::string_view what, std::string_view text) {
  if (base::is_utf8(text)) return;
  throw Error(
      ErrorKind::usage,
      fmt::format("the {} \"{}\" is not UTF-8, which is all that profile.toml can hold; use "
                  "a symlink with another name",
                  what, base::printable(text)));
}

std::string checked_path(std::string_view what, std::string_view text) {
  check_utf8(what, text);
  if (auto path = absolute_path(text)) return *path;
  throw Error(ErrorKind::usage, fmt::format("the {} is \"{}\"; it must be an absolute path without "
                                            "\"..\"",
                                            what, base::printable(text)));
}

/// `wanted` with clean paths.
NewProfile checked(NewProfile wanted) {
  check_profile_name(wanted.name);
  wanted.source = checked_path("source", wanted.source);
  if (!wanted.credentials.empty()) {
    wanted.credentials = checked_path("credentials file", wanted.credentials);
  }
  check_utf8("target", wanted.target);
  if (wanted.target.empty()) {
    throw Error(ErrorKind::usage,
                "the new profile has no target; name one, such as file:///srv/backup");
  }
  if (local_target(wanted.target) == wanted.source) {
    throw Error(
        ErrorKind::usage,
        fmt::format("the target is the source itself, {}; a backup needs a place of its own",
                    base::printable(wanted.source)));
  }
  return wanted;
}

}  // namespace

void create_profile(const Places& places, const NewProfile& wanted) {
  const NewProfile clean = checked(wanted);
  const std::string directory = places.config + "/" + clean.name;
  const std::string file = directory + "/profile.toml";
  const std::string exclude_file = directory + "/exclude";
  const std::string excludes = exclude_text(clean);
  if (base::exists(file)) {
    throw Error(
        ErrorKind::refused,
        fmt::format("the profile \"{}\" exists already; edit {}, or remove the directory {} "
                    "to start afresh",
                    clean.name, base::printable(file), base::printable(directory)));
  }
  // The same list is what an interrupted call left; another one is somebody's work.
  const bool exclude_is_there = base::exists(exclude_file);
  if (exclude_is_there && base::read_file(exclude_file, UINT64_MAX) != excludes) {
    throw Error(ErrorKind::refused,
                fmt::format("{} exists already without a profile.toml beside it; move it away, "
                            "run this again and then put it back",
                            base::printable(exclude_file)));
  }
  base::real_files().make_directories(directory, 0700);
  if (!exclude_is_there) base::write_file(exclude_file, excludes);
  base::write_file(file, profile_text(clean));
}

}  // namespace rota::profile
