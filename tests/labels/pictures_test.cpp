#include <catch2/catch.hpp>
#include <cstdlib>

#include "labels/plan_page.h"
#include "labels/raster.h"
#include "labels/sample.h"
#include "support/files.h"

using namespace rota;
using namespace rota::test;

// The pictures of the manual, drawn again: ROTA_PICTURES=docs/pictures test_labels "[.pictures]"
TEST_CASE("the pictures of the manual", "[.pictures]") {
  const char* place = std::getenv("ROTA_PICTURES");
  REQUIRE(place != nullptr);
  const std::string directory = place;
  recovery::Installation here = sample_installation();
  labels::LabelJob job;
  job.outline = true;
  for (const auto style : {labels::Style::full, labels::Style::discreet}) {
    for (const auto kind : {labels::Kind::permanent, labels::Kind::monthly}) {
      job.labels.push_back(make_label(here, "B", kind, style));
    }
  }
  const auto all = own_stock();
  labels::PngPaper sheet(110);
  render_labels(sheet, labels::find_stock(all, "L7163"), job);
  write(directory + "/labels.png", sheet.finish().front());
  labels::PngPaper paper(80);
  render_plan(paper, make_plan(here, {}), 210, 297);
  write(directory + "/plan.png", paper.finish().front());
}
