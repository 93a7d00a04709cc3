#pragma once

#include <span>
#include <string>

#include "rotation/swaps.h"

namespace rota::job {

/// Swaps and drills as an iCalendar file, a day of this machine's time zone each, with an alarm
/// at nine on the day before. The UID of one stays while its date moves: a calendar that reads the
/// file again moves the entry. host: names the machine. Pure, but for the zone. Source: RFC 5545.
std::string icalendar(std::span<const rotation::Swap> swaps,
                      std::span<const rotation::ComingDrill> drills, const std::string& host,
                      base::Instant now);

}  // namespace rota::job
