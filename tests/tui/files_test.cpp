#include "tui/files.h"

#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "base/text.h"
#include "tui/screens.h"

using namespace rota;
using test::line_with;
using test::Screen;
using test::shows;
using tui::KeyCode;
using tui::Page;
using tui::Wish;
using Words = std::vector<std::string>;

namespace {

std::string line(const std::string& path, const std::string& kind, const std::string& more = "") {
  return fmt::format(R"({{"path":"{}","kind":"{}","size":1200,"mtime":"2026-10-01T08:30:00Z"{}}})"
                     "\n",
                     path, kind, more);
}

const std::string kRoot = line("", "directory") + line("etc", "directory") +
                          line("link", "symlink", R"(,"target":"etc/fstab")") +
                          line("note", "file");
const std::string kEtc = line("etc", "directory") + line("etc/fstab", "file") +
                         line("etc/odd\\\\\\\\x", "directory") +
                         line("etc/same", "hard link", R"(,"target":"etc/fstab")");

/// What the program does when `rota ls` has answered.
void answer(Screen& screen, const std::string& output, bool good = true) {
  REQUIRE(screen.wish.kind == Wish::Kind::list);
  tui::take_listing(screen.state.browser, output, good);
}

/// A copy of disk A, its root listed.
Screen in_a_copy() {
  Screen screen;
  screen.type("C").enter();
  answer(screen, kRoot);
  return screen;
}

}  // namespace

TEST_CASE("a copy on a disk is walked a directory at a time", "[files]") {
  Screen screen;
  screen.type("C");
  CHECK(shows(screen.text(), ">  web"));
  screen.enter();
  CHECK(screen.state.browser.wanted == Words{"ls", "web", "./", "--disk", "A", "--at",
                                             "20260924T030000Z", "--depth", "1", "--json"});
  CHECK(shows(screen.text(), "One moment"));
  answer(screen, kRoot);
  CHECK(shows(screen.text(), "A web 20260924T030000Z files"));
  CHECK(shows(screen.text(), "/  3 names"));
  CHECK(shows(line_with(screen.text(), "etc/"), "> d           2026-10-01 08:30  etc/"));
  CHECK(shows(line_with(screen.text(), "note"), "  -   1.2 kB  2026-10-01 08:30  note"));
  CHECK(shows(screen.text(), "link -> etc/fstab"));
  screen.enter();
  CHECK(screen.state.browser.wanted[2] == "./etc");
  CHECK(shows(screen.text(), "Reading /etc"));
  answer(screen, kEtc);
  CHECK(shows(screen.text(), "/etc  3 names"));
  CHECK(shows(screen.text(), "same = etc/fstab"));
  // Up again, without asking; the one that was gone into is still selected.
  screen.type("h");
  CHECK(screen.wish.kind == Wish::Kind::nothing);
  CHECK(shows(screen.text(), "> d           2026-10-01 08:30  etc/"));
  screen.type("h");
  CHECK(screen.state.page() == Page::copies);
}

TEST_CASE("a file of a copy is restored from where it is seen", "[files]") {
  Screen screen = in_a_copy();
  screen.type("Gf");
  CHECK(shows(screen.text(), "A web 20260924T030000Z: Restore files from it"));
  CHECK(shows(screen.text(), "Which file or directory (none: all): note"));
  screen.type("/tmp/x").enter();
  CHECK(screen.wish.arguments == Words{"restore", "web", "--disk", "A", "--at", "20260924T030000Z",
                                       "--path=note", "--to=/tmp/x", "--json"});
  screen.press(KeyCode::escape);
  CHECK(screen.state.page() == Page::files);
}

TEST_CASE("all bytes of a name come back to rota", "[files]") {
  for (const char* name : {"a\\x41", "\xff\xfe", "new\nline", "\\\\", "日本", "x\\", "\\x4"}) {
    CHECK(tui::original(base::printable(name)) == name);
  }
  CHECK(tui::original("\\x4") == "\\x4");  // nobody writes this
  Screen screen = in_a_copy();
  screen.enter();
  answer(screen, kEtc);
  screen.type("j").enter();
  CHECK(screen.state.browser.wanted[2] == "./etc/odd\\x");
}

