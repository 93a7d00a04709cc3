#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace rota::chain {

enum class RunKind { full, increment };
std::string_view kind_word(RunKind kind);  ///< "full", "increment"

/// A run's name: its UTC second and a random suffix, "20260104T030000Z-7f3a9c". Names sort by time,
/// but the order of runs follows parents, not names: clocks go wrong.
std::string new_run_name(base::Instant time);
/// The time in a run's name; nothing when `name` is not one.
std::optional<base::Instant> run_time(std::string_view name);

/// Names of objects in a store (docs/format.md, "Names"). A chain is named after its full.
///   runs/<chain>/<run>.full | .incr     run records: one listing shows all runs
///   data/<chain>/<run>/v000000, …       volumes
///   data/<chain>/<run>/i000000, …       index
///   data/<chain>/<run>/f000000          system facts
std::string record_name(std::string_view chain, std::string_view run, RunKind kind);
std::string data_prefix(std::string_view chain, std::string_view run);
/// letter: 'v', 'i' or 'f' (ObjectType).
std::string object_name(std::string_view chain, std::string_view run, char letter,
                        std::uint32_t number);
std::string volume_name(std::string_view chain, std::string_view run, std::uint32_t number);
std::string index_name(std::string_view chain, std::string_view run, std::uint32_t number);

inline constexpr std::string_view kRecordPrefix = "runs/";
inline constexpr std::string_view kDataPrefix = "data/";

/// What a record's name says.
struct RecordId {
  std::string chain;
  std::string run;
  RunKind kind;
};
std::optional<RecordId> parse_record_name(std::string_view name);

}  // namespace rota::chain
