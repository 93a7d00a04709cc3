#pragma once

#include <cairo.h>

#include <memory>
#include <string>
#include <vector>

namespace rota::labels {

struct FreeSurface {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
struct FreePage {
  void operator()(cairo_t* page) const { cairo_destroy(page); }
};
using Surface = std::unique_ptr<cairo_surface_t, FreeSurface>;
using Page = std::unique_ptr<cairo_t, FreePage>;

/// Paper to draw on in millimetres, one page after the other: a PDF or a picture.
class Paper {
 public:
  virtual ~Paper() = default;
  /// Begins a page, and ends the one before.
  virtual cairo_t* begin(double width, double height) = 0;
};

/// All pages in one document.
class PdfPaper final : public Paper {
 public:
  explicit PdfPaper(const std::string& title);
  cairo_t* begin(double width, double height) override;
  /// The document's bytes. Throws Error(io) when cairo could not make it.
  std::string finish();

 private:
  std::string bytes_;
  Surface surface_;
  Page page_;
};

/// Each page a picture of its own.
class PngPaper final : public Paper {
 public:
  explicit PngPaper(int dots_per_inch) : dots_(dots_per_inch / 25.4) {}
  cairo_t* begin(double width, double height) override;
  std::vector<std::string> finish();

 private:
  void end();
  double dots_;
  std::vector<std::string> files_;
  Surface surface_;
  Page page_;
};

}  // namespace rota::labels
