#pragma once

#include "ledger/disk_rows.h"
#include "ledger/drills.h"

/// The fields of each row, said once: JSON of the history, columns of the tables, and reading both
/// back, go through them. `visitor(name, field)` is called for each, and `visitor.person(name,
/// field)` for what an export may have to leave out. The names are columns of schema.cpp and keys
/// in exports: never change one. The id of a row is no field: it is its number in the history.
namespace rota::ledger {

/// Where rows of a kind live. key: the columns that name one, for the tables without an id.
struct TableOf {
  const char* kind;  ///< in the history
  const char* table;
  const char* key;
  bool has_id;
};

template <typename Row>
inline constexpr TableOf kTable{};
template <>
inline constexpr TableOf kTable<DiskRow>{"disk", "disk", "name", false};
template <>
inline constexpr TableOf kTable<ClaimRow>{"claim", "claim", "id", true};
template <>
inline constexpr TableOf kTable<ObservationRow>{"observation", "observation", "id", true};
template <>
inline constexpr TableOf kTable<CopyRow>{"copy", "copy", "disk, server, snapshot", false};
template <>
inline constexpr TableOf kTable<CheckRow>{"check", "copy_check", "id", true};
template <>
inline constexpr TableOf kTable<AlarmRow>{"alarm", "alarm", "id", true};
template <>
inline constexpr TableOf kTable<DrillRow>{"drill", "drill", "id", true};

template <typename Visitor>
void visit(Visitor& visitor, DiskRow& row) {
  visitor("name", row.name);
  visitor("label", row.label);
  visitor("uuid", row.uuid);
  visitor("luks_uuid", row.luks_uuid);
  visitor("filesystem", row.filesystem);
  visitor("token_sha256", row.token_sha256);
  visitor("next_token_sha256", row.next_token_sha256);
  visitor("serial", row.serial);
  visitor("model", row.model);
  visitor("size", row.size);
  visitor("set_name", row.set);
  visitor("prepared", row.prepared);
  visitor("state", row.end);
  visitor("state_time", row.end_time);
  visitor.person("state_reason", row.end_reason);
  visitor.person("state_by", row.end_by);
  visitor("capacity", row.capacity);
  visitor("used", row.used);
  visitor("next_copy", row.next_copy);
}

template <typename Visitor>
void visit(Visitor& visitor, ClaimRow& row) {
  visitor("disk", row.disk);
  visitor("time", row.time);
  visitor("state", row.state);
  visitor.person("place", row.place);
  visitor.person("claimed_by", row.by);
  visitor.person("note", row.note);
}

template <typename Visitor>
void visit(Visitor& visitor, ObservationRow& row) {
  visitor("disk", row.disk);
  visitor("time", row.time);
  visitor("state", row.state);
  visitor("device", row.device);
  visitor("serial", row.serial);
  visitor("detail", row.detail);
}

template <typename Visitor>
void visit(Visitor& visitor, CopyRow& row) {
  visitor("disk", row.disk);
  visitor("server", row.server);
  visitor("snapshot", row.snapshot);
  visitor("state", row.state);
  visitor("source", row.source);
  visitor("sealed_time", row.sealed_time);
  visitor("entries", row.entries);
  visitor("bytes", row.bytes);
  visitor("new_bytes", row.new_bytes);
  visitor("warnings", row.warnings);
  visitor("changed", row.changed);
  visitor("added", row.added);
  visitor("removed", row.removed);
  visitor("verified", row.verified);
  visitor("last_verified", row.last_verified);
  visitor("last_good", row.last_good);
  visitor("oldest_read", row.oldest_read);
  visitor("sums_sha256", row.sums_sha256);
}

template <typename Visitor>
void visit(Visitor& visitor, CheckRow& row) {
  visitor("disk", row.disk);
  visitor("server", row.server);
  visitor("snapshot", row.snapshot);
  visitor("time", row.time);
  visitor("what", row.what);
  visitor("good", row.good);
  visitor("files", row.files);
  visitor("bytes", row.bytes);
  visitor("problem", row.problem);
  visitor("seconds", row.seconds);
}

template <typename Visitor>
void visit(Visitor& visitor, AlarmRow& row) {
  visitor("kind", row.kind);
  visitor("what", row.what);
  visitor("extent", row.extent);
  visitor("disk", row.disk);
  visitor("server", row.server);
  visitor("opened", row.opened);
  visitor("severity", row.severity);
  visitor("message", row.message);
  visitor("details", row.details);
  visitor("acknowledged", row.acknowledged);
  visitor.person("acknowledged_by", row.acknowledged_by);
  visitor.person("reason", row.reason);
  visitor("closed", row.closed);
}

template <typename Visitor>
void visit(Visitor& visitor, DrillRow& row) {
  visitor("server", row.server);
  visitor("source", row.source);
  visitor("disk", row.disk);
  visitor("run", row.run);
  visitor("snapshot", row.snapshot);
  visitor("time", row.time);
  visitor("files", row.files);
  visitor("bytes", row.bytes);
  visitor("whole_bytes", row.whole_bytes);
  visitor("restore_seconds", row.restore_seconds);
  visitor("seconds", row.seconds);
  visitor("sample", row.sample);
  visitor("checked", row.checked);
  visitor("passed", row.passed);
  visitor("problem", row.problem);
}

}  // namespace rota::ledger
