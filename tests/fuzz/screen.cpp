// What the screen reads that anybody may have written: a recording, and the lines of a progress
// file; and any text in a cell.
#include "base/bytes.h"
#include "fuzz/fuzz.h"
#include "tui/follow.h"
#include "tui/recording.h"
#include "tui/views.h"

using namespace rota;

namespace {

void check_frame(const tui::Grid& grid) {
  const std::string text = grid.text();
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    fuzz::require((byte >= 0x20 && byte != 0x7f) || c == '\n', "no control character is shown");
  }
  for (const char c : grid.text(true)) {
    fuzz::require((c >= ' ' && c < 0x7f) || c == '\n', "ASCII is ASCII");
  }
}

void check_recording(std::string_view text) {
  tui::Rows rows;
  if (!fuzz::accepted([&] { rows = tui::read_recording(text, "fuzz"); },
                      {base::ErrorKind::corrupt})) {
    return;
  }
  const tui::Model model = tui::make_model(std::move(rows));
  using tui::Page;
  for (const Page page : {Page::overview, Page::details, Page::copies, Page::history, Page::alarms,
                          Page::runs, Page::job}) {
    tui::State state;
    state.pages = {page};
    check_frame(tui::draw(model, state, 80, 24));
  }
}

void check_listing(std::string_view text) {
  tui::State state;
  state.pages = {tui::Page::files};
  tui::want(state.browser, "");
  tui::take_listing(state.browser, text, true);
  check_frame(tui::draw(tui::Model(), state, 80, 24));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_recording(text);
  check_listing(text);
  tui::ProgressReader reader(tui::Job{});
  reader.feed(text.substr(0, size / 2));
  reader.feed(text.substr(size / 2));
  fuzz::require(reader.job().done.size() <= 50, "what a job has done is limited");
  tui::Grid grid(11, 2);
  grid.put(0, 0, text);
  grid.put(-3, 1, text);
  check_frame(grid);
  fuzz::require(tui::width(tui::fitted_end(text, 7)) <= 7, "what is cut is no wider than asked");
  for (const std::string& line : tui::wrapped(text, 9)) {
    fuzz::require(tui::width(line) <= 9, "a line is no wider than it may be");
  }
  fuzz::require(tui::width(tui::padded(text, 7)) == 7, "what is padded is as wide as asked");
  return 0;
}
