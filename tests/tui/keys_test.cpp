#include "tui/keys.h"
#include "ledger/disk_code.h"

#include <catch2/catch.hpp>

#include "tui/screens.h"

using namespace rota;
using test::Screen;
using test::shows;
using tui::KeyCode;
using tui::Page;
using tui::Wish;
using Words = std::vector<std::string>;

TEST_CASE("arrows and the letters of vi move alike", "[keys]") {
  Screen screen;
  CHECK(screen.type("j").state.selected == 1);
  CHECK(screen.type("j").state.selected == 1);
  CHECK(screen.type("k").state.selected == 0);
  CHECK(screen.press(KeyCode::down).state.selected == 1);
  CHECK(screen.press(KeyCode::home).state.selected == 0);
  CHECK(screen.type("G").state.selected == 1);
  CHECK(screen.type("l").state.page() == Page::menu);
  CHECK(screen.press(KeyCode::left).state.page() == Page::overview);
  CHECK(screen.type("q").wish.kind == Wish::Kind::quit);
}

TEST_CASE("a disk is checked out by its menu, with place and person", "[keys]") {
  Screen screen;
  screen.enter().type("o");
  CHECK(screen.state.page() == Page::form);
  CHECK(shows(screen.text(), "> Where to: bank_"));
  screen.enter().type("jo").enter();
  CHECK(screen.wish.kind == Wish::Kind::run);
  CHECK(screen.wish.arguments ==
        Words{"disk", "move", "A", "in-transit-out", "--place=bank", "--by=jo", "--json"});
  CHECK(screen.state.page() == Page::result);
  // Who was named is offered again.
  screen.press(KeyCode::escape).type("i");
  CHECK(shows(screen.text(), "Who says so: jo_"));
}

TEST_CASE("every act is a call of rota, and asks for what rota needs", "[keys]") {
  const auto call = [](char key, const Words& answers) {
    Screen screen;
    screen.enter().type(std::string(1, key));
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (i > 0) screen.press(KeyCode::tab);
      for (int n = 0; n < 20; ++n) screen.press(KeyCode::backspace);
      screen.type(answers[i]);
    }
    screen.enter();
    return screen.wish.arguments;
  };
  CHECK(call('c', {}) == Words{"disk", "attach", "A", "--json"});
  CHECK(call('v', {}) == Words{"disk", "verify", "A", "--json"});
  CHECK(call('e', {}) == Words{"disk", "eject", "A", "--json"});
  CHECK(call('a', {"it is fine", "jo", ""}) ==
        Words{"disk", "accept", "A", "--reason=it is fine", "--by=jo", "--json"});
  CHECK(call('a', {"it is fine", "jo", "tripwire"}) == Words{"disk", "accept", "A",
                                                             "--reason=it is fine", "--by=jo",
                                                             "--alarm=tripwire", "--json"});
  CHECK(call('x', {"train", ""}) == Words{"disk", "lost", "A", "--reason=train", "--json"});
  CHECK(call('h', {"court", "jo"}) ==
        Words{"disk", "hold", "A", "--reason=court", "--by=jo", "--json"});
  CHECK(call('u', {"jo"}) == Words{"disk", "release", "A", "--by=jo", "--json"});
  CHECK(call('r', {"old", "--wipe"}) ==
        Words{"disk", "retire", "A", "--reason=old", "--by=--wipe", "--json"});
  CHECK(call('f', {"web", "etc/fstab", "/tmp/x"}) ==
        Words{"restore", "web", "--disk", "A", "--path=etc/fstab", "--to=/tmp/x", "--json"});
  CHECK(call('p', {"bank", "jo"}) ==
        Words{"disk", "move", "A", "off-site", "--place=bank", "--by=jo", "--json"});
}

TEST_CASE("nothing is begun while a reason is missing", "[keys]") {
  Screen screen;
  screen.enter().type("x").press(KeyCode::tab).enter();
  CHECK(screen.wish.kind == Wish::Kind::nothing);
  CHECK(screen.state.page() == Page::form);
  CHECK(shows(screen.text(), "Why? This must be said."));
}

