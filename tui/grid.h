#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rota::tui {

/// What a cell means. The terminal gives each a colour where it has some; what it says stands in
/// the text too, so that nothing is told by colour alone.
enum class Style { plain, dim, strong, heading, good, warning, alarm, selected, banner };

/// A piece of a line.
struct Span {
  std::string text;  ///< UTF-8, without control characters
  Style style = Style::plain;
};
using Line = std::vector<Span>;

/// The cells that a character takes: 0 (combines with the one before), 1 or 2.
int width(char32_t character);
/// The cells that a text takes.
int width(std::string_view text);
/// At most so many cells of it; "…" ends a text that was cut.
std::string fitted(std::string_view text, int cells);
/// As fitted(), but its end is kept: "…" stands before it.
std::string fitted_end(std::string_view text, int cells);
/// fitted(), and filled up with blanks.
std::string padded(std::string_view text, int cells);
/// Divided at blanks into lines of at most so many cells; a word that is longer is divided itself.
std::vector<std::string> wrapped(std::string_view text, int cells);
/// The character or the nearest one of ASCII.
char ascii(char32_t character);
/// Bytes that are no UTF-8 become U+FFFD, control characters blanks.
std::u32string decoded(std::string_view text);
std::string encoded(std::u32string_view text);

/// One cell of the screen. The right half of a wide character is a cell with an empty text.
struct Cell {
  std::u32string text = U" ";  ///< a character and what combines with it
  Style style = Style::plain;
  friend bool operator==(const Cell&, const Cell&) = default;
};

/// A screen as cells; what lies outside is cut off.
class Grid {
 public:
  Grid(int columns, int rows);

  int columns() const { return columns_; }
  int rows() const { return rows_; }
  const Cell& at(int column, int row) const;

  /// Returns the column behind what was put. A wide character that fits by half is left out.
  int put(int column, int row, std::string_view text, Style style = Style::plain);
  int put(int column, int row, const Line& line);
  /// Gives the whole row a style, whatever stands in it.
  void paint(int row, Style style);

  /// Lines of text without blanks at their ends. only_ascii: each cell is one ASCII character.
  std::string text(bool only_ascii = false) const;

 private:
  Cell& cell(int column, int row);

  int columns_;
  int rows_;
  std::vector<Cell> cells_;
};

}  // namespace rota::tui
