#include "profile/places.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "profile/place_list.h"

namespace rota::profile {

namespace {

using base::Error;
using base::ErrorKind;

constexpr Place kPlaces[] = {
    {"Settings: a directory for each profile, rotation.toml, keys of disks", "ROTA_CONFIG_DIR",
     "/etc/rota", "XDG_CONFIG_HOME", ".config"},
    {"State: what must outlive a restart, the ledger of the disks included", "ROTA_STATE_DIR",
     "/var/lib/rota", "XDG_STATE_HOME", ".local/state"},
    {"Cache: what can be made again, from the store or the files", "ROTA_CACHE_DIR",
     "/var/cache/rota", "XDG_CACHE_HOME", ".cache"},
    {"What a restart may take: locks, and how far a job is", "ROTA_RUN_DIR", "/run/rota",
     "XDG_RUNTIME_DIR", ".cache/run"},
};

std::string find(const Place& place, bool root, const Environment& environment) {
  const auto value = [&](const char* name) -> std::string {
    const char* text = environment(name);
    return text == nullptr ? "" : text;
  };
  if (const std::string given = value(place.override_name); !given.empty()) {
    if (const auto path = absolute_path(given)) return *path;
    throw Error(ErrorKind::config,
                fmt::format("{} is \"{}\"; it must be an absolute path without \"..\", such as {}",
                            place.override_name, base::printable(given), place.system));
  }
  if (root) return place.system;
  if (const auto path = absolute_path(value(place.xdg_name))) {
    return *absolute_path(*path + "/rota");
  }
  if (const auto home = absolute_path(value("HOME"))) {
    return *absolute_path(*home + "/" + place.below_home + "/rota");
  }
  throw Error(
      ErrorKind::config,
      fmt::format("HOME is not set to an absolute path, so it is not known where rota keeps "
                  "its files; set HOME or {}",
                  place.override_name));
}

}  // namespace

std::span<const Place> all_places() { return kPlaces; }

Places find_places(bool root, const Environment& environment) {
  return {find(kPlaces[0], root, environment), find(kPlaces[1], root, environment),
          find(kPlaces[2], root, environment), find(kPlaces[3], root, environment)};
}

Places find_places() {
  return find_places(::geteuid() == 0, [](const char* name) { return std::getenv(name); });
}

std::optional<std::string> absolute_path(std::string_view path) {
  if (path.empty() || path.front() != '/' || path.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::string clean;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view component = path.substr(0, path.find('/'));
    path.remove_prefix(component.size());
    if (component == "..") return std::nullopt;
    if (component.empty() || component == ".") continue;
    clean += '/';
    clean += component;
  }
  return clean.empty() ? "/" : clean;
}

bool is_within(std::string_view path, std::string_view directory) {
  if (directory == "/") return true;
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace rota::profile
