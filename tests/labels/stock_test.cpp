#include "labels/stock.h"

#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "base/error.h"
#include "labels/raster.h"
#include "support/files.h"

using namespace rota;
using namespace rota::test;

namespace {

/// The makers' tables, typed here once more: what the files say is held against it.
struct Sheet {
  const char* name;
  bool letter;
  double width, height;
  int columns, rows;
  double left, top, step_x, step_y;
};
constexpr Sheet kSheets[] = {
    {"L7160", false, 63.5, 38.1, 3, 7, 7.25, 15.15, 66.04, 38.10},
    {"L7161", false, 63.5, 46.6, 3, 6, 7.41, 8.11, 65.93, 46.74},
    {"L7162", false, 99.1, 33.9, 2, 8, 4.65, 12.98, 101.60, 33.90},
    {"L7163", false, 99.1, 38.1, 2, 7, 4.65, 15.15, 101.60, 38.10},
    {"L7164", false, 63.5, 72.0, 3, 4, 7.35, 3.53, 66.00, 71.98},
    {"L7165", false, 99.1, 67.7, 2, 4, 4.67, 13.04, 101.64, 67.73},
    {"L7651", false, 38.1, 21.2, 5, 13, 4.70, 10.90, 40.60, 21.20},
    {"3474", false, 70, 37, 3, 8, 0, 0, 70, 37},
    {"5160", true, 66.68, 25.40, 3, 10, 3.97, 12.70, 70.64, 25.40},
    {"5161", true, 101.6, 25.4, 2, 10, 3.97, 12.70, 106.36, 25.40},
    {"5162", true, 101.6, 33.87, 2, 7, 3.97, 21.17, 106.36, 33.87},
    {"5163", true, 101.6, 50.8, 2, 5, 4.13, 12.70, 106.36, 50.80},
    {"5164", true, 101.6, 84.67, 2, 3, 3.97, 12.70, 106.36, 84.67},
    {"5167", true, 44.45, 12.70, 4, 20, 7.14, 12.70, 52.39, 12.70},
};

struct Roll {
  const char* name;
  double width, height;
};
constexpr Roll kRolls[] = {
    {"99010", 28, 89},         {"30252", 28, 89},         {"99012", 36, 89},
    {"99014", 54, 101},        {"99015", 54, 70},         {"30258", 54, 70},
    {"11354", 57, 32},         {"30334", 57, 32},         {"11352", 25, 54},
    {"DK-1201", 28.96, 89.83}, {"DK-1202", 61.98, 99.82}, {"DK-1208", 38.01, 89.83}};

constexpr double kTolerance = 0.3;  // mm

/// Where a line lies near x, as the mean of the darkness around it; NaN where there is none.
double upright_line(const Raster& page, double x, double from_y, double to_y) {
  double weight = 0;
  double sum = 0;
  const auto rows = static_cast<int>((to_y - from_y) * kDotsPerMm);
  for (int px = static_cast<int>((x - 0.6) * kDotsPerMm); px <= (x + 0.6) * kDotsPerMm; ++px) {
    if (px < 0 || px >= page.width) continue;
    for (int row = 0; row < rows; ++row) {
      const int dark = page.dark(px, static_cast<int>(from_y * kDotsPerMm) + row);
      weight += dark;
      sum += dark * (px + 0.5);
    }
  }
  return weight < rows * 20 ? std::nan("") : sum / weight / kDotsPerMm;
}

double level_line(const Raster& page, double y, double from_x, double to_x) {
  double weight = 0;
  double sum = 0;
  const auto columns = static_cast<int>((to_x - from_x) * kDotsPerMm);
  for (int py = static_cast<int>((y - 0.6) * kDotsPerMm); py <= (y + 0.6) * kDotsPerMm; ++py) {
    if (py < 0 || py >= page.height) continue;
    for (int column = 0; column < columns; ++column) {
      const int dark = page.dark(static_cast<int>(from_x * kDotsPerMm) + column, py);
      weight += dark;
      sum += dark * (py + 0.5);
    }
  }
  return weight < columns * 20 ? std::nan("") : sum / weight / kDotsPerMm;
}

constexpr const char* kGood = R"(title = "Mine"
paper = "A4"
width = 60
height = 30
columns = 3
rows = 9
left = 10
top = 10
step_x = 62
step_y = 30
)";

std::string replaced(const std::string& line, const std::string& with) {
  std::string text = kGood;
  const std::size_t at = text.find(line);
  REQUIRE(at != std::string::npos);
  return text.replace(at, line.size(), with);
}

