#pragma once

#include <vector>

#include "tui/grid.h"
#include "tui/model.h"
#include "tui/state.h"

namespace rota::tui {

/// Where there is less room, parts are left out, and the last line says so.
inline constexpr int kLeastColumns = 80;
inline constexpr int kLeastRows = 24;

/// The whole screen. Pure: the same model, state and size give the same cells.
Grid draw(const Model& model, const State& state, int columns, int rows);

/// The lines of a page that scrolls, without heading and help line.
std::vector<Line> page_lines(const Model& model, const State& state, int columns);

/// The runs of the page of runs, in its order.
std::vector<const ledger::RunRow*> shown_runs(const Model& model);
/// The copies of the page of copies, in its order: newest first.
std::vector<const ledger::CopyRow*> shown_copies(const DiskModel& disk);

/// Which disk of the overview is in this row of the screen; nothing when none is.
std::optional<std::size_t> disk_at(const Model& model, const State& state, int columns, int rows,
                                   int row);

}  // namespace rota::tui
