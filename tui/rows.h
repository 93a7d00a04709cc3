#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ledger/drills.h"
#include "ledger/history.h"
#include "rotation/status.h"

namespace rota::tui {

/// A job with a disk, or a drill, that is under way, as its progress file tells it.
struct Job {
  std::string disk;    ///< of a drill from the store: empty
  bool drill = false;  ///< of `server`
  std::int64_t pid = 0;
  std::string server;
  std::string step;      ///< "copy", "read back", "seal", …
  std::string state;     ///< "begins", "done", "failed", …
  std::string detail;    ///< of the step that was told last
  std::string activity;  ///< what is counted below
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t total_bytes = 0;  ///< 0: unknown
  std::uint64_t rate = 0;         ///< bytes a second, lately
  std::vector<std::string> done;  ///< steps that are over, with what was told of them, oldest first
  friend bool operator==(const Job&, const Job&) = default;
};

/// Everything that the screen is made of, as it was read: what --record writes and --replay reads.
struct Rows {
  base::Instant now{};
  rotation::Facts facts;                             ///< with alarms that are over
  std::map<std::string, std::string> places;         ///< of sets: where their disks are taken
  std::vector<ledger::ClaimRow> claims;              ///< of the last year
  std::vector<ledger::ObservationRow> observations;  ///< of the last year
  std::vector<ledger::HistoryRow> history;           ///< the last kMostHistory, oldest first
  std::vector<Job> jobs;
};

inline constexpr std::size_t kMostHistory = 1'000;

}  // namespace rota::tui