TEST_CASE("a scanner's label selects its disk and offers to check it in or out", "[keys]") {
  Screen screen;
  screen.type("ROTA-B").enter();
  CHECK(screen.state.selected == 1);
  CHECK(screen.state.page() == Page::menu);
  CHECK(shows(screen.text(), "> i  Check in"));  // it is off site
  screen.type("ROTA-A").enter();
  CHECK(screen.state.selected == 0);
  CHECK(shows(screen.text(), "> o  Check out"));  // it is here
  screen.type("ROTA-Z").enter();
  CHECK(shows(screen.text(), "knows no disk with the label ROTA-Z"));
  CHECK(screen.state.selected == 0);
  // What the codes of a printed label hold: the id with its check digit, and the QR code.
  screen.type(ledger::printed_id("B")).enter();
  CHECK(screen.state.selected == 1);
  screen.type("ROTA:A:monthly:20261024T0300Z:1a2b3c4d").enter();
  CHECK(screen.state.selected == 0);
  CHECK(screen.state.page() == Page::menu);
  std::string wrong = ledger::printed_id("B");
  wrong.back() = wrong.back() == '9' ? '0' : static_cast<char>(wrong.back() + 1);
  screen.type(wrong).enter();
  CHECK(shows(screen.text(), "is on no label of ours"));
  CHECK(screen.state.selected == 0);
}

TEST_CASE("a label that is scanned into a form does not do its act", "[keys]") {
  SECTION("a form that only asks for Enter") {
    Screen screen;
    screen.enter().type("e").type("ROTA-B").enter();
    CHECK(screen.wish.kind == Wish::Kind::nothing);
    CHECK(screen.state.selected == 1);
    CHECK(screen.state.page() == Page::menu);
  }
  SECTION("a field that is filled in, or not") {
    for (const char* before : {"", "bank"}) {
      Screen screen;
      screen.enter().type("p").type(before).type("ROTA-B").enter();
      CHECK(screen.wish.kind == Wish::Kind::nothing);
      CHECK(screen.state.selected == 1);
      CHECK(screen.state.page() == Page::menu);
    }
  }
  SECTION("a label of nobody") {
    Screen screen;
    screen.enter().type("x").type("old").type("ROTA-Z").enter();
    CHECK(screen.wish.kind == Wish::Kind::nothing);
    CHECK(screen.state.page() == Page::form);
    CHECK(screen.state.fields.front().answer == "old");
    CHECK(shows(screen.text(), "knows no disk with the label ROTA-Z"));
  }
  SECTION("what a person writes of a disk is theirs") {
    Screen screen;
    screen.enter().type("x").type("swapped with ROTA-B").enter().enter();
    CHECK(screen.wish.kind == Wish::Kind::run);
    CHECK(screen.wish.arguments[3] == "--reason=swapped with ROTA-B");
  }
}

TEST_CASE("a label that breaks off leaves no trace", "[keys]") {
  Screen screen;
  screen.type("ROj");
  CHECK(screen.state.selected == 1);
  CHECK(screen.state.scanned.empty());
  screen.type("ROTA-").press(KeyCode::escape);
  CHECK(screen.state.scanned.empty());
  CHECK(screen.state.page() == Page::overview);
}

TEST_CASE("a search finds a disk by its place, and a line of a page", "[keys]") {
  Screen screen;
  screen.type("/BANK").enter();
  CHECK(screen.state.selected == 1);
  screen.type("/nothing").enter();
  CHECK(shows(screen.text(), "\"nothing\" is not here."));
  screen.type("?/detect").enter();
  CHECK(screen.state.scroll > 0);
}

TEST_CASE("a click selects a disk, a second one asks what to do", "[keys]") {
  Screen screen;
  int row = 0;
  for (; row < screen.rows; ++row) {
    if (tui::disk_at(screen.model, screen.state, 80, 24, row) == std::size_t{1}) break;
  }
  REQUIRE(row < screen.rows);
  tui::Key click;
  click.code = KeyCode::click;
  click.row = row;
  tui::handle(screen.state, screen.model, click, 80, 24);
  CHECK(screen.state.selected == 1);
  CHECK(screen.state.page() == Page::overview);
  tui::handle(screen.state, screen.model, click, 80, 24);
  CHECK(screen.state.page() == Page::menu);
}

TEST_CASE("a new model keeps the selection on the same disk", "[keys]") {
  Screen screen;
  screen.type("j");
  tui::Rows rows = test::two_disks();
  rows.facts.disks.insert(rows.facts.disks.begin(),
                          test::here("0", "20260924T030000Z", "2026-09-24T12:00:00Z"));
  const tui::Model after = tui::make_model(rows);
  tui::keep_selection(screen.state, screen.model, after);
  CHECK(screen.state.selected == 2);
}

