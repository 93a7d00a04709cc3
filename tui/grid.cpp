#include "tui/grid.h"

#include <clocale>
#include <cwchar>

#include <algorithm>

namespace rota::tui {

namespace {

/// The C library's own table, as ncurses uses it, whatever the locale of the process is.
locale_t utf8_locale() {
  static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

constexpr char32_t kBad = 0xFFFD;

/// The next character of `text`, which moves on. A byte that begins none is U+FFFD.
char32_t next(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  char32_t value = length == 1 ? first : first & (0x7FU >> length);
  bool good = length != 0 && length <= text.size();
  for (std::size_t i = 1; good && i < length; ++i) {
    good = (byte(i) & 0xC0U) == 0x80U;
    value = value << 6 | (byte(i) & 0x3FU);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (good)
    good = value >= kLeast[length] && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
  text.remove_prefix(good ? length : 1);
  return good ? value : kBad;
}

void append(std::string& text, char32_t value) {
  const auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (value < 0x80) {
    put(value);
  } else if (value < 0x800) {
    put(0xC0 | value >> 6);
    put(0x80 | (value & 0x3F));
  } else if (value < 0x10000) {
    put(0xE0 | value >> 12);
    put(0x80 | (value >> 6 & 0x3F));
    put(0x80 | (value & 0x3F));
  } else {
    put(0xF0 | value >> 18);
    put(0x80 | (value >> 12 & 0x3F));
    put(0x80 | (value >> 6 & 0x3F));
    put(0x80 | (value & 0x3F));
  }
}

}  // namespace

std::u32string decoded(std::string_view text) {
  std::u32string characters;
  characters.reserve(text.size());
  while (!text.empty()) {
    const char32_t value = next(text);
    const bool control = value < 0x20 || (value >= 0x7F && value < 0xA0);
    characters += control ? U' ' : value;
  }
  return characters;
}

std::string encoded(std::u32string_view text) {
  std::string bytes;
  for (const char32_t value : text) append(bytes, value);
  return bytes;
}

int width(char32_t character) {
  if (character < 0x300) return 1;  // no control character gets here
  const locale_t utf8 = utf8_locale();
  if (utf8 == nullptr) return 1;
  const locale_t before = ::uselocale(utf8);
  const int cells = ::wcwidth(static_cast<wchar_t>(character));
  ::uselocale(before);
  return cells < 0 ? 1 : cells;
}

int width(std::string_view text) {
  int cells = 0;
  for (const char32_t character : decoded(text)) cells += width(character);
  return cells;
}

std::string fitted(std::string_view text, int cells) {
  const std::u32string all = decoded(text);
  if (width(text) <= cells) return encoded(all);
  std::u32string kept;
  int used = 0;
  for (const char32_t character : all) {
    if (used + width(character) > cells - 1) break;
    used += width(character);
    kept += character;
  }
  if (cells > 0) kept += U'…';
  return encoded(kept);
}

std::string fitted_end(std::string_view text, int cells) {
  const std::u32string all = decoded(text);
  if (width(text) <= cells) return encoded(all);
  std::size_t begin = all.size();
  for (int used = 1; begin > 0 && used + width(all[begin - 1]) <= cells; --begin) {
    used += width(all[begin - 1]);
  }
  // What combines with a character that is gone goes with it.
  while (begin < all.size() && width(all[begin]) == 0) ++begin;
  return cells > 0 ? "…" + encoded(std::u32string_view(all).substr(begin)) : "";
}

std::string padded(std::string_view text, int cells) {
  std::string result = fitted(text, cells);
  const int used = width(result);
  if (used < cells) result.append(static_cast<std::size_t>(cells - used), ' ');
  return result;
}

std::vector<std::string> wrapped(std::string_view text, int cells) {
  cells = std::max(cells, 2);
  std::vector<std::string> lines;
  std::u32string line;
  int used = 0;
  std::size_t blank = std::u32string::npos;  // the last one of the line
  const std::u32string all = decoded(text);
  const auto end_line = [&](std::size_t at, std::size_t rest) {
    lines.push_back(encoded(std::u32string_view(line).substr(0, at)));
    line.erase(0, rest);
    used = width(encoded(line));
    blank = std::u32string::npos;
  };
  for (const char32_t character : all) {
    const bool full = used + width(character) > cells;
    if (full && character == U' ') {
      end_line(line.size(), line.size());
      continue;
    }
    // Twice, when what stands behind the blank still fills the line.
    while (used + width(character) > cells) {
      blank == std::u32string::npos ? end_line(line.size(), line.size())
                                    : end_line(blank, blank + 1);
    }
    if (character == U' ') blank = line.size();
    line += character;
    used += width(character);
  }
  if (!line.empty() || lines.empty()) lines.push_back(encoded(line));
  return lines;
}

char ascii(char32_t character) {
  if (character < 0x7F) return static_cast<char>(character);
  switch (character) {
    case U'█':
    case U'▓':
      return '#';
    case U'▒':
      return '=';
    case U'░':
      return ':';
    case U'─':
    case U'━':
    case U'–':
    case U'—':
      return '-';
    case U'│':
    case U'┃':
      return '|';
    case U'·':
      return '.';
    case U'…':
      return '~';
    case U'↑':
      return '^';
    case U'↓':
      return 'v';
    case U'▶':
    case U'›':
    case U'→':
      return '>';
    case U'←':
      return '<';
    default:
      return '?';
  }
}

Grid::Grid(int columns, int rows)
    : columns_(std::max(columns, 1)),
      rows_(std::max(rows, 1)),
      cells_(static_cast<std::size_t>(columns_) * static_cast<std::size_t>(rows_)) {}

Cell& Grid::cell(int column, int row) {
  return cells_[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_) +
                static_cast<std::size_t>(column)];
}

const Cell& Grid::at(int column, int row) const {
  return cells_.at(static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_) +
                   static_cast<std::size_t>(column));
}

int Grid::put(int column, int row, std::string_view text, Style style) {
  if (row < 0 || row >= rows_) return column;
  constexpr std::size_t kMostCombined = 4;  // a hostile name may pile up any number
  for (const char32_t character : decoded(text)) {
    const int cells = width(character);
    if (cells == 0) {
      const int before = column >= 2 && column <= columns_ && cell(column - 1, row).text.empty()
                             ? column - 2
                             : column - 1;
      if (before >= 0 && before < columns_ && cell(before, row).text.size() < kMostCombined) {
        cell(before, row).text += character;
      }
      continue;
    }
    if (column >= 0 && column + cells <= columns_) {
      cell(column, row) = {std::u32string(1, character), style};
      if (cells == 2) cell(column + 1, row) = {U"", style};
    }
    column += cells;
  }
  return std::min(column, columns_);
}

int Grid::put(int column, int row, const Line& line) {
  for (const Span& span : line) column = put(column, row, span.text, span.style);
  return column;
}

void Grid::paint(int row, Style style) {
  if (row < 0 || row >= rows_) return;
  for (int column = 0; column < columns_; ++column) cell(column, row).style = style;
}

std::string Grid::text(bool only_ascii) const {
  std::string all;
  for (int row = 0; row < rows_; ++row) {
    std::string line;
    for (int column = 0; column < columns_; ++column) {
      const std::u32string& text = at(column, row).text;
      if (!only_ascii) {
        line += encoded(text);
      } else {
        line += text.empty() ? '?' : ascii(text.front());
      }
    }
    line.erase(line.find_last_not_of(' ') + 1);
    all += line + "\n";
  }
  return all;
}

}  // namespace rota::tui
