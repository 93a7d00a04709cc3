#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tui/views.h"

/// The parts of the views, for their own files only.
namespace rota::tui {

Style style_of(rotation::Level level);
/// "X", "!", " ": for those who see no colour.
const char* mark(rotation::Level level);
/// "2026-10-25"
std::string day(base::Instant time);
/// "34 d"
std::string days(std::chrono::seconds span);
/// A bar of so many cells; more than full ends with ">".
std::string bar(double share, int cells);
/// Wrapped, each line in the style; the later ones indented under the first one's text.
void add_wrapped(std::vector<Line>& lines, const std::string& first, const std::string& text,
                 Style style, int columns);

/// Where the blocks of the overview are.
struct Layout {
  std::vector<Line> top;  ///< all above the table
  int table = 0;          ///< the row of its headings
  int shown = 0;          ///< disks in the table
  std::size_t first = 0;  ///< the first one of them
  int timeline = 0;       ///< the row of its months; 0: there is no room
  int lines = 0;          ///< disks in it, from the same first one
};
Layout layout(const Model& model, const State& state, int columns, int rows);
void draw_overview(Grid& grid, const Model& model, const State& state);

/// Names that the page of files has room for, and the first of them: the selected one is shown.
int shown_files(int rows);
std::size_t first_file(const Directory& directory, int rows);
/// Which name is in this row of the screen.
std::optional<std::size_t> file_at(const State& state, int rows, int row);
void draw_files(Grid& grid, const State& state);

/// Headings, and a line for each disk.
std::vector<Line> disk_table(const Model& model, const State& state, int columns);
/// Months, a line for each disk (those from `first`), the detection window, what the signs mean.
std::vector<Line> timeline_lines(const Model& model, std::size_t first, int count, int columns);

/// "B", or of a drill "drill" or "drill from B".
std::string name_of(const Job& job);
/// "copy web: 120 files, 1.2 GB of 4 GB, 80 MB/s, 35 s left"
std::string progress_text(const Job& job);
/// The disks that wait to be unplugged, each as a banner; none while a job runs with it.
std::vector<std::string> safe_to_unplug(const Model& model);

std::vector<Line> welcome_lines(const Model& model, int columns);
std::vector<Line> details_lines(const Model& model, const DiskModel& disk, int columns);
std::vector<Line> copies_lines(const State& state, const DiskModel& disk, int columns);
/// What is over of a job, and how far the rest is.
void add_job(std::vector<Line>& lines, const Job& job, int columns);
std::vector<Line> job_lines(const Model& model, const DiskModel& disk, int columns);
std::vector<Line> history_lines(const Model& model, const std::string& disk, int columns);
std::vector<Line> alarm_lines(const Model& model, int columns);
std::vector<Line> run_lines(const Model& model, const State& state, int columns);
std::vector<Line> menu_lines(const Model& model, const State& state, int columns);
std::vector<Line> form_lines(const State& state, int columns);
std::vector<Line> result_lines(const Model& model, const State& state, int columns);
std::vector<Line> help_lines(int columns);

}  // namespace rota::tui
