// The monthly swap, a tripwire, a lost disk and the first start, as the screen shows them. The
// frames stand in docs/manual.md: with ROTA_UPDATE_DOCS=1 this test writes them there, else it
// compares.
#include <catch2/catch.hpp>

#include "ledger/drills.h"
#include "ledger/history.h"
#include "support/files.h"
#include "support/manual.h"
#include "tui/child.h"
#include "tui/recording.h"
#include "tui/screens.h"

using namespace rota;
using ledger::Claimed;
using ledger::Observed;
using test::Screen;
using test::when;

namespace {

const std::string kManual = std::string(ROTA_TESTS) + "/../docs/manual.md";
const std::string kBegin = "<!-- frames of the screen: begin (tests/tui/manual_test.cpp) -->\n";
const std::string kEnd = "<!-- frames of the screen: end -->\n";

/// A station with a real ledger, whose clock is set by each call.
class Station {
 public:
  explicit Station(const std::string& path) : ledger_(path), disks_(ledger_) {}

  void prepare(const std::string& name, const std::string& time) {
    ledger::DiskRow disk = test::some_disk(name, time);
    disks_.add(disk, when(time));
    observe(name, Observed::enrolled, time);
  }
  void observe(const std::string& name, Observed state, const std::string& time) {
    ledger::ObservationRow row = test::seen(name, state, time);
    disks_.observe(row);
  }
  void move(const std::string& name, Claimed state, const std::string& time,
            const std::string& place = "") {
    disks_.claim(test::claimed(name, state, time, place), when(time));
  }
  void plug_in(const std::string& name, const std::string& day) {
    observe(name, Observed::connected, day + "T03:00:00Z");
    observe(name, Observed::copying, day + "T03:00:10Z");
  }
  void finish(const std::string& name, const std::string& day) {
    ledger::CopyRow row = test::some_copy(name, base::compact(when(day + "T03:00:00Z")));
    disks_.put_copy(row, when(day + "T03:00:10Z"));
    disks_.seal(row, when(day + "T05:00:00Z"));
    used_ += row.new_bytes;
    disks_.set_room(name, 2'000'000'000'000, used_, row.new_bytes, when(day + "T05:00:00Z"));
    observe(name, Observed::safe_to_remove, day + "T05:01:00Z");
  }
  void carry(const std::string& out, const std::string& back, const std::string& day) {
    observe(out, Observed::away, day + "T08:00:00Z");
    move(out, Claimed::in_transit_out, day + "T09:00:00Z", "bank");
    move(out, Claimed::off_site, day + "T10:00:00Z", "bank");
    if (back.empty()) return;
    move(back, Claimed::in_transit_back, day + "T10:05:00Z");
    move(back, Claimed::on_site, day + "T11:00:00Z");
  }
  ledger::Disks& disks() { return disks_; }
  /// A drill of a sample from the store.
  void drill(const std::string& time) {
    ledger::DrillRow row;
    row.server = "web";
    row.run = "20260920T030000Z-abcd";
    row.snapshot = when("2026-09-20T03:00:00Z");
    row.time = when(time);
    row.files = 1'210;
    row.bytes = 2'000'000'000;
    row.whole_bytes = 400'000'000'000;
    row.restore_seconds = 42;
    row.seconds = 61;
    row.sample = row.passed = true;
    ledger::Drills(ledger_).add(row, row.time);
  }

  /// What the screen is made of at that time.
  tui::Rows at(const std::string& time) {
    tui::Rows rows = test::two_disks(time);
    ledger::RunRow& run = rows.facts.profiles[0].runs[0];
    run.time = when(time) - std::chrono::hours(9);
    rows.facts.profiles[0].verifications[0].time = run.time + std::chrono::hours(1);
    rows.facts.disks = disks_.states();
    rows.facts.drills = ledger::Drills(ledger_).all();
    rows.facts.drill_every = {.months = 3};
    rows.facts.alarms = disks_.alarms("", false);
    rows.claims = disks_.claims_since(base::before(rows.now, tui::kBack));
    rows.observations = disks_.observations_since(base::before(rows.now, tui::kBack));
    rows.history = ledger::History(ledger_).last("", tui::kMostHistory);
    // What is shown stands a recording, too.
    return tui::read_recording(tui::recording(rows), "the recording");
  }

