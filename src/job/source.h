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

/// Runs the profile's `pre`, if it has one. A request to stop ends it.
///
/// consequence: what its failure means, for the message: "nothing was backed up". Throws as
/// dump::run_hook() does. When this returns, one of the next two is called, whatever happens.
void run_pre(const profile::Profile& profile, const Surroundings& around, const char* consequence);

/// Runs the profile's `post`, if it has one, behind what succeeded. A request to stop does not end
/// it, but limits its time: what `pre` stopped must come to life again. The rest is as with
/// run_pre().
void run_post(const profile::Profile& profile, const Surroundings& around, const char* consequence);

/// The same behind what failed or was stopped, which is what counts: that `post` fails, too, is a
/// warning.
void run_post_after_failure(const profile::Profile& profile, const Surroundings& around);

}  // namespace rota::job
