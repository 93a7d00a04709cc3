#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rota::profile {

/// Where rota keeps its own things on this machine. All absolute, without a trailing slash.
struct Places {
  std::string config;  ///< one directory a profile, and the disk keys: /etc/rota
  std::string state;   ///< what must outlive a restart: /var/lib/rota
  std::string cache;   ///< what can be made again: /var/cache/rota
  std::string run;     ///< what a restart may take: /run/rota

  std::string ledger() const { return state + "/ledger.db"; }
};

/// The places of the user who runs this process.
///
/// root: /etc/rota, /var/lib/rota, /var/cache/rota, /run/rota. Others: "rota" below
/// $XDG_CONFIG_HOME, $XDG_STATE_HOME, $XDG_CACHE_HOME and $XDG_RUNTIME_DIR, or below ~/.config,
/// ~/.local/state, ~/.cache and ~/.cache/run. $ROTA_CONFIG_DIR, $ROTA_STATE_DIR,
/// $ROTA_CACHE_DIR and $ROTA_RUN_DIR stand above both.
/// Throws Error(config) when one of those four is not absolute, or when $HOME is needed and unset.
/// Source: XDG Base Directory Specification (a relative XDG path is ignored, an empty one is
/// unset).
Places find_places();

/// Looks up an environment variable; null when it is unset.
using Environment = std::function<const char*(const char* name)>;

/// The same for given circumstances.
Places find_places(bool root, const Environment& environment);

/// `path` without doubled or trailing slashes and without "." components. Nothing unless it is
/// absolute and free of ".." (which means something else behind a symlink) and of NUL. Pure.
std::optional<std::string> absolute_path(std::string_view path);

/// True when `path` is `directory` or lies below it. Both as absolute_path() returns them. Pure.
bool is_within(std::string_view path, std::string_view directory);

}  // namespace rota::profile
