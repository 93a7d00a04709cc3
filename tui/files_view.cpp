#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "tui/view_parts.h"

namespace rota::tui {

namespace {

constexpr int kAbove = 2;  // the heading of the screen, and where one is

std::string text_of(const FileRow& row) {
  std::string text =
      fmt::format("{} {:>8}  {}  {}", row.kind, row.kind == '-' ? base::human_size(row.size) : "",
                  row.kind == 'h' ? std::string(16, ' ') : base::local(row.mtime), row.name);
  if (row.kind == 'd') text += "/";
  if (row.kind == 'l') text += " -> " + row.target;
  if (row.kind == 'h') text += " = " + row.target;
  return text;
}

}  // namespace

int shown_files(int rows) { return std::max(rows - kAbove - 1, 1); }

std::size_t first_file(const Directory& directory, int rows) {
  const auto shown = static_cast<std::size_t>(shown_files(rows));
  const std::size_t count = directory.rows.size();
  std::size_t first = std::min(directory.first, count > shown ? count - shown : 0);
  if (directory.item < first) first = directory.item;
  if (directory.item >= first + shown) first = directory.item - shown + 1;
  return first;
}

std::optional<std::size_t> file_at(const State& state, int rows, int row) {
  if (state.page() != Page::files || state.browser.open.empty()) return std::nullopt;
  const Directory& directory = state.browser.open.back();
  if (row < kAbove || row >= kAbove + shown_files(rows)) return std::nullopt;
  const std::size_t file = first_file(directory, rows) + static_cast<std::size_t>(row - kAbove);
  return file < directory.rows.size() ? std::optional(file) : std::nullopt;
}

/// Only what is seen is made: a directory may have 100,000 names.
void draw_files(Grid& grid, const State& state) {
  const Browser& browser = state.browser;
  if (!browser.problem.empty() || browser.open.empty()) {
    std::vector<Line> lines;
    const bool waits = browser.problem.empty();
    add_wrapped(lines, "", waits ? "One moment: the list of its files is read." : browser.problem,
                waits ? Style::plain : Style::alarm, grid.columns());
    for (std::size_t i = 0; i < lines.size() && static_cast<int>(i) + 2 < grid.rows(); ++i) {
      grid.put(0, static_cast<int>(i) + 1, lines[i]);
    }
    return;
  }
  const Directory& directory = browser.open.back();
  const std::size_t count = directory.rows.size();
  std::string where = fmt::format("/{}  {} {}", directory.path, base::human_count(count),
                                  count == 1 ? "name" : "names");
  if (directory.cut) where += " and more: `rota ls` lists all";
  if (!directory.told.empty()) {
    where += "  NOT ALL: " + directory.told.substr(0, directory.told.find('\n'));
  }
  grid.put(0, 1, fitted(where, grid.columns()),
           directory.told.empty() ? Style::strong : Style::alarm);
  const std::size_t first = first_file(directory, grid.rows());
  for (int i = 0; i < shown_files(grid.rows()); ++i) {
    const std::size_t at = first + static_cast<std::size_t>(i);
    if (at >= count) break;
    const bool selected = at == directory.item;
    const std::string text = (selected ? "> " : "  ") + text_of(directory.rows[at]);
    grid.put(0, kAbove + i, fitted(text, grid.columns()),
             selected ? Style::selected : Style::plain);
  }
}

}  // namespace rota::tui
