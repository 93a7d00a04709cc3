// How long a frame takes: tests/bench/screen.py runs this with a recording.
#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>

#include "base/file.h"
#include "tui/recording.h"
#include "tui/views.h"

using namespace rota;

TEST_CASE("a frame of the recording that ROTA_RECORDING names", "[.frame]") {
  const char* name = std::getenv("ROTA_RECORDING");
  REQUIRE(name != nullptr);
  const tui::Model model =
      tui::make_model(tui::read_recording(base::read_file(name, tui::kMostRecording), name));
  using tui::Page;
  for (const Page page : {Page::overview, Page::history, Page::alarms, Page::runs}) {
    tui::State state;
    state.pages = {page};
    const auto begin = std::chrono::steady_clock::now();
    constexpr int kTimes = 20;
    for (int i = 0; i < kTimes; ++i) CHECK(tui::draw(model, state, 120, 40).rows() == 40);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    fmt::print("a frame of page {:<2}       {:6.1f} ms\n", static_cast<int>(page),
               took.count() / kTimes);
  }
}
