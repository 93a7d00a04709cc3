#include "profile/places.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.h"
#include "base/text.h"

namespace rota::profile {

namespace {

using base::Error;
using base::ErrorKind;

struct Place {
  const char* override_name;
  const char* system;
  const char* xdg_name;
  const char* below_home;
};

constexpr Place kConfig{"ROTA_CONFIG_DIR", "/etc/rota", "XDG_CONFIG_HOME", ".config"};
constexpr Place kState{"ROTA_STATE_DIR", "/var/lib/rota", "XDG_STATE_HOME", ".local/state"};
constexpr Place kCache{"ROTA_CACHE_DIR", "/var/cache/rota", "XDG_CACHE_HOME", ".cache"};
constexpr Place kRun{"ROTA_RUN_DIR", "/run/rota", "XDG_RUNTIME_DIR", ".cache/run"};

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

Places find_places(bool root, const Environment& environment) {
  return {find(kConfig, root, environment), find(kState, root, environment),
          find(kCache, root, environment), find(kRun, root, environment)};
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
