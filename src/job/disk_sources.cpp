#include "job/disk_sources.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace rota::job {

using base::Error;
using base::ErrorKind;

namespace {

std::vector<std::string> profiles_for(const profile::Places& places,
                                      const profile::Rotation& rotation,
                                      const SourceChoice& choice) {
  std::vector<std::string> wanted;
  for (const std::string& profile : profile::list_profiles(places)) {
    if (!rotation.may_hold(choice.disk, profile)) continue;
    if (choice.profiles.empty() ||
        std::ranges::find(choice.profiles, profile) != choice.profiles.end()) {
      wanted.push_back(profile);
    }
  }
  for (const std::string& profile : choice.profiles) {
    if (std::ranges::find(wanted, profile) != wanted.end()) continue;
    profile::load_profile(places, profile);  // says so when there is none
    throw Error(ErrorKind::refused,
                fmt::format("disk {} is not for the profile {}: see {}/rotation.toml", choice.disk,
                            profile, places.config));
  }
  if (wanted.empty()) {
    throw Error(ErrorKind::config,
                fmt::format("there is no profile whose server could be copied to disk {}: make one "
                            "with `rota init`, or name it in {}/rotation.toml",
                            choice.disk, places.config));
  }
  return wanted;
}

}  // namespace

DiskSources disk_sources(const profile::Places& places, const profile::Rotation& rotation,
                         const SourceChoice& choice, const Surroundings& around) {
  DiskSources found;
  if (!choice.from_copy.empty()) {
    found.sources.push_back(directory_copy_source(choice.from_copy, around));
    const std::string& server = found.sources.back()->server();
    if (!rotation.may_hold(choice.disk, server)) {
      throw Error(ErrorKind::refused,
                  fmt::format("disk {} is not for the server {}: see {}/rotation.toml", choice.disk,
                              base::printable(server), places.config));
    }
    return found;
  }
  for (const std::string& profile : profiles_for(places, rotation, choice)) {
    try {
      found.sources.push_back(choice.from_chain ? chain_copy_source(places, profile, around)
                                                : local_copy_source(places, profile, around));
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      found.missing.push_back({profile, error});
    }
  }
  if (found.sources.empty()) throw found.missing.front().error;
  return found;
}

}  // namespace rota::job
