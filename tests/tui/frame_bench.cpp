// How long a frame takes: tests/bench/screen.py runs this with a recording.
#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>

#include "base/file.h"
#include "tui/files.h"
#include "tui/keys.h"
#include "tui/recording.h"
#include "tui/views.h"

using namespace rota;

namespace {

double milliseconds(const std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

}  // namespace

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

TEST_CASE("a directory of 100,000 names", "[.files]") {
  std::string listing;
  for (int i = 0; i < 100'000; ++i) {
    listing += fmt::format(
        R"({{"gid":0,"kind":"file","mode":"0644","mtime":"2026-11-27T02:57:40Z",)"
        R"("path":"many/file-with-a-name-{:06}.txt","sha256":"{:064}","size":{},"uid":0}})"
        "\n",
        i, i, i);
  }
  tui::State state;
  state.pages = {tui::Page::overview, tui::Page::files};
  tui::want(state.browser, "many");
  auto begin = std::chrono::steady_clock::now();
  tui::take_listing(state.browser, listing, true);
  fmt::print("taking in {} names, {} bytes  {:6.1f} ms\n", state.browser.open.back().rows.size(),
             listing.size(), milliseconds(begin));
  const tui::Model model;
  begin = std::chrono::steady_clock::now();
  constexpr int kTimes = 1'000;
  tui::Key down;
  down.code = tui::KeyCode::page_down;
  for (int i = 0; i < kTimes; ++i) {
    tui::handle(state, model, down, 120, 40);
    CHECK(tui::draw(model, state, 120, 40).rows() == 40);
  }
  fmt::print("a key and its frame             {:6.3f} ms\n", milliseconds(begin) / kTimes);
  begin = std::chrono::steady_clock::now();
  for (const char c : std::string("/nowhere\n")) {
    tui::Key key;
    key.code = c == '\n' ? tui::KeyCode::enter : tui::KeyCode::text;
    key.text = c;
    tui::handle(state, model, key, 120, 40);
  }
  fmt::print("a search through all of them    {:6.1f} ms\n", milliseconds(begin));
}
