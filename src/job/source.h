#pragma once

#include <string>

#include "job/server.h"
#include "tree/local_source.h"

namespace rota::job {

/// What of this machine a profile takes: its excludes and, before them, rota's own places and keys.
tree::Selection selection(const profile::Profile& profile, const profile::Places& places,
                          base::Warnings& warnings);

/// The name of this machine; empty when it has none.
std::string host_name();

enum class Hook { pre, post };

/// Runs the profile's script of this sort, if it has one.
///
/// consequence: what its failure means, for the message: "nothing was backed up". Throws as
/// dump::run_hook() does.
void run_hook(const profile::Profile& profile, const Surroundings& around, Hook hook,
              const char* consequence);

}  // namespace rota::job
