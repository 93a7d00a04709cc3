#include "tui/views.h"

#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "tui/screens.h"

using namespace rota;
using ledger::Claimed;
using ledger::DiskEnd;
using ledger::Observed;
using test::line_with;
using test::Screen;
using test::shows;
using test::two_disks;
using test::when;

namespace {

/// The disk's line in the table, at 120 columns.
std::string told(tui::Rows rows, const std::string& disk) {
  Screen screen(std::move(rows));
  screen.columns = 120;
  screen.rows = 40;
  const std::string text = screen.text();
  return line_with(text, " " + disk + "    ");
}

tui::Rows with_observation(Observed state) {
  tui::Rows rows = two_disks();
  rows.facts.disks[0].observation = test::seen("A", state, "2026-11-10T11:00:00Z");
  rows.facts.disks[0].result = rows.facts.disks[0].observation;
  rows.facts.disks[0].last_seen = rows.facts.disks[0].observation->time;
  return rows;
}

tui::Rows with_claim(Claimed state) {
  tui::Rows rows = two_disks();
  rows.facts.disks[0].claim = test::claimed("A", state, "2026-11-10T09:00:00Z", "bank");
  rows.facts.disks[0].claim_holds = true;
  return rows;
}

tui::Rows with_end(DiskEnd end) {
  tui::Rows rows = two_disks();
  rows.facts.disks[0].disk.end = end;
  rows.facts.disks[0].disk.end_time = when("2026-11-09T09:00:00Z");
  rows.facts.disks[0].disk.end_by = "jo";
  rows.facts.disks[0].disk.end_reason = "left on a train";
  return rows;
}

}  // namespace

TEST_CASE("each state of a disk has a sign and a word", "[views]") {
  CHECK(shows(told(two_disks(), "A"), ". A    on site"));
  CHECK(shows(told(two_disks(), "B"), "+ B    off site bank"));
  CHECK(shows(told(with_observation(Observed::enrolled), "A"), "o A    new"));
  CHECK(shows(told(with_observation(Observed::connected), "A"), "* A    connected"));
  CHECK(shows(told(with_observation(Observed::copying), "A"), "* A    connected"));
  CHECK(shows(told(with_observation(Observed::safe_to_remove), "A"), "^ A    safe to remove"));
  CHECK(shows(told(with_observation(Observed::interrupted), "A"), "!! A    interrupted"));
  CHECK(shows(told(with_observation(Observed::suspect), "A"), "! A    suspect"));
  CHECK(shows(told(with_observation(Observed::damaged), "A"), "X! A    damaged"));
  CHECK(shows(told(with_observation(Observed::full), "A"), "! A    full"));
  CHECK(shows(told(with_claim(Claimed::in_transit_out), "A"), "> A    in transit out"));
  CHECK(shows(told(with_claim(Claimed::in_transit_back), "A"), "< A    in transit back"));
  CHECK(shows(told(with_end(DiskEnd::lost), "A"), "Xx A    lost"));
  CHECK(shows(told(with_end(DiskEnd::retired), "A"), "- A    retired"));
  CHECK(shows(told(with_end(DiskEnd::held), "A"), "= A    held"));
}

TEST_CASE("the first screen tells exposure, chain, next duty, table and timeline", "[views]") {
  const std::string text = Screen().text();
  INFO(text);
  CHECK(shows(text, "rota  GOOD"));
  CHECK(shows(text, "you would go back to 2026-10-24 03:00 (17"));
  CHECK(shows(text, "web: good · full 9 hours ago"));
  CHECK(shows(text, "Next: disk A is to be plugged in on 2026-11-24."));
  CHECK(shows(line_with(text, ". A "), "47 d"));
  CHECK(shows(line_with(text, ". A "), "2026-11-24 next"));
  CHECK(shows(line_with(text, "· on site"), "S due"));
  CHECK(shows(line_with(text, "detect"), "▒▒│"));
}

TEST_CASE("the bar of a disk is as full as its turn is over", "[views]") {
  // A was copied on 24 September and is due on 24 November: 47 of 61 days.
  CHECK(shows(told(two_disks(), "A"), "██████░░"));
  CHECK(shows(told(two_disks("2026-12-10T12:00:00Z"), "A"), "███████▶"));
}

