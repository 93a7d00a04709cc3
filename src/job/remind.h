#pragma once

#include <optional>

#include "job/notify.h"
#include "job/server.h"
#include "rotation/reminders.h"
#include "udev/device_probe.h"

namespace rota::job {

struct Reminder {
  std::optional<Message> message;  ///< nothing: all is well, or was said lately
  std::string memory;              ///< for remember(), once people have been told
};

/// What is to be said about disks and drills now. What was said before stands in
/// <state>/reminders.json, which is a memory only: when it cannot be read, everything is said
/// again.
Reminder remind(const profile::Places& places, udev::DeviceProbe& devices,
                const Surroundings& around);
/// Notes that it was said.
void remember(const profile::Places& places, const Reminder& reminder);

/// The memory as text, and back; what cannot be understood is left out. Pure.
std::string said_json(const std::map<std::string, rotation::Said>& said);
std::map<std::string, rotation::Said> read_said(const std::string& text);

}  // namespace rota::job
