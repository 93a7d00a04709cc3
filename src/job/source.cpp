#include "job/source.h"

#include <fmt/core.h>
#include <unistd.h>

#include <array>

#include "base/error.h"
#include "base/signals.h"
#include "dump/hooks.h"
#include "profile/rotation.h"

namespace rota::job {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "";
  return name.data();
}

namespace {

/// That the disks cannot be worked with is no reason to go without tonight's backup.
void check_rotation(const profile::Places& places, base::Warnings& warnings) {
  try {
    profile::load_rotation(places);
  } catch (const base::Error& error) {
    warnings.warn("rotation.toml", error.what());
  }
}

}  // namespace

tree::Selection selection(const profile::Profile& profile, const profile::Places& places,
                          base::Warnings& warnings) {
  tree::Selection selection;
  check_rotation(places, warnings);
  // Rota's own things first: the first rule that matches decides.
  for (const std::string& path : profile::implied_excludes(profile, places)) {
    selection.rules.add_exclude(path);
  }
  selection.rules.append(tree::ExcludeRules::parse(profile.exclude_text, profile.exclude_path));
  selection.one_file_system = profile.one_file_system;
  selection.exclude_caches = profile.exclude_caches;
  selection.exclude_if_present = profile.exclude_if_present;
  return selection;
}

void run_hook(const profile::Profile& profile, const Surroundings& around, Hook hook,
              const char* consequence) {
  const char* when = hook == Hook::pre ? "pre" : "post";
  const std::string& path = hook == Hook::pre ? profile.pre : profile.post;
  if (!path.empty()) around.progress.set_activity(fmt::format("{} hook", when));
  try {
    dump::run_hook(around.processes, path, profile.name, when);
  } catch (const base::Error& error) {
    base::check_stop(around.stop);  // Ctrl-C reaches the hook too
    if (error.kind() == base::ErrorKind::interrupted) {
      throw base::Error(error.kind(), fmt::format("{}: {}", error.what(), consequence));
    }
    throw base::Error(error.kind(), fmt::format("{}: {}", consequence, error.what()));
  }
}

}  // namespace rota::job