TEST_CASE("no line is wider and no screen higher than it may be, at any size", "[views]") {
  tui::Rows rows = two_disks();
  rows.facts.disks[0].disk.end_reason = "日本語";
  rows.facts.disks[1].claim->place = "日本語の金庫とても長い名前の場所";
  Screen screen(rows);
  using tui::Page;
  for (const Page page : {Page::overview, Page::menu, Page::details, Page::copies, Page::history,
                          Page::alarms, Page::runs, Page::job, Page::help}) {
    screen.state.pages = {page};
    for (int columns = 20; columns < 200; columns += 7) {
      for (const int height : {5, 8, 24, 60}) {
        screen.columns = columns;
        screen.rows = height;
        const std::string text = screen.text();
        int lines = 0;
        std::size_t begin = 0;
        while (begin < text.size()) {
          const std::size_t end = text.find('\n', begin);
          CHECK(tui::width(std::string_view(text).substr(begin, end - begin)) <= columns);
          begin = end + 1;
          ++lines;
        }
        CHECK(lines == height);
      }
    }
  }
}

TEST_CASE("a window that is too small for all says so", "[views]") {
  Screen screen;
  CHECK_FALSE(shows(screen.text(), "too small"));
  for (const auto& [columns, rows] : {std::pair(79, 24), std::pair(80, 23), std::pair(60, 10)}) {
    screen.columns = columns;
    screen.rows = rows;
    CHECK(shows(screen.text(),
                fmt::format("{}x{} is too small to show all: make it 80x24", columns, rows)));
  }
  screen.type("?");
  CHECK(shows(screen.text(), "60x10 is too small"));
}

TEST_CASE("where one types is seen in a form of any size", "[views]") {
  Screen screen;
  screen.enter().type("a").type("a very long reason, of which only the end has room: 日本 the end");
  screen.columns = 40;
  CHECK(shows(screen.text(), "> Why: …"));
  CHECK(line_with(screen.text(), "> Why: …").ends_with(" 日本 the end_"));
  CHECK(tui::width(line_with(screen.text(), "> Why: …")) <= 40);
  screen.press(tui::KeyCode::tab).type("kim");
  for (screen.rows = 3; screen.rows < 12; ++screen.rows) {
    CHECK(shows(screen.text(), "> Who says so: kim_"));
  }
}

TEST_CASE("plain ASCII is ASCII, and as wide as the other", "[views]") {
  Screen screen;
  const std::string text = screen.text(true);
  for (const char c : text) CHECK((c == '\n' || (c >= ' ' && c < 0x7f)));
  CHECK(shows(text, "######::"));
  CHECK(line_with(text, "detect").size() ==
        static_cast<std::size_t>(tui::width(line_with(screen.text(), "detect"))));
}

TEST_CASE("nothing is told by colour alone: level, selection and alarm have signs", "[views]") {
  Screen screen(with_end(DiskEnd::lost));
  const std::string text = screen.text();
  CHECK(shows(text, "rota  ALARM"));
  CHECK(shows(text, "X Disk A is lost"));
  CHECK(shows(line_with(text, "A    lost"), ">Xx A"));
  CHECK(shows(line_with(text, " B    off site"), "  + B"));
}

TEST_CASE("the first start says what to do", "[views]") {
  tui::Rows rows;
  rows.now = when("2026-11-10T12:00:00Z");
  rows.facts.sets.resize(1);
  const std::string text = Screen(rows).text();
  CHECK(shows(text, "nothing to go back to"));
  CHECK(shows(text, "1  Say what is backed up and where to: rota init"));
  CHECK(shows(text, "rota disk prepare /dev/sdX --name A"));
}

TEST_CASE("a disk that a drill reads is not to be unplugged", "[views]") {
  tui::Rows rows = with_observation(Observed::safe_to_remove);
  CHECK(shows(Screen(rows).text(), "SAFE TO UNPLUG ROTA-A"));
  tui::Job job;
  job.drill = true;
  job.server = "web";
  job.step = "restoring";
  job.state = "begins";
  rows.jobs = {job};
  CHECK(shows(Screen(rows).text(), "SAFE TO UNPLUG ROTA-A"));  // it reads the store
  CHECK(shows(Screen(rows).text(), "* drill: restoring web"));
  rows.jobs[0].disk = "A";
  CHECK_FALSE(shows(Screen(rows).text(), "SAFE TO UNPLUG"));
  CHECK(shows(Screen(rows).text(), "* drill from A: restoring web"));
}

