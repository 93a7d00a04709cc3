#include "cli/status_json.h"

#include "cli/drill_json.h"

namespace rota::cli {

using nlohmann::json;

namespace {

using cli::to_json;  // those of the header, beside those here

json to_json(const rotation::Notice& notice) {
  return {{"level", rotation::word(notice.level)},
          {"kind", notice.kind},
          {"set", notice.set},
          {"disk", notice.disk},
          {"server", notice.server},
          {"text", notice.text}};
}

json to_json(const rotation::SetStatus& set) {
  return {{"name", set.name},
          {"interval", set.interval},
          {"disks", set.disks},
          {"next_disk", set.next_disk},
          {"due", json_time(set.due)},
          {"missing", set.missing},
          {"detection_window",
           set.detection_window ? json(set.detection_window->count()) : json(nullptr)}};
}

json to_json(const rotation::Exposure& exposure) {
  return {{"server", exposure.server},
          {"sentence", exposure.sentence},
          {"falls_back_to", json_time(exposure.falls_back_to)},
          {"seconds", exposure.age ? json(exposure.age->count()) : json(nullptr)},
          {"disk", exposure.disk},
          {"place", exposure.place},
          {"by", exposure.by},
          {"since", json_time(exposure.since)}};
}

json drill_json(const std::optional<ledger::DrillRow>& row) {
  return row ? to_json(*row) : json(nullptr);
}

json to_json(const rotation::DrillStatus& drill) {
  return {{"server", drill.server},
          {"level", rotation::word(drill.level)},
          {"last", drill_json(drill.last)},
          {"passed", drill_json(drill.passed)},
          {"failing", drill.failing},
          {"due", json_time(drill.due)},
          {"text", drill.text}};
}

json to_json(const rotation::ProfileStatus& profile) {
  json value = {{"profile", profile.profile},  {"level", rotation::word(profile.level)},
                {"runs", profile.runs},        {"chains", profile.chains},
                {"stored", profile.stored},    {"messages", profile.messages},
                {"newest", nullptr},           {"next_full_due", json_time(profile.next_full_due)},
                {"last_verification", nullptr}};
  if (profile.newest) {
    const ledger::RunRow& run = *profile.newest;
    value["newest"] = {{"name", run.name},
                       {"kind", ledger::word(run.kind)},
                       {"time", base::iso(run.time)},
                       {"files", run.files},
                       {"bytes", run.bytes},
                       {"warnings", run.warnings}};
  }
  if (profile.last_verification) {
    const ledger::VerifyRow& row = *profile.last_verification;
    value["last_verification"] = {{"time", base::iso(row.time)},
                                  {"what", ledger::word(row.what)},
                                  {"good", row.good},
                                  {"problem", row.problem}};
  }
  return value;
}

template <typename Rows>
json list(const Rows& rows) {
  json values = json::array();
  for (const auto& row : rows) values.push_back(to_json(row));
  return values;
}

}  // namespace

json json_time(const std::optional<base::Instant>& time) {
  return time ? json(base::iso(*time)) : json(nullptr);
}

json to_json(const rotation::DiskStatus& disk) {
  json value = {{"name", disk.name},
                {"label", disk.label},
                {"set", disk.set},
                {"state", disk.word},
                {"level", rotation::word(disk.level)},
                {"off_site", disk.off_site},
                {"place", disk.place},
                {"by", disk.by},
                {"since", json_time(disk.since)},
                {"last_seen", json_time(disk.last_seen)},
                {"copies", disk.copies},
                {"newest", nullptr},
                {"next", disk.next},
                {"due", json_time(disk.due)},
                {"oldest_read", json_time(disk.oldest_read)},
                {"used", disk.used ? json(*disk.used) : json(nullptr)},
                {"next_fits", disk.next_fits},
                {"replace", json_time(disk.replace)}};
  if (disk.newest) {
    value["newest"] = {{"server", disk.newest->server},
                       {"snapshot", disk.newest->snapshot},
                       {"time", base::iso(disk.newest->snapshot_time())},
                       {"age", disk.newest_age->count()}};
  }
  return value;
}

json to_json(const rotation::Status& status) {
  const rotation::RotationStatus& rotation = status.rotation;
  return {{"level", rotation::word(status.level)}, {"exposure", to_json(rotation.worst)},
          {"exposures", list(rotation.exposures)}, {"disks", list(rotation.disks)},
          {"sets", list(rotation.sets)},           {"notices", list(rotation.notices)},
          {"duties", list(rotation.duties)},       {"drills", list(rotation.drills)},
          {"profiles", list(status.profiles)}};
}

}  // namespace rota::cli
