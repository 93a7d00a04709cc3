#include <fmt/core.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/error.h"
#include "labels/raster.h"
#include "labels/sample.h"
#include "ledger/disk_code.h"

using namespace rota;
using namespace rota::test;
using labels::Kind;
using labels::Style;

namespace {

bool holds(const std::vector<std::string>& list, const std::string& text) {
  return std::ranges::find(list, text) != list.end();
}

}  // namespace

TEST_CASE("the codes of both labels can be read from every stock at 203 dpi", "[labels]") {
  if (!can_read_codes()) return;
  for (const std::string name : {"B", "ABCDEF7"}) {
    const recovery::Installation here = sample_installation(name);
    const std::string monthly = fmt::format("ROTA:{}:monthly:20261024T0300Z:1a2b3c4d", name);
    const std::string permanent = fmt::format("ROTA:{}:monthly::", name);
    for (const labels::Stock& stock : own_stock()) {
      if (name != "B" && stock.width > 60 && stock.height > 30) continue;  // the small ones decide
      INFO(stock.title << ", disk " << name);
      labels::LabelJob job;
      for (const Kind kind : {Kind::permanent, Kind::monthly}) {
        job.labels.push_back(make_label(here, name, kind, Style::full));
      }
      job.start = stock.roll ? 1 : stock.per_page() - 1;
      std::vector<std::string> left_out;
      const auto codes = read_codes(label_pdf(stock, job, &left_out), stock);
      CAPTURE(codes);
      CHECK(holds(codes, "QR-Code:" + permanent));
      const bool tiny = stock.height < 20;  // holds a shorter code only
      CHECK(holds(codes, "QR-Code:" + (tiny ? fmt::format("ROTA:{}::20261024T0300Z:1a2b3c4d", name)
                                            : monthly)));
      const std::string id = ledger::printed_id(name);
      if (!holds(left_out, id + ": the bar code")) CHECK(holds(codes, "CODE-128:" + id));
      // The stock that disks are labelled with has room for it all.
      if (stock.width > 60 && stock.height > 30) CHECK(left_out.empty());
    }
  }
}

TEST_CASE("labels begin at the cell that was asked for and go on on the next sheet", "[labels]") {
  if (!can_read_codes()) return;
  const recovery::Installation here = sample_installation();
  const auto all = own_stock();
  const labels::Stock& stock = labels::find_stock(all, "L7163");
  labels::LabelJob job;
  job.start = 14;
  for (const char* disk : {"A", "B"}) {
    job.labels.push_back(make_label(here, disk, Kind::permanent, Style::full));
  }
  const auto pages = rasterise(label_pdf(stock, job));
  REQUIRE(pages.size() == 2);
  const auto ink = [&](const Raster& page, int cell) {
    const labels::Box box = box_of(stock, cell);
    long sum = 0;
    constexpr double kStep = 0.2;
    for (int row = 0; row * kStep < box.height; ++row) {
      for (int column = 0; column * kStep < box.width; ++column) {
        sum += page.dark(static_cast<int>((box.x + column * kStep) * kDotsPerMm),
                         static_cast<int>((box.y + row * kStep) * kDotsPerMm));
      }
    }
    return sum;
  };
  for (int cell = 0; cell < 14; ++cell) {
    CHECK((ink(pages[0], cell) > 0) == (cell == 13));
    CHECK((ink(pages[1], cell) > 0) == (cell == 0));
  }
  job.start = 15;
  CHECK_THROWS_WITH(label_pdf(stock, job), Catch::Contains("labels 1 to 14"));
}
