#include "labels/surface.h"

#include <cairo-pdf.h>
#include <fmt/core.h>

#include <cmath>

#include "base/error.h"
#include "base/version.h"

namespace rota::labels {

namespace {

constexpr double kPoints = 72 / 25.4;  // in a millimetre

cairo_status_t append(void* closure, const unsigned char* data, unsigned int length) {
  static_cast<std::string*>(closure)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

void check(cairo_status_t status) {
  if (status == CAIRO_STATUS_SUCCESS) return;
  throw base::Error(base::ErrorKind::io,
                    fmt::format("the page cannot be drawn: {}", cairo_status_to_string(status)));
}

}  // namespace

PdfPaper::PdfPaper(const std::string& title)
    : surface_(cairo_pdf_surface_create_for_stream(append, &bytes_, 1, 1)) {
  cairo_pdf_surface_set_metadata(surface_.get(), CAIRO_PDF_METADATA_TITLE, title.c_str());
  const std::string creator = fmt::format("rota {}", base::kVersion);
  cairo_pdf_surface_set_metadata(surface_.get(), CAIRO_PDF_METADATA_CREATOR, creator.c_str());
}

cairo_t* PdfPaper::begin(double width, double height) {
  if (page_) {
    cairo_show_page(page_.get());
    check(cairo_status(page_.get()));
    page_.reset();
  }
  cairo_pdf_surface_set_size(surface_.get(), width * kPoints, height * kPoints);
  page_.reset(cairo_create(surface_.get()));
  cairo_scale(page_.get(), kPoints, kPoints);
  return page_.get();
}

std::string PdfPaper::finish() {
  if (page_) {
    cairo_show_page(page_.get());
    check(cairo_status(page_.get()));
    page_.reset();
  }
  cairo_surface_finish(surface_.get());
  check(cairo_surface_status(surface_.get()));
  return std::move(bytes_);
}

cairo_t* PngPaper::begin(double width, double height) {
  end();
  surface_.reset(cairo_image_surface_create(CAIRO_FORMAT_RGB24,
                                            static_cast<int>(std::lround(width * dots_)),
                                            static_cast<int>(std::lround(height * dots_))));
  page_.reset(cairo_create(surface_.get()));
  cairo_set_source_rgb(page_.get(), 1, 1, 1);
  cairo_paint(page_.get());
  cairo_scale(page_.get(), dots_, dots_);
  return page_.get();
}

void PngPaper::end() {
  if (!page_) return;
  check(cairo_status(page_.get()));
  page_.reset();
  check(cairo_surface_write_to_png_stream(surface_.get(), append, &files_.emplace_back()));
}

std::vector<std::string> PngPaper::finish() {
  end();
  surface_.reset();
  return std::move(files_);
}

}  // namespace rota::labels
