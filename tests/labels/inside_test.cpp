#include <cairo.h>
#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "labels/draw.h"
#include "labels/raster.h"
#include "labels/sample.h"
#include "labels/text_box.h"

using namespace rota;
using namespace rota::test;
using labels::Kind;
using labels::Style;

namespace {

/// The longest that rotation.toml takes, 200 bytes each.
std::string repeated(const std::string& word) {
  std::string text;
  while (text.size() + word.size() <= 200) text += word;
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

const std::pair<const char*, std::string> kNames[] = {
    {"Latin", repeated("Rückversicherungsgesellschaft ")},
    {"Latin in one word", repeated("Donaudampfschifffahrt")},
    {"Greek", repeated("Ανώνυμη Ασφαλιστική Εταιρεία ")},
    {"Arabic", repeated("شركة النسخ الاحتياطي المحدودة ")},
    {"Chinese", repeated("北京备份与恢复有限公司")},
};

/// What is drawn, however far outside; nothing is clipped on an unbounded surface.
labels::Box ink_of(const labels::Box& box, const labels::Label& label) {
  const labels::Surface surface(cairo_recording_surface_create(CAIRO_CONTENT_ALPHA, nullptr));
  const labels::Page page(cairo_create(surface.get()));
  draw_label(page.get(), box, label);
  labels::Box ink;
  cairo_recording_surface_ink_extents(surface.get(), &ink.x, &ink.y, &ink.width, &ink.height);
  return ink;
}

}  // namespace

TEST_CASE("nothing is drawn outside a label with the longest names in any script", "[labels]") {
  int drawn = 0;
  for (const labels::Stock& stock : own_stock()) {
    const double width = stock.roll ? std::max(stock.width, stock.height) : stock.width;
    const double height = stock.roll ? std::min(stock.width, stock.height) : stock.height;
    const labels::Box box{20, 30, width, height};
    for (const auto& [script, name] : kNames) {
      recovery::Installation here = sample_installation("ABCDEF7");
      here.rotation.paper.owner = name;
      here.rotation.paper.if_found = name;
      here.rotation.paper.if_found_discreet = name;
      for (const Style style : {Style::full, Style::discreet}) {
        for (const Kind kind : {Kind::permanent, Kind::monthly}) {
          INFO(stock.title << ", " << script << ", " << (style == Style::full) << ", "
                           << (kind == Kind::monthly));
          labels::Box ink;
          try {
            ink = ink_of(box, make_label(here, "ABCDEF7", kind, style));
          } catch (const base::Error& error) {
            // Refused rather than clipped: only where the label is small, with what to do.
            CHECK(width * height < 60 * 30);
            CHECK_THAT(error.what(), Catch::Contains("--stock"));
            continue;
          }
          ++drawn;
          // The recording counts whole units around the ink.
          CHECK(ink.width > 5);
          CHECK(ink.x >= box.x);
          CHECK(ink.y >= box.y);
          CHECK(ink.x + ink.width <= box.x + width);
          CHECK(ink.y + ink.height <= box.y + height);
        }
      }
    }
  }
  CHECK(drawn > 400);
}

TEST_CASE("letters of every script come from a font that has them", "[labels]") {
  const labels::Surface surface(cairo_recording_surface_create(CAIRO_CONTENT_ALPHA, nullptr));
  const labels::Page page(cairo_create(surface.get()));
  for (const auto& [script, name] : kNames) {
    INFO(script);
    PangoLayout* layout = pango_cairo_create_layout(page.get());
    pango_layout_set_text(layout, name.c_str(), -1);
    CHECK(pango_layout_get_unknown_glyphs_count(layout) == 0);
    g_object_unref(layout);
  }
}
