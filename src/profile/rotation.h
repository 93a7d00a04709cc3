#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "profile/notify.h"
#include "profile/paper.h"
#include "profile/places.h"

namespace rota::profile {

/// Disks that take turns: a table [set.NAME] of rotation.toml.
struct DiskSet {
  std::string name;
  std::vector<std::string> disks;     ///< names; empty: all that no other set names
  base::Span interval{.months = 1};   ///< how often one of them is plugged in
  std::vector<std::string> profiles;  ///< what is copied; empty: all profiles
  std::string place;                  ///< where its disks are taken by default; empty: ask
  base::Span transit{.days = 3};      ///< on the way longer than this: an alarm
  base::Span max_age;                 ///< copies older than this must go; nothing: no limit
  int keep = 0;                       ///< copies of a server on a disk; 0: as many as fit
  base::Span replace_after{.years = 2};
  std::int64_t scrub_budget = 30 * 60;    ///< seconds of re-reading at each plug-in
  std::uint64_t reserve = 1'000'000'000;  ///< bytes that a copy must leave free
  std::string key_file;                   ///< of LUKS, absolute; empty: <config>/keys/<disk>.key
  bool allow_fixed = false;               ///< also disks that are neither USB nor removable
};

/// /etc/rota/rotation.toml.
struct Rotation {
  std::vector<DiskSet> sets;  ///< at least one
  /// Disks that may hold certain servers only: [disk.NAME] profiles = [...].
  std::map<std::string, std::vector<std::string>> limits;
  NotifySettings notify;  ///< how people are told: [notify]
  /// How often each server is restored to try it, [drill] every; nothing ("0"): never asked for.
  base::Span drill_every{.months = 3};
  Paper paper;
  bool written = false;  ///< false: there is no file, and this is the default

  /// The set that names the disk, else the one that takes all; null when there is neither.
  const DiskSet* set_of(std::string_view disk) const;
  const DiskSet* find(std::string_view set) const;
  /// Whether the set of the disk has the profile and the disk is not limited to others.
  bool may_hold(std::string_view disk, std::string_view profile) const;
  /// The profiles that the disk may hold; nothing: any.
  std::optional<std::vector<std::string>> limit_of(std::string_view disk) const;
};

/// One set, "monthly", with every disk and every profile.
Rotation default_rotation();

/// Reads rotation.toml. file: for messages. Throws Error(config), "<file>:<line>: …".
Rotation read_rotation(const std::string& text, const std::string& file);

/// From <config>/rotation.toml; the default when that is absent. Throws Error(config).
Rotation load_rotation(const Places& places);

}  // namespace rota::profile
