#include "labels/plan_page.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "labels/raster.h"
#include "labels/sample.h"

using namespace rota;
using namespace rota::test;

TEST_CASE("the plan on paper stays within its margins, and its codes can be read", "[labels]") {
  if (!can_read_codes()) return;
  recovery::Installation here = sample_installation();
  // Long words in every cell, and a key that has no blank to break at.
  here.rotation.paper.contacts = {std::string(200, 'W'), "北京备份与恢复有限公司 شركة"};
  here.profiles[1].encrypt_to = {"rota-lock-1-" + std::string(150, 'x')};
  for (const bool letter : {false, true}) {
    const double width = letter ? 215.9 : 210;
    const double height = letter ? 279.4 : 297;
    labels::PdfPaper paper("test");
    const recovery::Plan plan = make_plan(here, {});
    render_plan(paper, plan, width, height);
    const std::string pdf = paper.finish();
    const auto pages = rasterise(pdf);
    REQUIRE(pages.size() >= 2);
    CHECK(pages.size() <= 4);
    for (const Raster& page : pages) {
      long outside = 0;
      for (int y = 0; y < page.height; ++y) {
        for (int x = 0; x < page.width; ++x) {
          const double at_x = x / kDotsPerMm;
          const double at_y = y / kDotsPerMm;
          const bool inside = at_x > 15 && at_x < width - 15 && at_y > 15 && at_y < height - 8;
          if (!inside) outside += page.dark(x, y);
        }
      }
      CHECK(outside == 0);
    }
    labels::Stock whole;  // the page as one label
    whole.roll = true;
    whole.width = width;
    whole.height = height;
    const auto codes = read_codes(pdf, whole);
    for (const recovery::PlanCode& code : plan.codes) {
      const std::string first = "QR-Code:" + code.text.substr(0, code.text.find('\n'));
      CHECK(std::ranges::count(codes, first) > 0);
      CHECK(std::ranges::count(codes, code.text.substr(code.text.rfind('\n') + 1)) == 1);
    }
  }
}
