#include "labels/raster.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "base/process.h"
#include "support/files.h"
#include "support/skip.h"

namespace rota::test {

namespace {

std::string run(const std::vector<std::string>& argv) {
  return base::real_processes().run({argv, {{"LC_ALL", "C.UTF-8"}}}).output;
}

std::vector<std::string> page_files(const TempDir& dir, const std::string& pdf) {
  write(dir / "page.pdf", pdf);
  run({"pdftoppm", "-gray", "-r", std::to_string(kDots), dir / "page.pdf", dir / "page"});
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    if (entry.path().extension() == ".pgm") files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

bool can_read_codes() {
  for (const char* program : {"/usr/bin/pdftoppm", "/usr/bin/zbarimg"}) {
    if (std::filesystem::exists(program)) continue;
    skip(fmt::format("{} is not installed", program));
    return false;
  }
  return true;
}

std::vector<Raster> rasterise(const std::string& pdf) {
  const TempDir dir;
  std::vector<Raster> pages;
  for (const std::string& file : page_files(dir, pdf)) {
    const std::string bytes = read(file);
    std::istringstream in(bytes);
    std::string magic;
    int most = 0;
    Raster& page = pages.emplace_back();
    in >> magic >> page.width >> page.height >> most;
    const auto begin = static_cast<std::size_t>(in.tellg()) + 1;
    page.grey.assign(bytes.begin() + static_cast<std::ptrdiff_t>(begin), bytes.end());
  }
  return pages;
}

std::vector<std::string> read_codes(const std::string& pdf, const labels::Stock& stock) {
  const TempDir dir;
  std::vector<std::string> argv{"zbarimg",   "--quiet",         "--nodbus",
                                "-Sdisable", "-Sqrcode.enable", "-Scode128.enable"};
  for (const Raster& page : rasterise(pdf)) {
    for (int cell = 0; cell < stock.per_page(); ++cell) {
      const labels::Box box = box_of(stock, cell);
      const auto left = static_cast<int>(box.x * kDotsPerMm);
      const auto top = static_cast<int>(box.y * kDotsPerMm);
      const int right = std::min(page.width, static_cast<int>((box.x + box.width) * kDotsPerMm));
      const int bottom = std::min(page.height, static_cast<int>((box.y + box.height) * kDotsPerMm));
      std::string picture = fmt::format("P5\n{} {}\n255\n", right - left, bottom - top);
      bool ink = false;
      for (int y = top; y < bottom; ++y) {
        for (int x = left; x < right; ++x) {
          ink = ink || page.dark(x, y) > 0;
          picture += static_cast<char>(255 - page.dark(x, y));
        }
      }
      if (!ink) continue;
      argv.push_back(dir / fmt::format("{}.pgm", argv.size()));
      write(argv.back(), picture);
    }
  }
  std::istringstream lines(run(argv));
  std::vector<std::string> codes;
  for (std::string line; std::getline(lines, line);) codes.push_back(line);
  std::ranges::sort(codes);
  return codes;
}

std::string label_pdf(const labels::Stock& stock, const labels::LabelJob& job,
                      std::vector<std::string>* left_out) {
  labels::PdfPaper paper("test");
  const auto texts = labels::render_labels(paper, stock, job);
  if (left_out != nullptr) *left_out = texts;
  return paper.finish();
}

std::vector<labels::Stock> own_stock() {
  const TempDir empty;
  return labels::load_stock({empty.path(), empty.path(), empty.path(), empty.path()});
}

}  // namespace rota::test
