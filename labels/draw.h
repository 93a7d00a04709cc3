#pragma once

#include <cairo.h>

#include <string>
#include <vector>

#include "labels/label.h"
#include "labels/stock.h"

namespace rota::labels {

/// Draws one label into a box, in millimetres of the surface's own units (the caller has scaled).
/// Long texts are wrapped and get smaller letters; nothing is ever clipped or drawn outside.
///
/// Returns the lines that had no room and were left out, of those that need not be there. Throws
/// Error(usage) when what must be there does not fit.
std::vector<std::string> draw_label(cairo_t* page, const Box& box, const Label& label);

/// The edge of a label, drawn within it.
void draw_outline(cairo_t* page, const Box& box);

}  // namespace rota::labels
