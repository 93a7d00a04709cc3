#pragma once

#include <string>
#include <vector>

#include "rotation/timeline.h"
#include "tui/rows.h"

namespace rota::tui {

/// How far back the picture of the disks reaches, and how far ahead.
inline constexpr base::Span kBack{.years = 1};
inline constexpr base::Span kAhead{.months = 2};

/// A disk with all that the screen shows of it.
struct DiskModel {
  ledger::DiskState rows;
  rotation::DiskStatus status;
  std::vector<rotation::Stretch> timeline;
  std::vector<std::string> servers;  ///< with a copy on it
};

/// A sentence of the history.
struct Told {
  base::Instant time{};
  std::string disk;  ///< empty: none in particular
  std::string text;
};

/// What the screen shows: rows, and what src/rotation makes of them. It computes nothing itself.
struct Model {
  base::Instant now{};
  rotation::Status status;  ///< its rotation.disks are in `disks`
  std::vector<DiskModel> disks;
  std::vector<ledger::AlarmRow> alarms;
  std::vector<rotation::ProfileRows> profiles;
  std::vector<Told> history;  ///< newest first
  std::map<std::string, std::string> places;
  std::vector<Job> jobs;

  const DiskModel* find(const std::string& name) const;
  const Job* job_of(const std::string& disk) const;
  /// The drill of a server that is under way; null: none is.
  const Job* drill_of(const std::string& server) const;
};

Model make_model(Rows rows);

}  // namespace rota::tui
