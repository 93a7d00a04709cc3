#include "profile/profile.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <span>
#include <sstream>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "profile/config_file.h"
#include "profile/program.h"
#include "profile/settings.h"

namespace rota::profile {

namespace {

using base::Error;
using base::ErrorKind;

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorKind::config, message); }

std::string find_hook(const std::string& directory, const std::string& name) {
  const std::string path = directory + "/" + name;
  if (!base::exists(path)) return "";
  check_program(path);
  return path;
}

/// Where `path` really lies: symlinks resolved as far as it exists.
std::string resolved(const std::string& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::weakly_canonical(path, error);
  return absolute_path(error ? path : real.string()).value_or(path);
}

/// Files that the table names by one of `keys`, and the tables in it.
void collect(const toml::table& table, std::span<const std::string_view> keys,
             std::vector<std::string>& files) {
  for (auto&& [key, node] : table) {
    if (const toml::table* inner = node.as_table()) {
      collect(*inner, keys, files);
    } else if (std::ranges::find(keys, key.str()) != keys.end()) {
      const auto path = absolute_path(node.value<std::string>().value_or(""));
      if (path) files.push_back(*path);
    }
  }
}

/// The same of a file, as far as it can be read at all: a mistake in one profile must not put its
/// secrets into the backup of another.
void collect(const std::string& file, std::span<const std::string_view> keys,
             std::vector<std::string>& files) {
  const auto read = [&](const std::string& text) {
    try {
      collect(parse_toml(text, file), keys, files);
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  std::string text;
  try {
    text = read_config(file).value_or("");
  } catch (const Error&) {
    return;
  }
  if (read(text)) return;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) read(line);
}

/// Names; none where it cannot be read.
std::vector<std::string> list_directory(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator directory(path, error);
  for (; !error && directory != std::filesystem::directory_iterator(); directory.increment(error)) {
    names.push_back(directory->path().filename().string());
  }
  return names;
}

/// Everything on this machine that opens a store, an encrypted chain or a disk.
std::vector<std::string> secrets(const Places& places) {
  static constexpr std::array<std::string_view, 2> kOfProfile{"credentials", "key"};
  static constexpr std::array<std::string_view, 1> kOfDisks{"key_file"};
  std::vector<std::string> files{places.config + "/keys"};
  std::vector<std::string> names;
  try {
    names = list_profiles(places);
  } catch (const Error&) {  // what cannot be listed can hardly be backed up either
  }
  for (const std::string& name : names) {
    collect(places.config + "/" + name + "/profile.toml", kOfProfile, files);
  }
  collect(places.config + "/rotation.toml", kOfDisks, files);
  // An unfinished run's journal has its key. Also of profiles that are gone, and what a crash left
  // of the writing.
  std::error_code error;
  for (const std::string& name : list_directory(places.state)) {
    const std::string directory = places.state + "/" + name;
    if (!std::filesystem::is_directory(directory, error)) continue;
    for (const char* file : {"journal", "resume", "resume.new"}) {
      files.push_back(directory + "/" + file);
    }
    for (const std::string& file : list_directory(directory)) {
      if (file.starts_with("journal.")) files.push_back(directory + "/" + file);
    }
  }
  return files;
}

}  // namespace

void check_profile_name(std::string_view name) {
  const auto letter_or_digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  const bool good = !name.empty() && name.size() <= 64 && letter_or_digit(name.front()) &&
                    std::ranges::all_of(name, [&](char c) {
                      return letter_or_digit(c) || c == '.' || c == '_' || c == '-';
                    });
  if (!good) {
    throw Error(ErrorKind::usage,
                fmt::format("\"{}\" cannot name a profile: a name has 1 to 64 of the characters "
                            "A-Z a-z 0-9 . _ - and starts with a letter or a digit",
                            base::printable(name)));
  }
  if (name == "keys") {
    throw Error(ErrorKind::usage,
                "\"keys\" cannot name a profile: the directory of that name holds the disk keys");
  }
}

std::vector<std::string> list_profiles(const Places& places) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator directory(places.config, error);
  for (; !error && directory != std::filesystem::directory_iterator(); directory.increment(error)) {
    const std::string name = directory->path().filename().string();
    try {
      check_profile_name(name);
    } catch (const Error&) {
      continue;
    }
    struct stat st {};
    const std::string file = places.config + "/" + name + "/profile.toml";
    // One that may not be looked at counts: reading it will then say why it cannot be read.
    const bool there = ::stat(file.c_str(), &st) == 0 ? S_ISREG(st.st_mode) : errno == EACCES;
    if (there) names.push_back(name);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    base::throw_os("cannot read the directory", base::printable(places.config), error.value());
  }
  std::ranges::sort(names);
  return names;
}

std::string only_profile(const Places& places) {
  const std::vector<std::string> names = list_profiles(places);
  if (names.size() == 1) return names.front();
  if (names.empty()) {
    fail(fmt::format("no profile yet: run `rota init` to make one in {}",
                     base::printable(places.config)));
  }
  throw Error(ErrorKind::usage, fmt::format("there are {} profiles: {}; say which one is meant",
                                            names.size(), fmt::join(names, ", ")));
}

Profile load_profile(const Places& places, const std::string& name) {
  check_profile_name(name);
  Profile profile;
  profile.name = name;
  profile.directory = places.config + "/" + name;
  profile.exclude_path = profile.directory + "/exclude";
  const std::string file = profile.directory + "/profile.toml";
  const auto text = read_config(file);
  if (!text) {
    const std::vector<std::string> names = list_profiles(places);
    const std::string missing =
        fmt::format("there is no profile \"{}\": no file {}", name, base::printable(file));
    if (names.empty()) fail(missing + "; run `rota init` to make it");
    const auto meant = base::nearest(name, names);
    fail(meant ? fmt::format("{}; did you mean \"{}\"?", missing, *meant)
               : fmt::format("{}; there are: {}", missing, fmt::join(names, ", ")));
  }
  read_settings(*text, base::printable(file), profile);
  profile.exclude_text = read_config(profile.exclude_path).value_or("");
  profile.pre = find_hook(profile.directory, "pre");
  profile.post = find_hook(profile.directory, "post");
  return profile;
}

std::optional<std::string> local_target(std::string_view target) {
  constexpr std::string_view kScheme = "file://";
  if (target.starts_with(kScheme)) target.remove_prefix(kScheme.size());
  return absolute_path(target);
}

std::vector<std::string> implied_excludes(const Profile& profile, const Places& places) {
  std::vector<std::string> own = secrets(places);
  own.push_back(places.cache);
  if (profile.credentials.starts_with('/')) own.push_back(profile.credentials);
  if (!profile.key.empty()) own.push_back(profile.key);
  if (const auto directory = local_target(profile.target)) own.push_back(*directory);

  const std::string real_source = resolved(profile.source);
  std::vector<std::string> list;
  const auto add = [&](const std::string& path, const std::string& source) {
    if (path == source || !is_within(path, source)) return;
    // As the walk of the source names it: the source itself may be reached through a symlink.
    const std::string below = source == "/" ? path.substr(1) : path.substr(source.size() + 1);
    list.push_back((profile.source == "/" ? "" : profile.source) + "/" + below);
  };
  for (const std::string& path : own) {
    add(path, profile.source);
    add(resolved(path), real_source);
  }
  std::ranges::sort(list);
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

}  // namespace rota::profile
