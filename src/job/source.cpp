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

void run_pre(const profile::Profile& profile, const Surroundings& around, const char* consequence) {
  base::check_stop(around.stop);
  if (profile.pre.empty()) return;
  around.progress.set_activity("pre hook");
  try {
    dump::run_hook(around.processes, profile.pre, profile.name, "pre", {}, {around.stop});
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::interrupted) base::check_stop(around.stop);
    throw base::Error(error.kind(), fmt::format("{}: {}", consequence, error.what()));
  }
}

namespace {

/// Much less than TimeoutStopSec of the unit.
constexpr std::chrono::minutes kPostAfterStop{2};

void run_post_hook(const profile::Profile& profile, const Surroundings& around,
                   const char* result) {
  if (profile.post.empty()) return;
  around.progress.set_activity("post hook");
  dump::run_hook(around.processes, profile.post, profile.name, "post", {{"ROTA_RESULT", result}},
                 {around.stop, kPostAfterStop});
}

}  // namespace

void run_post(const profile::Profile& profile, const Surroundings& around,
              const char* consequence) {
  try {
    run_post_hook(profile, around, "done");
  } catch (const base::Error& error) {
    throw base::Error(error.kind(), fmt::format("{}: {}", consequence, error.what()));
  }
}

void run_post_after_failure(const profile::Profile& profile, const Surroundings& around) {
  try {
    run_post_hook(profile, around, around.stop.stop_requested() ? "stopped" : "failed");
  } catch (const std::exception& error) {
    around.warnings.warn(profile.name, error.what());
  }
}

}  // namespace rota::job
