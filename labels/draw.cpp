#include "labels/draw.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "labels/codes.h"
#include "labels/text_box.h"

namespace rota::labels {

namespace {

using base::Error;
using base::ErrorKind;

/// Of the coarsest printer of labels, 203 to the inch. Modules are whole dots, so that its bars are
/// as wide as they should be.
constexpr double kDot = 25.4 / 203;
constexpr int kFewestQrDots = 3;   // of a module: 0.375 mm; a telephone reads no finer
constexpr int kFewestBarDots = 2;  // bars are easier
constexpr int kMostDots = 6;
constexpr double kSmallest = 5 * kPoint;  // letters that can still be read
constexpr double kEasy = 6.5 * kPoint;
constexpr double kComfortable = 8 * kPoint;
constexpr double kLargest = 11 * kPoint;
constexpr double kLargestId = 14;  // mm
constexpr double kSmallestId = 6 * kPoint;
constexpr double kFiner = 0.96;  // how near to the largest size that fits
constexpr double kMostQr = 30;   // mm
constexpr double kGap = 1;
constexpr double kSpare = 0.2;  // for moving a code to whole dots

void draw_modules(cairo_t* page, const Modules& modules, double x, double y, double module,
                  double height) {
  for (int row = 0; row < modules.height; ++row) {
    for (int column = 0; column < modules.width;) {
      int end = column;
      while (end < modules.width && modules.at(end, row)) ++end;
      if (end > column) {
        cairo_rectangle(page, x + column * module, y + row * height, (end - column) * module,
                        height);
      }
      column = end + 1;
    }
  }
  cairo_fill(page);
}

struct Qr {
  Modules modules;
  double module = 0;
  double side() const { return (modules.width + 2 * kQrQuiet) * module; }
};

/// Nothing when it cannot be read by any scanner on so small a place.
std::optional<Qr> fit_qr(const std::vector<std::string>& texts, double room) {
  for (const std::string& text : texts) {
    // Less correction only where more of it would make modules that are too small.
    for (const Correct correct : {Correct::medium, Correct::low}) {
      Qr qr{qr_modules(text, correct), 0};
      const int dots =
          std::min(kMostDots, static_cast<int>(room / ((qr.modules.width + 2 * kQrQuiet) * kDot)));
      qr.module = dots * kDot;
      if (dots >= kFewestQrDots) return qr;
    }
  }
  return std::nullopt;
}

struct Texts {
  double id_size = 0;
  double size = 0;  ///< of the lines
  TextBox::Wrap wrap = TextBox::Wrap::words;
  std::vector<TextBox::Line> lines;
  std::vector<std::string> left_out;
};

std::optional<double> fit_id(cairo_t* page, const std::string& id, double width, double height) {
  for (double size = std::min(kLargestId, height); size >= kSmallestId; size *= kFiner) {
    if (TextBox(page, {{id, true}}, size, 0, TextBox::Wrap::none).fits(width, height)) return size;
  }
  return std::nullopt;
}

bool fit_lines(cairo_t* page, Texts& texts, double width, double height) {
  if (texts.lines.empty()) return true;
  // A word is broken only where it is too long in the smallest letters.
  for (const TextBox::Wrap wrap : {TextBox::Wrap::words, TextBox::Wrap::anywhere}) {
    const auto fits = [&](double size) {
      return TextBox(page, texts.lines, size, width, wrap).fits(width, height);
    };
    if (!fits(kSmallest)) continue;
    double good = kSmallest;
    double bad = kLargest / kFiner;
    while (good / bad < kFiner) {
      const double size = std::sqrt(good * bad);
      (fits(size) ? good : bad) = size;
    }
    texts.size = good;
    texts.wrap = wrap;
    return true;
  }
  return false;
}

/// The largest letters for as many lines as can be, below an id of at most this share of the
/// height; nothing when what must stand there does not fit.
std::optional<Texts> fit_texts(cairo_t* page, const Label& label, double width, double height,
                               double id_share) {
  Texts texts;
  const auto id = fit_id(page, label.id, width, std::max(height * id_share, kSmallestId * 1.3));
  if (!id) return std::nullopt;
  texts.id_size = *id;
  const double used =
      TextBox(page, {{label.id, true}}, *id, 0, TextBox::Wrap::none).height() + kGap / 2;
  std::vector<Label::Line> lines = label.lines;
  for (;;) {
    texts.lines.clear();
    for (const Label::Line& line : lines) texts.lines.push_back({line.text, line.bold});
    if (fit_lines(page, texts, width, height - used)) return texts;
    const auto spare = std::ranges::find(lines.rbegin(), lines.rend(), false, &Label::Line::must);
    if (spare == lines.rend()) return std::nullopt;
    texts.left_out.push_back(spare->text);
    lines.erase(std::next(spare).base());
  }
}

/// The id gives way to the lines while these are small.
std::optional<Texts> fit_texts(cairo_t* page, const Label& label, double width, double height) {
  std::optional<Texts> best;
  for (const double share : {0.34, 0.22}) {
    auto texts = fit_texts(page, label, width, height, share);
    if (!texts) continue;
    if (texts->left_out.empty() && texts->size >= kComfortable) return texts;
    if (!best || texts->left_out.size() < best->left_out.size() || texts->size > best->size) {
      best = std::move(texts);
    }
  }
  return best;
}

/// Where everything lies; the text column on the left, the QR code on the right.
struct Layout {
  Qr qr;
  Texts texts;
  double column = 0;  ///< width of the texts
  bool bar = false;
  bool bar_below_all = false;
  double bar_module = 0;
  double bar_height = 0;
  double quality() const {
    return -100.0 * static_cast<double>(texts.left_out.size()) +
           (texts.lines.empty() ? kLargest : texts.size);
  }
};

enum class Bar { in_column, below_all, none };

/// margin: around the area, white too; the quiet zone of the QR code may lie in it.
std::optional<Layout> arrange(cairo_t* page, const Box& area, double margin, const Label& label,
                              Bar place) {
  Layout layout;
  Modules bar;
  double bar_room = 0;
  if (place != Bar::none) {
    bar = code128_modules(label.barcode);
    layout.bar = true;
    layout.bar_below_all = place == Bar::below_all;
    layout.bar_height = std::clamp(area.height * 0.2, 5.0, 10.0);
    bar_room = layout.bar_height + kGap;
  }
  const double high =
      area.height + (layout.bar_below_all ? margin - bar_room : 2 * margin) - kSpare;
  const auto qr = fit_qr(label.qr, std::min({high, area.width * 0.4 + margin, kMostQr}));
  if (!qr) return std::nullopt;
  layout.qr = *qr;
  const double column = area.width + margin - layout.qr.side();
  layout.column = column;
  if (layout.bar) {
    const double room = layout.bar_below_all ? area.width : column;
    const int dots = std::min(3, static_cast<int>(room / ((bar.width + 2 * kCodeQuiet) * kDot)));
    if (dots < kFewestBarDots) return std::nullopt;
    layout.bar_module = dots * kDot;
  }
  const auto texts = fit_texts(page, label, column, area.height - bar_room);
  if (!texts) return std::nullopt;
  layout.texts = *texts;
  return layout;
}

Layout best_layout(cairo_t* page, const Box& area, double margin, const Label& label) {
  std::optional<Layout> best;
  for (const Bar place : {Bar::in_column, Bar::below_all, Bar::none}) {
    if (place != Bar::none && label.barcode.empty()) continue;
    auto layout = arrange(page, area, margin, label, place);
    if (!layout) continue;
    if (place == Bar::none && !label.barcode.empty()) {
      layout->texts.left_out.push_back("the bar code");
    }
    if (layout->texts.left_out.empty() && (layout->texts.size >= kEasy || place == Bar::none)) {
      return *layout;
    }
    if (!best || layout->quality() > best->quality()) best = layout;
  }
  if (!best) {
    throw Error(
        ErrorKind::usage,
        fmt::format("what the label of disk {} must say does not fit on {:.0f} × {:.0f} mm; "
                    "take larger labels (--stock), --style discreet, or shorten if_found in "
                    "rotation.toml",
                    label.disk, area.width, area.height));
  }
  return *best;
}

double on_dot(double position) { return std::round(position / kDot) * kDot; }

void draw_upright(cairo_t* page, const Box& box, const Label& label,
                  std::vector<std::string>& left_out) {
  const double margin = std::clamp(std::min(box.width, box.height) * 0.06, 1.0, 3.0);
  const Box area{box.x + margin, box.y + margin, box.width - 2 * margin, box.height - 2 * margin};
  const Layout layout = best_layout(page, area, margin, label);
  left_out = layout.texts.left_out;
  // The code stands in the middle of what is free: to the label's edges but for a bar code below.
  const double bottom =
      layout.bar_below_all ? area.y + area.height - layout.bar_height - kGap : box.y + box.height;

  const Qr& qr = layout.qr;
  const double quiet = kQrQuiet * qr.module;
  // Whole dots from the edge of the paper; rounded down to stay inside.
  const double qr_x = on_dot(box.x + box.width - qr.side() + quiet - kDot / 2);
  const double qr_y = on_dot((box.y + bottom - qr.side()) / 2 + quiet - kDot / 2);
  draw_modules(page, qr.modules, qr_x, qr_y, qr.module, qr.module);

  const TextBox id(page, {{label.id, true}}, layout.texts.id_size, 0, TextBox::Wrap::none);
  id.draw(area.x, area.y);
  if (!layout.texts.lines.empty()) {
    TextBox(page, layout.texts.lines, layout.texts.size, layout.column, layout.texts.wrap)
        .draw(area.x, area.y + id.height() + kGap / 2);
  }
  if (layout.bar) {
    const Modules bar = code128_modules(label.barcode);
    draw_modules(page, bar, on_dot(area.x + kCodeQuiet * layout.bar_module - kDot / 2),
                 on_dot(area.y + area.height - layout.bar_height - kDot / 2), layout.bar_module,
                 layout.bar_height);
  }
}

}  // namespace

std::vector<std::string> draw_label(cairo_t* page, const Box& box, const Label& label) {
  std::vector<std::string> left_out;
  cairo_save(page);
  cairo_set_source_rgb(page, 0, 0, 0);
  draw_upright(page, box, label, left_out);
  cairo_restore(page);
  return left_out;
}

void draw_outline(cairo_t* page, const Box& box) {
  constexpr double kLine = 0.15;
  cairo_save(page);
  cairo_set_source_rgb(page, 0, 0, 0);
  cairo_set_line_width(page, kLine);
  cairo_rectangle(page, box.x + kLine / 2, box.y + kLine / 2, box.width - kLine,
                  box.height - kLine);
  cairo_stroke(page);
  cairo_restore(page);
}

}  // namespace rota::labels