TEST_CASE("what rota says instead of a list is shown, and left again", "[files]") {
  Screen screen;
  screen.type("C").enter();
  answer(screen, "rota: no disk A is plugged in; `lsblk -o NAME,LABEL` shows what is\n", false);
  CHECK(shows(screen.text(), "no disk A is plugged in"));
  screen.type("h");
  CHECK(screen.state.page() == Page::copies);
  // In a directory below, one comes back to the one above.
  screen = in_a_copy();
  screen.enter();
  answer(screen, "rota: disk A is locked\n", false);
  CHECK(shows(screen.text(), "disk A is locked"));
  screen.type("h");
  CHECK(shows(screen.text(), "/  3 names"));
}

TEST_CASE("one need not wait for a list", "[files]") {
  Screen screen = in_a_copy();
  screen.enter().type("h");
  CHECK(screen.state.browser.wanted.empty());
  CHECK(shows(screen.text(), "/  3 names"));
  screen.enter().type("q");
  CHECK(screen.state.browser.wanted.empty());
  CHECK(screen.state.page() == Page::copies);
}

TEST_CASE("a list with gaps says so", "[files]") {
  Screen screen;
  screen.type("T").enter();
  answer(screen, kRoot + "rota: 1 part of the run's index is damaged\n", false);
  CHECK(shows(screen.text(), "NOT ALL: 1 part of the run's index is damaged"));
}

TEST_CASE("a copy that is not sealed is not looked into", "[files]") {
  tui::Rows rows = test::two_disks();
  rows.facts.disks[0].copies.back().state = ledger::CopyState::partial;
  Screen screen(rows);
  screen.type("C").enter();
  CHECK(screen.wish.kind == Wish::Kind::nothing);
  CHECK(shows(screen.text(), "This copy is partial"));
  CHECK(screen.type("f").state.page() == Page::copies);
}

TEST_CASE("of a large directory the selected name is always in sight", "[files]") {
  std::string listing = line("", "directory");
  for (int i = 0; i < 300; ++i) listing += line(fmt::format("file{:03}", i), "file");
  Screen screen;
  screen.type("T").enter();
  answer(screen, listing);
  const auto selected = [&] { return line_with(screen.text(), "> -").substr(32); };
  CHECK(selected() == "file000");
  screen.press(KeyCode::page_down);
  CHECK(selected() == "file021");
  CHECK_FALSE(shows(screen.text(), "file000"));
  screen.type("k");  // the list stays where it is
  CHECK(shows(screen.text(), "file021"));
  CHECK(selected() == "file020");
  screen.type("G");
  CHECK(selected() == "file299");
  screen.type("g/E150").enter();
  CHECK(selected() == "file150");
  screen.rows = 8;  // a smaller window
  CHECK(selected() == "file150");
}

TEST_CASE("a click selects a name, a second one opens it", "[files]") {
  Screen screen = in_a_copy();
  tui::Key click;
  click.code = KeyCode::click;
  const auto at = [&](int row) {
    click.row = row;
    return tui::handle(screen.state, screen.model, click, 80, 24);
  };
  at(4);
  CHECK(shows(line_with(screen.text(), "note"), "> -"));
  CHECK(at(5).kind == Wish::Kind::nothing);  // below the last one
  CHECK(at(1).kind == Wish::Kind::nothing);  // above the first one
  CHECK(shows(line_with(screen.text(), "note"), "> -"));
  at(2);
  CHECK(shows(line_with(screen.text(), "etc/"), "> d"));
  CHECK(at(2).kind == Wish::Kind::list);
  CHECK(screen.state.browser.wanted[2] == "./etc");
}

TEST_CASE("a directory with more names than there is room for says so", "[files]") {
  std::string listing = line("", "directory");
  for (std::size_t i = 0; i < tui::kMostFiles + 2; ++i) listing += "{\"path\":\"x\"}\n";
  tui::Browser browser;
  tui::want(browser, "");
  tui::take_listing(browser, listing, true);
  REQUIRE(browser.open.size() == 1);
  CHECK(browser.open[0].rows.size() == tui::kMostFiles);
  CHECK(browser.open[0].cut);
}
