#pragma once

#include <cstdint>
#include <string_view>

namespace rota::disk {

/// The bytes of a copy's index (docs/format.md, "Index of a copy").
inline constexpr std::uint32_t kSkippable = 0x184D2A53;
inline constexpr std::string_view kMagic = "ROTA";
inline constexpr std::uint8_t kIndexVersion = 1;
inline constexpr char kHeaderFrame = 'C';
inline constexpr char kBlockFrame = 'b';
inline constexpr char kMarkFrame = 'm';
inline constexpr char kEndFrame = 'e';

inline constexpr unsigned kRacy = 0x40;  ///< in an entry's head
inline constexpr unsigned kLinked = 1;   ///< in the byte behind an entry
inline constexpr unsigned kNoise = 2;

}  // namespace rota::disk
