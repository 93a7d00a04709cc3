#pragma once

#include <span>

namespace rota::profile {

/// One of the Places: what it is for, and what says where it is.
struct Place {
  const char* what;
  const char* override_name;  ///< "ROTA_CONFIG_DIR"
  const char* system;         ///< for root, "/etc/rota"
  const char* xdg_name;       ///< for others: below this variable's directory in "rota", or below
  const char* below_home;     ///< this one of the home directory
};

/// All places, in the order of Places.
std::span<const Place> all_places();

}  // namespace rota::profile
