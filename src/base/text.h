#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rota::base {

/// A path or name as it may be shown on a terminal: valid UTF-8 stays, control characters and bytes
/// that are not UTF-8 become \xNN, a backslash \\.
std::string printable(std::string_view name);

/// A text of several lines as it may be shown: line ends, tabs and backslashes stay, also those of
/// an escape that printable() made of a name in it. All else as printable().
std::string printable_text(std::string_view text);

/// True when a terminal shows `text` as it is: well-formed UTF-8 without control characters.
bool is_printable(std::string_view text);

/// A word of a shell command, in quotes: 'the bank', 'jo'\''s'.
std::string shell_quoted(std::string_view word);

/// A path that would fill a screen, for messages: its beginning and its end with "..." between.
/// Others as they are.
std::string shortened(std::string_view path);

/// True when `text` is well-formed UTF-8.
bool is_utf8(std::string_view text);

/// "1.5 GB", decimal units, three figures at most.
std::string human_size(std::uint64_t bytes);

/// "78,204".
std::string human_count(std::uint64_t number);

/// "45 s", "3 min 20 s", "2 h 05 min", "3 days".
std::string human_duration(std::int64_t seconds);

/// The candidate that differs least from `word` (edit distance), when it is near enough to be what
/// was meant: at most a third of the length, and at least one.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

/// Rows as a table with columns lined up: text columns to the left, columns whose heading starts
/// with '>' to the right (the '>' is not shown). Widths are counted in UTF-8 characters.
std::string table(const std::vector<std::string>& headings,
                  const std::vector<std::vector<std::string>>& rows);

}  // namespace rota::base
