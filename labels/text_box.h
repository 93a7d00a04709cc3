#pragma once

#include <cairo.h>
#include <pango/pangocairo.h>

#include <memory>
#include <string>
#include <vector>

namespace rota::labels {

/// A few lines of text in any script, set with pango, measured before they are drawn. Millimetres.
class TextBox {
 public:
  struct Line {
    std::string text;  ///< UTF-8; other bytes are made visible
    bool bold = false;
  };
  enum class Wrap { none, words, anywhere };

  /// family: "Sans" or "Monospace"; size: height of the letters' em square.
  TextBox(cairo_t* page, const std::vector<Line>& lines, double size, double width, Wrap wrap,
          const char* family = "Sans");

  /// Of everything, ink outside the lines included.
  double width() const { return right_; }
  double height() const { return bottom_; }
  bool fits(double wide, double high) const;
  /// Its top left at (x, y).
  void draw(double x, double y) const;

 private:
  struct Free {
    void operator()(PangoLayout* layout) const { g_object_unref(layout); }
  };
  cairo_t* page_;
  std::unique_ptr<PangoLayout, Free> layout_;
  double left_ = 0;  ///< ink may begin before the origin; that much it is moved
  double top_ = 0;
  double right_ = 0;
  double bottom_ = 0;
};

/// One mm of letters' size in points, for messages.
inline constexpr double kPoint = 25.4 / 72;

}  // namespace rota::labels
