#include "base/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace rota::base {

namespace {

/// The length of the well-formed UTF-8 sequence at the start of `text`, or 0. No overlong forms, no
/// surrogates, nothing above U+10FFFF: table 3-7 of the Unicode standard.
std::size_t sequence_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  std::size_t length = 0;
  unsigned char low = 0x80;  // of the second byte, where all forbidden values show
  unsigned char high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) {
    length = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  }
  if (length == 0 || text.size() < length || at(1) < low || at(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (at(i) < 0x80 || at(i) > 0xbf) return 0;
  }
  return length;
}

/// C0, DEL, and C1: terminals obey U+009B as they obey ESC [.
bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0;
}

/// In characters: every byte but the continuation bytes starts one.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// Levenshtein's distance, with the swap of two neighbours as one step ("lsit" is one from "list"):
/// the commonest slip of a fast typist.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

/// stays: characters that are shown as they are, though they would have to be escaped.
std::string escaped(std::string_view name, std::string_view stays) {
  std::string text;
  text.reserve(name.size());
  while (!name.empty()) {
    const std::size_t length = sequence_length(name);
    const std::string_view sequence = name.substr(0, std::max<std::size_t>(length, 1));
    name.remove_prefix(sequence.size());
    if (stays.find(sequence) != std::string_view::npos) {
      text += sequence;
    } else if (sequence == "\\") {
      text += "\\\\";
    } else if (length > 0 && !is_control(sequence)) {
      text += sequence;
    } else {
      for (const char c : sequence) text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return text;
}

}  // namespace

std::string printable(std::string_view name) { return escaped(name, ""); }
std::string printable_text(std::string_view text) { return escaped(text, "\n\t\\"); }
bool is_printable(std::string_view text) { return escaped(text, "\\") == text; }

std::string shell_quoted(std::string_view word) {
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string shortened(std::string_view path) {
  constexpr std::size_t kShown = 400;
  if (path.size() <= kShown) return std::string(path);
  return fmt::format("{}...{}", path.substr(0, kShown / 2), path.substr(path.size() - kShown / 2));
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string human_size(std::uint64_t bytes) {
  static constexpr std::array kUnits = {"kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  std::uint64_t unit = 1000;
  std::size_t name = 0;
  while (bytes / unit >= 1000) {
    unit *= 1000;
    ++name;
  }
  // Whole steps of the last figure that is shown, in integers: a double would round 2^64 - 1 up.
  const int decimals = bytes / unit >= 100 ? 0 : bytes / unit >= 10 ? 1 : 2;
  const std::uint64_t parts = decimals == 2 ? 100 : decimals == 1 ? 10 : 1;
  const std::uint64_t step = unit / parts;
  const std::uint64_t steps = bytes / step + (bytes % step >= step / 2 ? 1 : 0);
  if (steps == 1000 && decimals == 0) return fmt::format("1 {}", kUnits.at(name + 1));
  std::string number = std::to_string(steps / parts);
  if (steps % parts != 0) {
    number += fmt::format(".{:0{}}", steps % parts, decimals);
    if (number.back() == '0') number.pop_back();
  }
  return fmt::format("{} {}", number, kUnits.at(name));
}

std::string human_count(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t left = text.size(); left > 3; left -= 3) text.insert(left - 3, 1, ',');
  return text;
}

std::string human_duration(std::int64_t seconds) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  seconds = std::max<std::int64_t>(seconds, 0);  // a clock that was set back
  if (seconds < kMinute) return fmt::format("{} s", seconds);
  if (seconds < kHour) {
    const std::int64_t rest = seconds % kMinute;
    return rest == 0 ? fmt::format("{} min", seconds / kMinute)
                     : fmt::format("{} min {:02} s", seconds / kMinute, rest);
  }
  // Hours up to two days: "1 day" would hide as much as it tells.
  if (seconds < 2 * kDay) {
    const std::int64_t rest = seconds % kHour / kMinute;
    return rest == 0 ? fmt::format("{} h", seconds / kHour)
                     : fmt::format("{} h {:02} min", seconds / kHour, rest);
  }
  return fmt::format("{} days", seconds / kDay);
}

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
  const std::size_t limit = std::max<std::size_t>(word.size() / 3, 1);
  std::optional<std::string> best;
  std::size_t least = limit + 1;
  if (word.empty()) return best;
  for (const std::string& candidate : candidates) {
    const std::size_t longer = std::max(word.size(), candidate.size());
    if (longer - std::min(word.size(), candidate.size()) > limit) continue;
    const std::size_t d = distance(word, candidate);
    if (d >= least) continue;
    least = d;
    best = candidate;
  }
  return best;
}

std::string table(const std::vector<std::string>& headings,
                  const std::vector<std::vector<std::string>>& rows) {
  struct Column {
    bool right = false;
    std::size_t width = 0;
  };
  std::vector<Column> columns;
  std::vector<std::string> titles;
  for (const std::string& heading : headings) {
    const bool right = heading.starts_with('>');
    titles.push_back(heading.substr(right ? 1 : 0));
    columns.push_back({right, width(titles.back())});
  }
  for (const auto& row : rows) {
    if (row.size() > columns.size()) columns.resize(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      columns[i].width = std::max(columns[i].width, width(row[i]));
    }
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string& cell = i < row.size() ? row[i] : std::string();
      const std::string padding(columns[i].width - width(cell), ' ');
      if (i > 0) line += "  ";
      line += columns[i].right ? padding + cell : cell + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  if (!titles.empty()) add(titles);
  for (const auto& row : rows) add(row);
  return text;
}

}  // namespace rota::base
