#pragma once

#include <optional>

#include "job/notify.h"
#include "job/server.h"
#include "rotation/reminders.h"
#include "udev/device_probe.h"

namespace rota::job {

/// What is to be said about disks and drills now, or nothing; remembers in <state>/reminders.json
/// that it was said. The file is a memory only: when it cannot be read, everything is said again.
std::optional<Message> remind(const profile::Places& places, udev::DeviceProbe& devices,
                              const Surroundings& around);

/// The memory as text, and back; what cannot be understood is left out. Pure.
std::string said_json(const std::map<std::string, rotation::Said>& said);
std::map<std::string, rotation::Said> read_said(const std::string& text);

}  // namespace rota::job
