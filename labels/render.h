#pragma once

#include <string>
#include <vector>

#include "labels/calibration.h"
#include "labels/label.h"
#include "labels/stock.h"
#include "labels/surface.h"

namespace rota::labels {

struct LabelJob {
  std::vector<Label> labels;
  int start = 1;         ///< the cell of the first sheet where they begin, from 1
  bool outline = false;  ///< draw the edges of all cells
  Correction correction;
};

/// Draws all labels on as many pages as they need. Returns what was left out for lack of room, as
/// "ROTA-B-7: …". Throws Error(usage) for a start that the sheet does not have, and what
/// draw_label() throws.
std::vector<std::string> render_labels(Paper& paper, const Stock& stock, const LabelJob& job);

/// The page to measure: lines at 50 mm from the left and top edge, bars of 100 mm. It is drawn
/// without any correction.
void render_calibration(Paper& paper, double width, double height);

}  // namespace rota::labels
