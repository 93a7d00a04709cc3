#include "labels/render.h"

#include <fmt/core.h>

#include "base/error.h"
#include "labels/draw.h"
#include "labels/text_box.h"

namespace rota::labels {

namespace {

cairo_t* begin(Paper& paper, const Stock& stock, const LabelJob& job) {
  cairo_t* page = paper.begin(stock.page_width, stock.page_height);
  cairo_translate(page, job.correction.shift_x, job.correction.shift_y);
  cairo_scale(page, job.correction.scale_x, job.correction.scale_y);
  if (job.outline) {
    for (int cell = 0; cell < stock.per_page(); ++cell) draw_outline(page, box_of(stock, cell));
  }
  return page;
}

void line(cairo_t* page, double x0, double y0, double x1, double y1) {
  cairo_move_to(page, x0, y0);
  cairo_line_to(page, x1, y1);
  cairo_stroke(page);
}

}  // namespace

std::vector<std::string> render_labels(Paper& paper, const Stock& stock, const LabelJob& job) {
  if (job.start < 1 || job.start > stock.per_page()) {
    throw base::Error(
        base::ErrorKind::usage,
        stock.roll ? fmt::format("{} is a roll, which has no cells to begin at", stock.title)
                   : fmt::format("a sheet of {} has labels 1 to {}, and none with the number "
                                 "{} to begin at",
                                 stock.title, stock.per_page(), job.start));
  }
  std::vector<std::string> left_out;
  cairo_t* page = nullptr;
  int cell = job.start - 1;
  for (const Label& label : job.labels) {
    if (page == nullptr || cell == stock.per_page()) {
      if (page != nullptr) cell = 0;
      page = begin(paper, stock, job);
    }
    Box box = box_of(stock, cell++);
    cairo_save(page);
    if (stock.roll && box.height > box.width) {  // the roll feeds upright; people read along it
      cairo_translate(page, stock.width, 0);
      cairo_rotate(page, 1.5707963267948966);
      box = {0, 0, box.height, box.width};
    }
    for (const std::string& text : draw_label(page, box, label)) {
      left_out.push_back(fmt::format("{}: {}", label.id, text));
    }
    cairo_restore(page);
  }
  return left_out;
}

void render_calibration(Paper& paper, double width, double height) {
  constexpr double kOffset = 50;
  constexpr double kLength = 100;
  constexpr double kEnd = 4;  // of the strokes that end a bar
  cairo_t* page = paper.begin(width, height);
  cairo_set_source_rgb(page, 0, 0, 0);
  cairo_set_line_width(page, 0.2);
  line(page, kOffset, 20, kOffset, height - 20);
  line(page, 20, kOffset, width - 20, kOffset);
  const double bar = kOffset + 20;
  line(page, bar, bar, bar + kLength, bar);
  line(page, bar, bar - kEnd, bar, bar + kEnd);
  line(page, bar + kLength, bar - kEnd, bar + kLength, bar + kEnd);
  line(page, bar, bar, bar, bar + kLength);
  line(page, bar - kEnd, bar + kLength, bar + kEnd, bar + kLength);
  const auto write = [&](double x, double y, const char* text) {
    TextBox(page, {{text, false}}, 3.2, width - x - 15, TextBox::Wrap::words).draw(x, y);
  };
  write(kOffset + 2, 22,
        "A: this line should be 50 mm from the left edge of the paper (--offset-x)");
  write(kOffset + 2, kOffset + 2, "B: this line should be 50 mm from the top edge (--offset-y)");
  write(bar + 5, bar + 2, "C: from stroke to stroke 100 mm (--scale)");
  write(bar + 5, bar + 90, "D: from stroke to stroke 100 mm (--scale-y)");
  write(
      bar + 5, bar + 20,
      "Print this page in its real size (no \"fit to page\"). Measure A, B, C and D with a ruler, "
      "to a quarter of a millimetre if you can, and type what you measured:\n\n"
      "rota label --calibrate PRINTER --offset-x A --offset-y B --scale C --scale-y D\n\n"
      "From then on labels for that printer are moved and scaled to come out right.");
}

}  // namespace rota::labels
