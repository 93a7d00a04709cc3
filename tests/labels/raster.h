#pragma once

#include <string>
#include <vector>

#include "labels/render.h"

namespace rota::test {

/// A page as a printer of labels sees it, in shades of grey.
struct Raster {
  int width = 0;
  int height = 0;
  std::vector<unsigned char> grey;
  int dark(int x, int y) const {
    return 255 - grey[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                      static_cast<std::size_t>(x)];
  }
};

inline constexpr int kDots = 203;
inline constexpr double kDotsPerMm = kDots / 25.4;

/// False, after a loud word, where pdftoppm or zbarimg are missing.
bool can_read_codes();

/// Pages of a PDF, drawn by poppler.
std::vector<Raster> rasterise(const std::string& pdf);
/// The texts of all codes on the labels of a PDF, as zbar reads them at 203 dpi; sorted. Each label
/// is held before the scanner alone, cut out along its edges, as people do it.
std::vector<std::string> read_codes(const std::string& pdf, const labels::Stock& stock);

std::string label_pdf(const labels::Stock& stock, const labels::LabelJob& job,
                      std::vector<std::string>* left_out = nullptr);

/// rota's own stock, as it is installed beside the programs.
std::vector<labels::Stock> own_stock();

}  // namespace rota::test