TEST_CASE("a page scrolls to its end and no further", "[keys]") {
  Screen screen;
  screen.rows = 10;
  screen.type("?G");
  const std::size_t end = screen.state.scroll;
  CHECK(end > 0);
  CHECK(screen.type("j").state.scroll == end);
  CHECK(screen.type("k").state.scroll == end - 1);
}

TEST_CASE("a job is stopped by a signal, not by a call", "[keys]") {
  Screen screen;
  screen.enter().type("s").enter();
  CHECK(screen.wish.kind == Wish::Kind::stop);
  CHECK(screen.wish.disk == "A");
  CHECK(screen.wish.arguments.empty());
}

TEST_CASE("a run is listed, and files taken out of it", "[keys]") {
  Screen screen;
  screen.type("T").enter();
  CHECK(screen.wish.kind == Wish::Kind::list);
  CHECK(screen.state.page() == Page::files);
  CHECK(screen.state.browser.wanted ==
        Words{"ls", "web", "./", "--at", "20261110T030000Z-abcd", "--depth", "1", "--json"});
  screen.press(KeyCode::escape).type("f");
  CHECK(screen.state.browser.wanted.empty());
  CHECK(shows(screen.text(), "web 20261110T030000Z-abcd: Restore files from it"));
  screen.type("etc").enter().type("/tmp/x").enter();
  CHECK(screen.wish.arguments == Words{"restore", "web", "--at", "20261110T030000Z-abcd",
                                       "--path=etc", "--to=/tmp/x", "--json"});
}

TEST_CASE("a drill is made from the store or from a disk, of the server whose turn it is",
          "[keys]") {
  tui::Rows rows = test::two_disks();
  rows.facts.profiles.push_back(rows.facts.profiles[0]);
  rows.facts.profiles[1].profile = "db";
  rows.facts.servers = {"web", "db"};
  ledger::DrillRow drill;
  drill.server = "web";
  drill.time = test::when("2026-10-01T10:00:00Z");
  drill.passed = true;
  rows.facts.drills = {drill};
  rows.facts.drill_every = {.months = 1};  // of db it is due later: its first run is of this night
  Screen screen(rows);
  screen.type("D");
  CHECK(shows(screen.text(), "> Of which server: web_"));
  screen.enter().enter().enter();
  CHECK(screen.wish.arguments == Words{"drill", "web", "--json"});
  // A failed one comes before one that is only late.
  drill.server = "db";
  drill.time = test::when("2026-11-09T10:00:00Z");
  drill.passed = false;
  rows.facts.drills.push_back(drill);
  Screen failed(rows);
  CHECK(shows(failed.type("D").text(), "> Of which server: db_"));
  // With a disk in hand it is read from there.
  Screen disk(rows);
  disk.enter().type("D").enter().enter().type("5%").enter();
  CHECK(disk.wish.arguments == Words{"drill", "web", "--disk=A", "--sample=5%", "--json"});
}

TEST_CASE("a drill that runs is stopped by a signal", "[keys]") {
  tui::Rows rows = test::two_disks();
  Screen none(rows);
  none.type("S");
  CHECK(none.state.page() == Page::overview);
  CHECK(shows(none.text(), "No drill is under way"));
  tui::Job copy;
  copy.disk = "A";
  tui::Job drill;
  drill.drill = true;
  drill.server = "web";
  rows.jobs = {copy, drill};
  Screen screen(rows);
  screen.type("S");
  CHECK(shows(screen.text(), "web: Stop the drill"));
  screen.enter();
  CHECK(screen.wish.kind == Wish::Kind::stop);
  CHECK(screen.wish.server == "web");
  CHECK(screen.wish.disk.empty());
}

TEST_CASE("what is under way keeps its page while another form is filled in", "[keys]") {
  Screen screen;
  screen.enter().type("v").enter();
  CHECK(shows(screen.text(), "A: Read its newest copies back: under way"));
  const int first = screen.state.done_number;
  screen.type("D");
  CHECK(shows(screen.text(), "Make a drill: try a recovery"));
  screen.press(KeyCode::escape);
  CHECK(shows(screen.text(), "A: Read its newest copies back: under way"));
  CHECK(screen.state.done_number == first);
  // It may take hours: something else can be done meanwhile.
  screen.type("qo").enter().enter();
  CHECK(screen.wish.kind == Wish::Kind::run);
  CHECK(shows(screen.text(), "A: Check out: it leaves now: under way"));
  CHECK(screen.state.done_number == first + 1);
}
