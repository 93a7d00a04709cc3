#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tui/rows.h"

/// The parts of a recording, for its own files only. Whoever wrote the file may have written
/// anything: each function throws Error(corrupt) for what none of ours wrote.
namespace rota::tui {

inline constexpr std::size_t kMostText = 4'000;  ///< bytes
inline constexpr std::size_t kMostList = 20'000;
inline constexpr std::size_t kMostDisks = 1'000;

const nlohmann::json& part(const nlohmann::json& value, const char* key);
std::string text(const nlohmann::json& value, const char* key, std::size_t most = kMostText);
/// Up to 2^53.
std::uint64_t number(const nlohmann::json& value, const char* key);
bool flag(const nlohmann::json& value, const char* key);
/// A span that a calendar can be moved by; empty is none.
base::Span span_of(const nlohmann::json& value, const char* key);
std::string span_text(const base::Span& span);
base::Instant moment(const nlohmann::json& value, const char* key);
const nlohmann::json& list(const nlohmann::json& value, const char* key,
                           std::size_t most = kMostList);
std::vector<std::string> texts(const nlohmann::json& value, const char* key);

nlohmann::json to_json(const rotation::ProfileRows& profile);
rotation::ProfileRows profile_of(const nlohmann::json& value);
nlohmann::json to_json(const rotation::SetPolicy& set);
rotation::SetPolicy set_of(const nlohmann::json& value);
nlohmann::json to_json(const Job& job);
Job job_of(const nlohmann::json& value);

}  // namespace rota::tui