 private:
  ledger::Ledger ledger_;
  ledger::Disks disks_;
  std::uint64_t used_ = 400'000'000'000;
};

class Frames {
 public:
  void show(const std::string& comment, const Screen& screen) {
    std::string frame = screen.text();
    while (frame.find("\n\n\n") != std::string::npos) {
      frame.erase(frame.find("\n\n\n"), 1);  // rows that are empty; the page has no bottom
    }
    text_ += fmt::format("\n{}\n\n```\n{}```\n", comment, frame);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

tui::Job copying(const std::string& disk) {
  tui::Job job;
  job.disk = disk;
  job.server = "web";
  job.step = "copy";
  job.state = "begins";
  job.files = 181'000;
  job.bytes = 7'200'000'000;
  job.total_bytes = 10'000'000'000;
  job.rate = 48'000'000;
  job.done = {"mount", "survey web: 250,000 entries, 1,020 changed"};
  return job;
}

/// A drill is overdue, and somebody makes it.
void overdue_drill(const std::string& path, Frames& frames) {
  Station station(path);
  station.prepare("A", "2026-07-01T12:00:00Z");
  station.prepare("B", "2026-07-01T12:30:00Z");
  station.drill("2026-07-20T10:00:00Z");
  for (const char* month : {"08", "09", "10"}) {
    const bool even = std::string_view(month) != "09";
    station.plug_in(even ? "A" : "B", fmt::format("2026-{}-24", month));
    station.finish(even ? "A" : "B", fmt::format("2026-{}-24", month));
    station.carry(even ? "A" : "B", even ? "B" : "A", fmt::format("2026-{}-25", month));
  }
  Screen due(station.at("2026-10-16T09:00:00Z"));
  CHECK(test::shows(due.text(), "i A drill of web is due on 2026-10-20: make it with"));
  Screen screen(station.at("2026-10-27T09:00:00Z"));
  frames.show(
      "**An overdue drill**: nobody has tried for three months whether the backup comes back.",
      screen);
  screen.type("D").enter().enter().type("2G");
  frames.show(
      "`D` asks for a drill: of which server, from the store or a disk, and how much of it.",
      screen);
  screen.enter();
  CHECK(screen.wish.arguments == std::vector<std::string>{"drill", "web", "--sample=2G", "--json"});
  tui::Rows rows = station.at("2026-10-27T09:01:00Z");
  tui::Job job = copying("");
  job.drill = true;
  job.step = "restoring";
  job.files = 640;
  job.bytes = 1'100'000'000;
  job.total_bytes = 2'000'000'000;
  job.done.clear();
  rows.jobs = {job};
  Screen running(rows);
  CHECK(test::shows(running.text(), "* drill: restoring web: 640 files, 1.1 GB of 2 GB, 48 MB/s"));
  running.state = screen.state;
  frames.show("It restores to a scratch directory, compares and checks; the screen may be left.",
              running);
  station.drill("2026-10-27T09:02:00Z");
  Screen over(station.at("2026-10-27T09:02:00Z"));
  over.state = screen.state;
  over.state.busy = false;
  over.state.good = true;
  over.state.result =
      tui::told(R"({"server":"web","source":"store","disk":"","snapshot":"2026-10-27T03:00:00Z",)"
                R"("files":1210,"bytes":2000000000,"restore_seconds":42,"whole_seconds":8400,)"
                R"("sample":true,"checked":true,"passed":true,"check_output":""})");
  frames.show("What came of it.", over);
  over.type("q");
  CHECK(test::shows(over.text(),
                    "web: drill passed just now from the store · next drill in 3 months"));
  CHECK_FALSE(test::shows(over.text(), "A drill of web was due"));
  over.type("H");
  frames.show("And in the history (`H`).", over);
}

ledger::AlarmRow tripwire() {
  ledger::AlarmRow alarm;
  alarm.kind = "tripwire";
  alarm.disk = "B";
  alarm.server = "web";
  alarm.opened = when("2026-10-24T03:20:00Z");
  alarm.message = "41 percent of the files of web changed or vanished since the copy before.";
  alarm.details = {"home/jo/letters/2026-01.odt", "home/jo/letters/2026-02.odt"};
  return alarm;
}

/// What `rota ls` says of a directory; names of directories end with '/'.
std::string listing(const std::string& directory, const std::vector<std::string>& names) {
  std::string text = fmt::format("{{\"path\":\"{}\",\"kind\":\"directory\"}}\n", directory);
  for (std::string name : names) {
    const bool is_directory = name.ends_with('/');
    if (is_directory) name.pop_back();
    text += fmt::format(
        "{{\"path\":\"{}{}{}\",\"kind\":\"{}\",\"size\":3141,\"mtime\":\"2026-10-01T08:30:00Z\"}}"
        "\n",
        directory, directory.empty() ? "" : "/", name, is_directory ? "directory" : "file");
  }
  return text;
}

}  // namespace

TEST_CASE("the screen from the first start to a lost disk, as the manual shows it", "[manual]") {
  REQUIRE(test::kUtc);
  const test::TempDir dir;
  Station station(dir / "ledger.db");
  Frames frames;

  Screen first(station.at("2026-03-01T12:00:00Z"));
  frames.show("**The first start**, before there is a disk.", first);

  station.prepare("A", "2026-03-01T12:00:00Z");
  station.prepare("B", "2026-03-01T12:30:00Z");
  std::string away;
  std::string here = "A";
  for (const char* month : {"03", "04", "05", "06", "07", "08", "09"}) {
    station.plug_in(here, fmt::format("2026-{}-24", month));
    station.finish(here, fmt::format("2026-{}-24", month));
    station.carry(here, away.empty() ? "" : away, fmt::format("2026-{}-25", month));
    std::swap(here, away);
    if (here.empty()) here = "B";
  }
  REQUIRE(here == "B");
  station.drill("2026-09-26T10:00:00Z");
  frames.show("**Most days**: A is at the bank, nothing is to be done yet.",
              Screen(station.at("2026-10-12T12:00:00Z")));

  station.plug_in("B", "2026-10-24");
  tui::Rows rows = station.at("2026-10-24T03:40:00Z");
  rows.jobs = {copying("B")};
  frames.show("**The monthly swap**: B is plugged in, and the copy runs.", Screen(rows));

  ledger::AlarmRow alarm = tripwire();
  const std::int64_t id = station.disks().open_alarm(alarm);
  station.observe("B", Observed::suspect, "2026-10-24T04:00:00Z");
  Screen held(station.at("2026-10-24T04:10:00Z"));
  frames.show("**A tripwire holds the copy**; nothing older was removed.", held.type("A"));
  held.type("q").type("j").enter().type("a").type("letters moved to the wiki");
  held.press(tui::KeyCode::tab).type("kim");
  frames.show("Somebody has looked, and takes note of it with name and reason (Enter, a).", held);
  held.enter().enter();
  CHECK(held.wish.arguments == std::vector<std::string>{"disk", "accept", "B",
                                                        "--reason=letters moved to the wiki",
                                                        "--by=kim", "--json"});
  station.disks().acknowledge(id, "kim", "letters moved to the wiki", when("2026-10-24T04:15:00Z"));
  station.finish("B", "2026-10-24");
  frames.show("B was plugged in again; now it is copied, read back and sealed.",
              Screen(station.at("2026-10-24T05:30:00Z")));

  station.observe("B", Observed::away, "2026-10-24T06:10:00Z");
  Screen scanned(station.at("2026-10-24T06:15:00Z"));
  scanned.type("ROTA-B").enter();
  frames.show("A scanner has typed the label of B: what is to be done with it?", scanned);

  station.carry("B", "A", "2026-10-25");
  frames.show("B is at the bank, A is back.", Screen(station.at("2026-10-25T12:00:00Z")));

  Screen copy(station.at("2026-10-25T12:00:00Z"));
  copy.type("jC").enter();
  tui::take_listing(copy.state.browser, listing("", {"etc/", "home/", "srv/"}), true);
  copy.type("j").enter();
  tui::take_listing(copy.state.browser, listing("home", {"jo/", "kim/", "notes.txt"}), true);
  frames.show(
      "**What is in a copy**: `C`, then Enter on a copy and on its directories; `f` restores.",
      copy);

  station.disks().end("B", ledger::DiskEnd::lost, "left on a train", "jo",
                      when("2026-11-03T17:00:00Z"));
  frames.show("**A lost disk**: there is nothing off site any more.",
              Screen(station.at("2026-11-03T18:00:00Z")));
  frames.show("**Overdue**: nobody came in December.", Screen(station.at("2026-12-28T12:00:00Z")));

  overdue_drill(dir / "drill.db", frames);
  test::check_manual(kManual, kBegin, kEnd, frames.text() + "\n");
}
