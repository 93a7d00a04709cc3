#pragma once

#include "job/disk_session.h"
#include "profile/rotation.h"

namespace rota::job {

/// Tells people that it is another disk's turn, and raises an alarm for other rotation disks that
/// are plugged in at the same time. Nothing is refused: a copy on the wrong disk is better than
/// none. The disk belongs to a set of `rotation`.
void check_turn(const DiskSession& session, const profile::Rotation& rotation, ledger::Disks& disks,
                DiskLog& log, const Surroundings& around);

}  // namespace rota::job
