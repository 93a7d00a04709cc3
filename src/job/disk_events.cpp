#include "job/disk_events.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"

namespace rota::job {

std::string to_json(const DiskEvent& event) {
  nlohmann::json value = {{"time", base::iso(event.time)},
                          {"disk", event.disk},
                          {"step", event.step},
                          {"state", event.state}};
  if (!event.server.empty()) value["server"] = event.server;
  if (!event.detail.empty()) value["detail"] = event.detail;
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

DiskLog::DiskLog(const profile::Places& places, ledger::Disks& disks, const Surroundings& around,
                 OnDiskEvent listener)
    : places_(places), disks_(disks), around_(around), listener_(std::move(listener)) {}

void DiskLog::open(const std::string& disk, const std::string& device, const std::string& serial) {
  disk_ = disk;
  device_ = device;
  serial_ = serial;
  file_ = std::make_unique<base::ProgressFile>(fmt::format("{}/disk-{}.json", places_.run, disk),
                                               "disk " + disk, around_.progress, around_.clock,
                                               around_.warnings);
}

void DiskLog::observe(ledger::Observed state, const std::string& detail) {
  state_ = state;
  ledger::ObservationRow row;
  row.disk = disk_;
  row.time = around_.clock.now();
  row.state = state;
  row.device = device_;
  row.serial = serial_;
  row.detail = detail;
  disks_.observe(row);
}

void DiskLog::begins(const std::string& step, const std::string& server) {
  around_.progress.set_activity(server.empty() ? step : fmt::format("{} {}", step, server));
  around_.progress.files = 0;
  around_.progress.bytes = 0;
  around_.progress.total_files = 0;
  around_.progress.total_bytes = 0;
  tell(step, "begins", "", server);
}

void DiskLog::done(const std::string& step, const std::string& detail, const std::string& server) {
  event(step, "done", detail, server);
}

void DiskLog::event(const std::string& step, const std::string& state, const std::string& detail,
                    const std::string& server) {
  std::string phrase = fmt::format("{} {}", step, state);
  if (!server.empty()) phrase = fmt::format("{}: {}", server, phrase);
  if (!detail.empty()) phrase += ": " + detail;
  observe(state_, phrase);
  tell(step, state, detail, server);
}

void DiskLog::tell(const std::string& step, const std::string& state, const std::string& detail,
                   const std::string& server) {
  const DiskEvent event{around_.clock.now(), disk_, server, step, state, detail};
  if (file_) file_->step(to_json(event));
  if (listener_) listener_(event);
}

base::WriterWait wait_for_writers(ledger::Ledger& ledger, const Surroundings& around) {
  base::Database& database = ledger.database();
  base::Warnings& warnings = around.warnings;
  const auto warn = [&warnings, path = database.path()] {
    warnings.warn("ledger",
                  fmt::format("another program holds {}; it is waited for, an hour at most", path));
  };
  return {database, {around.clock, std::chrono::hours(1), around.stop, warn}};
}

std::int64_t raise_alarm(ledger::Disks& disks, const ledger::AlarmRow& alarm) {
  for (const ledger::AlarmRow& open : disks.alarms(alarm.disk, true)) {
    if (open.kind == alarm.kind && open.server == alarm.server && open.message == alarm.message) {
      return open.id;
    }
  }
  return disks.open_alarm(alarm);
}

std::int64_t raise_alarm(ledger::Disks& disks, base::Instant now, const std::string& kind,
                         ledger::Severity severity, const std::string& disk,
                         const std::string& server, const std::string& message,
                         const std::vector<std::string>& details) {
  ledger::AlarmRow row;
  row.kind = kind;
  row.disk = disk;
  row.server = server;
  row.opened = now;
  row.severity = severity;
  row.message = message;
  row.details = details;
  return raise_alarm(disks, row);
}

}  // namespace rota::job