TEST_CASE("the last drill and the next one stand beside the chain", "[views]") {
  tui::Rows rows = two_disks();
  CHECK_FALSE(shows(Screen(rows).text(), "drill yet"));
  rows.facts.drill_every = {.months = 3};
  CHECK(line_with(Screen(rows).text(), "no drill yet") ==
        "web: no drill yet · next drill in 43 days");
  ledger::DrillRow drill;
  drill.server = "web";
  drill.source = ledger::DrillSource::disk;
  drill.disk = "B";
  drill.time = when("2026-11-09T12:00:00Z");
  rows.facts.drills = {drill};
  CHECK(shows(Screen(rows).text(), "web: drill FAILED 1 day ago from disk B"));
  CHECK(shows(Screen(rows).text(), "X The drill of web from disk B"));
  rows.facts.drills[0].passed = true;
  CHECK(shows(Screen(rows).text(),
              "web: drill passed 1 day ago from disk B · next drill in 3 months"));
  rows.facts.drill_every = {};
  CHECK(line_with(Screen(rows).text(), "web: drill") == "web: drill passed 1 day ago from disk B");
}

TEST_CASE("a job shows step, files, bytes, rate and time left", "[views]") {
  tui::Rows rows = with_observation(Observed::copying);
  tui::Job job;
  job.disk = "A";
  job.server = "web";
  job.step = "copy";
  job.state = "begins";
  job.files = 1'200;
  job.bytes = 3'000'000'000;
  job.total_bytes = 4'000'000'000;
  job.rate = 100'000'000;
  job.done = {"survey web: 1,300 files"};
  rows.jobs = {job};
  Screen screen(rows);
  CHECK(shows(screen.text(), "* A: copy web: 1,200 files, 3 GB of 4 GB, 100 MB/s, 10 s left"));
  CHECK(shows(screen.type("J").text(), "survey web: 1,300 files"));
}

TEST_CASE("a disk that is done is to be unplugged, in large letters, and taken to its place",
          "[views]") {
  Screen screen(with_observation(Observed::safe_to_remove));
  CHECK(shows(screen.text(), "SAFE TO UNPLUG ROTA-A – take it to bank"));
  CHECK_FALSE(shows(Screen().text(), "SAFE TO UNPLUG"));
}

TEST_CASE("with 40 disks the selected one is in sight", "[views]") {
  tui::Rows rows = two_disks();
  for (int i = 0; i < 38; ++i) {
    rows.facts.disks.push_back(
        test::away(fmt::format("D{:02}", i), "20261024T030000Z", "2026-10-25T10:00:00Z"));
  }
  Screen screen(rows);
  for (int i = 0; i < 40; ++i) {
    INFO(screen.text());
    CHECK(shows(line_with(screen.text(), "\n>"), ""));
    CHECK(shows(screen.text(), " " + screen.model.disks[screen.state.selected].status.name + " "));
    screen.type("j");
  }
  CHECK(screen.state.selected == 39);
}

TEST_CASE("an open tripwire shows its files, and who took note of it is kept", "[views]") {
  tui::Rows rows = two_disks();
  ledger::AlarmRow alarm;
  alarm.id = 5;
  alarm.kind = "tripwire";
  alarm.disk = "A";
  alarm.server = "web";
  alarm.opened = when("2026-11-10T10:00:00Z");
  alarm.message = "Too many files vanished.";
  alarm.details = {"home/jo/letter"};
  rows.facts.alarms = {alarm};
  CHECK(shows(Screen(rows).type("A").text(), "    home/jo/letter"));
  CHECK(shows(Screen(rows).text(), "X Too many files vanished."));
  rows.facts.alarms[0].acknowledged = when("2026-11-10T11:00:00Z");
  rows.facts.alarms[0].acknowledged_by = "kim";
  rows.facts.alarms[0].reason = "jo left";
  const std::string noted = Screen(rows).type("A").text();
  CHECK(shows(noted, "noted by kim on 2026-11-10 11:00: jo left"));
  CHECK_FALSE(shows(noted, "home/jo/letter"));
}
