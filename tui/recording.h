#pragma once

#include <string>
#include <string_view>

#include "tui/rows.h"

namespace rota::tui {

/// A recording is larger than this only by mistake.
inline constexpr std::size_t kMostRecording = 64U << 20;

/// The rows as JSON: for a question to somebody else, for tests and for docs. Holds names of
/// people, places and files.
std::string recording(const Rows& rows);
/// The reverse; file: for messages. Throws Error(corrupt) for anything that recording() does not
/// write.
Rows read_recording(std::string_view text, const std::string& file);

}  // namespace rota::tui
