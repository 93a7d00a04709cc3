#pragma once

#include <optional>
#include <string>
#include <vector>

namespace rota::job {

/// Something that starts rota by itself, again and again.
struct Schedule {
  enum class Kind { cron, timer };
  Kind kind = Kind::cron;
  std::string place;  ///< the file
  /// cron: to whom its output goes by MAILTO; "" sends it to nobody, nothing to the file's owner.
  std::optional<std::string> mail_to;
  bool tells_failure = false;  ///< timer: its service has an OnFailure=
};

/// What starts `rota cron` or `rota backup` for a profile: entries in /etc/crontab, /etc/cron.d and
/// the user's crontab, scripts in /etc/cron.hourly, .daily and .weekly, and systemd timers that are
/// enabled. Read from the files alone: what names rota by way of another script is not found, and
/// drop-ins of units (*.d/*.conf) are not read.
///
/// root: in front of all paths: "" but in tests. user: whose crontab. Files that cannot be read
/// count as absent. Sources: crontab(5), cron(8), systemd.timer(5), systemd.unit(5).
std::vector<Schedule> find_schedules(const std::string& root, const std::string& user,
                                     const std::string& profile);

/// True when a line of a crontab, a script or a unit runs `rota cron` or `rota backup` for the
/// profile, or without naming any. Pure.
bool runs_rota(const std::string& line, const std::string& profile);

}  // namespace rota::job
