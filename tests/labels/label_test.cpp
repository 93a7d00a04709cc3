#include "labels/label.h"

#include <fmt/core.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/error.h"
#include "labels/calibration.h"
#include "labels/raster.h"
#include "labels/sample.h"
#include "support/files.h"

using namespace rota;
using namespace rota::test;
using labels::Kind;
using labels::Style;

namespace {

std::string all_of(const labels::Label& label) {
  std::string text = labels::label_text(label);
  for (const std::string& code : label.qr) text += code + "\n";
  return text;
}

}  // namespace

TEST_CASE("the permanent label says which disk it is, whose, and whom to call", "[labels]") {
  const labels::Label label =
      make_label(sample_installation(), "ROTA-B", Kind::permanent, Style::full);
  CHECK(label.id == "ROTA-B-7");
  CHECK(label.barcode == "ROTA-B-7");
  CHECK(label.qr.front() == "ROTA:B:monthly::");
  CHECK_THAT(all_of(label), Catch::Contains("Set monthly, disk 2 of 3") &&
                                Catch::Contains("If found: call +49 30 123456") &&
                                Catch::Contains("Example Ltd") &&
                                Catch::Contains("Do not connect to a running or suspect computer"));
}

TEST_CASE("the monthly label says what the newest copies are and what is due", "[labels]") {
  recovery::Installation here = sample_installation();
  const std::string text = all_of(make_label(here, "B", Kind::monthly, Style::full));
  CHECK_THAT(text, Catch::Contains("Copy of 2026-10-24 03:00 UTC") &&
                       Catch::Contains("web: 400 GB, verified, manifest 1a2b3c4d") &&
                       Catch::Contains("mail: 400 GB") &&
                       Catch::Contains("Next swap due 2026-11-24") &&
                       Catch::Contains("Discard after 2027-10-24") &&
                       Catch::Contains("LUKS2 encrypted – key sheet no."));
  here.disks[1].copies[0].verified = false;
  CHECK_THAT(all_of(make_label(here, "B", Kind::monthly, Style::full)),
             Catch::Contains("web: 400 GB, NOT VERIFIED"));
  CHECK_THAT(all_of(make_label(here, "C", Kind::monthly, Style::full)), !Catch::Contains("LUKS2"));
  here.disks[1].copies.clear();
  CHECK_THROWS_WITH(make_label(here, "B", Kind::monthly, Style::full),
                    Catch::Contains("no sealed copy"));
  CHECK_THROWS_WITH(make_label(here, "X", Kind::monthly, Style::full),
                    Catch::Contains("there are A, B, C"));
}

TEST_CASE("a discreet label names no server, company, set, person or place", "[labels]") {
  recovery::Installation here = sample_installation();
  for (const Kind kind : {Kind::permanent, Kind::monthly}) {
    const std::string text = all_of(make_label(here, "B", kind, Style::discreet));
    INFO(text);
    for (const char* word : {"web", "mail", "Example", "monthly", "Jo", "call", "+49", "safe",
                             "LUKS", "backup", "recovery", "GB"}) {
      CHECK_THAT(text, !Catch::Contains(word));
    }
  }
  here.rotation.paper.if_found_discreet = "+49 30 999";
  CHECK_THAT(all_of(make_label(here, "B", Kind::permanent, Style::discreet)),
             Catch::Contains("+49 30 999"));
}

TEST_CASE("what was measured on the calibration page comes out right afterwards", "[labels]") {
  const TempDir dir;
  const profile::Places places{dir.path(), dir.path(), dir.path(), dir.path()};
  CHECK(labels::load_calibration(places, "Laser") == labels::Calibration{});
  const labels::Calibration measured{51.5, 48.75, 99, 101};
  labels::save_calibration(places, "Laser", measured);
  CHECK(labels::load_calibration(places, "Laser") == measured);
  const labels::Correction fix = labels::correction(measured);
  // A printer that moves and scales as was measured, fed with what is corrected.
  for (const double wanted : {0.0, 20.0, 150.0}) {
    const double x = (wanted * fix.scale_x + fix.shift_x) * 0.99 + (51.5 - 50 * 0.99);
    const double y = (wanted * fix.scale_y + fix.shift_y) * 1.01 + (48.75 - 50 * 1.01);
    CHECK(x == Approx(wanted).margin(1e-9));
    CHECK(y == Approx(wanted).margin(1e-9));
  }
  CHECK_THROWS_WITH(labels::save_calibration(places, "Laser", {5, 50, 100, 100}),
                    Catch::Contains("cannot be what was measured"));
  CHECK_THROWS_AS(labels::save_calibration(places, "../x", measured), base::Error);
  write(dir / "printers/Laser.toml", "scale_x = 5\n");
  CHECK_THROWS_WITH(labels::load_calibration(places, "Laser"), Catch::Contains("Laser.toml:1: "));
}

TEST_CASE("a correction moves what is drawn, and the marks of the calibration page are not moved",
          "[labels]") {
  if (!can_read_codes()) return;
  const auto first_dark_column = [](const Raster& page, int y) {
    for (int x = 0; x < page.width; ++x) {
      if (page.dark(x, y) > 100) return x / kDotsPerMm;
    }
    return -1.0;
  };
  const auto all = own_stock();
  const labels::Stock& stock = labels::find_stock(all, "L7163");
  labels::LabelJob job;
  job.outline = true;
  job.labels.push_back(make_label(sample_installation(), "B", Kind::permanent, Style::full));
  job.correction = labels::correction({52, 50, 100, 100});
  const auto moved = rasterise(label_pdf(stock, job));
  CHECK(first_dark_column(moved[0], static_cast<int>(100 * kDotsPerMm)) ==
        Approx(4.65 - 2).margin(0.3));
  labels::PdfPaper paper("test");
  labels::render_calibration(paper, 210, 297);
  const auto page = rasterise(paper.finish());
  CHECK(first_dark_column(page[0], static_cast<int>(30 * kDotsPerMm)) == Approx(50).margin(0.2));
}