std::string refused(const std::string& text) {
  try {
    labels::parse_stock(text, "mine.toml");
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::config);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("the edges of labels lie where the makers' tables say, to 0.3 mm", "[labels]") {
  if (!can_read_codes()) return;
  const auto all = own_stock();
  for (const Sheet& sheet : kSheets) {
    INFO(sheet.name);
    const labels::Stock& stock = labels::find_stock(all, sheet.name);
    REQUIRE(stock.columns == sheet.columns);
    REQUIRE(stock.rows == sheet.rows);
    labels::LabelJob job;
    job.outline = true;
    labels::Label nothing;
    nothing.disk = "B";
    nothing.id = "B";
    nothing.qr = {"B"};
    job.labels.push_back(nothing);
    const auto pages = rasterise(label_pdf(stock, job));
    REQUIRE(pages.size() == 1);
    const Raster& page = pages[0];
    CHECK(std::abs(page.width / kDotsPerMm - (sheet.letter ? 215.9 : 210)) < kTolerance);
    CHECK(std::abs(page.height / kDotsPerMm - (sheet.letter ? 279.4 : 297)) < kTolerance);
    // All cells but the first, which holds a label that could hide an edge.
    for (int cell = 1; cell < sheet.columns * sheet.rows; ++cell) {
      const double x = sheet.left + cell % sheet.columns * sheet.step_x;
      const int row = cell / sheet.columns;
      const double y = sheet.top + row * sheet.step_y;
      const double right = x + sheet.width;
      const double bottom = y + sheet.height;
      CAPTURE(cell, x, y);
      CHECK(std::abs(upright_line(page, x, y + 2, bottom - 2) - x) < kTolerance);
      CHECK(std::abs(upright_line(page, right, y + 2, bottom - 2) - right) < kTolerance);
      CHECK(std::abs(level_line(page, y, x + 2, right - 2) - y) < kTolerance);
      CHECK(std::abs(level_line(page, bottom, x + 2, right - 2) - bottom) < kTolerance);
    }
  }
}

TEST_CASE("rolls have the sizes of the makers' tables", "[labels]") {
  const auto all = own_stock();
  for (const Roll& roll : kRolls) {
    INFO(roll.name);
    const labels::Stock& stock = labels::find_stock(all, roll.name);
    CHECK(stock.roll);
    CHECK(stock.page_width == roll.width);
    CHECK(stock.page_height == roll.height);
  }
  CHECK(labels::find_stock(all, "DK-2205").width == 61.98);
  CHECK(all.size() == 24);
}

TEST_CASE("stock that there is not is refused with what there is", "[labels]") {
  const auto all = own_stock();
  CHECK(labels::find_stock(all, "avery l7163").name == "L7163");
  CHECK(labels::find_stock(all, "dk1202").name == "DK-1202");
  CHECK_THROWS_WITH(labels::find_stock(all, "L9999"), Catch::Contains("L9999") &&
                                                          Catch::Contains("L7163, ") &&
                                                          Catch::Contains("stock.d"));
}

TEST_CASE("a stock file of one's own is used, and replaces rota's of the same name", "[labels]") {
  const TempDir dir;
  write(dir / "stock.d/mine.toml", kGood);
  write(dir / "stock.d/L7163.toml", kGood);
  write(dir / "stock.d/notes.txt", "not stock");
  const auto all = labels::load_stock({dir.path(), dir.path(), dir.path(), dir.path()});
  CHECK(all.size() == 25);
  CHECK(labels::find_stock(all, "mine").width == 60);
  CHECK(labels::find_stock(all, "L7163").title == "Mine");
}

TEST_CASE("a stock file is read strictly, and what is wrong is said with its place", "[labels]") {
  CHECK(refused(kGood) == "accepted");
  CHECK_THAT(refused(replaced("width = 60", "widht = 60")),
             Catch::StartsWith("mine.toml:3: unknown key \"widht\""));
  CHECK_THAT(refused(replaced("rows = 9\n", "")), Catch::Contains("rows is missing"));
  CHECK_THAT(refused(replaced("paper = \"A4\"", "paper = \"B5\"")),
             Catch::StartsWith("mine.toml:2: paper must be \"A4\""));
  CHECK_THAT(refused(replaced("width = 60", "width = 63")), Catch::Contains("would overlap"));
  CHECK_THAT(refused(replaced("columns = 3", "columns = 4")), Catch::Contains("outside the paper"));
  CHECK_THAT(refused(replaced("rows = 9", "rows = 10")), Catch::Contains("outside the paper"));
  CHECK_THAT(refused(replaced("height = 30", "height = 3")), Catch::StartsWith("mine.toml:4: "));
  CHECK_THAT(refused(replaced("height = 30", "height = nan")), Catch::StartsWith("mine.toml:4: "));
  CHECK_THAT(refused(replaced("rows = 9", "rows = 9.5")), Catch::StartsWith("mine.toml:6: "));
  CHECK_THAT(refused(replaced("paper = \"A4\"", "paper = \"roll\"")),
             Catch::Contains("key of sheets"));
  CHECK_THAT(refused("title = 1"), Catch::StartsWith("mine.toml:1: "));
  CHECK_THAT(refused("width"), Catch::StartsWith("mine.toml:1: this is not valid TOML"));
}
