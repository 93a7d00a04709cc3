// The ordinary case, two disks that take turns every month, walked through six months on a real
// ledger. What `rota status` says at each step stands in docs/manual.md: with ROTA_UPDATE_DOCS=1
// this test writes it there, else it compares.
#include <catch2/catch.hpp>
#include <string>

#include "ledger/history.h"
#include "rotation/disks.h"
#include "rotation/status_text.h"
#include "support/files.h"
#include "support/manual.h"
#include "support/quick_clock.h"

using namespace rota;
using ledger::Claimed;
using ledger::Observed;
using test::some_disk;
using test::when;

namespace {

const std::string kManual = std::string(ROTA_TESTS) + "/../docs/manual.md";
const std::string kBegin = "<!-- six months of status: begin (tests/rotation/walk_test.cpp) -->\n";
const std::string kEnd = "<!-- six months of status: end -->\n";

class Walk {
 public:
  explicit Walk(const std::string& path) : ledger_(path), disks_(ledger_) {}

  void prepare(const std::string& name) {
    ledger::DiskRow disk = some_disk(name);
    disk.prepared = clock_.now();
    disks_.add(disk, clock_.now());
    observe(name, Observed::enrolled);
  }

  /// What the disk job records, from plugging in at 03:00 until the disk is unplugged at noon.
  void copy(const std::string& name, const std::string& day) {
    until(day + "T03:00:00Z");
    observe(name, Observed::connected);
    ledger::CopyRow row = test::some_copy(name, base::compact(clock_.now()));
    row.state = ledger::CopyState::partial;
    row.verified = false;
    row.sealed_time.reset();
    row.oldest_read.reset();
    disks_.put_copy(row, clock_.now());
    observe(name, Observed::copying);
    until(day + "T04:30:00Z");
    observe(name, Observed::verifying);
    until(day + "T05:00:00Z");
    disks_.announce_token(name, fmt::format("token-{}", day), clock_.now());
    disks_.add_check({.disk = name,
                      .server = "web",
                      .snapshot = row.snapshot,
                      .time = clock_.now(),
                      .what = ledger::CheckKind::seal,
                      .good = true,
                      .files = 1'000,
                      .bytes = row.new_bytes,
                      .problem = "",
                      .seconds = 1'800});
    disks_.seal(*disks_.copy(name, "web", row.snapshot), clock_.now());
    used_ += row.new_bytes;
    disks_.set_room(name, 2'000'000'000'000, used_, row.new_bytes, clock_.now());
    observe(name, Observed::safe_to_remove);
    until(day + "T12:00:00Z");
    observe(name, Observed::away);
  }

  void move(const std::string& name, Claimed state, const std::string& time,
            const std::string& place = "") {
    until(time);
    disks_.claim(test::claimed(name, state, time, place), clock_.now());
  }

  /// One is carried out and the other back, on one day.
  void swap(const std::string& out, const std::string& back, const std::string& day) {
    move(out, Claimed::in_transit_out, day + "T09:00:00Z");
    move(out, Claimed::off_site, day + "T10:00:00Z", "bank");
    move(back, Claimed::in_transit_back, day + "T10:05:00Z");
    move(back, Claimed::on_site, day + "T11:00:00Z");
  }

  /// Appends what a person sees then.
  void look(const std::string& time, const std::string& comment) {
    until(time);
    rotation::Facts facts;
    facts.sets.resize(1);
    facts.disks = disks_.states();
    facts.alarms = disks_.alarms("", true);
    facts.servers = {"web"};
    const rotation::Status status = rotation::compute(facts, clock_.now());
    text_ += fmt::format("\n**{}** {}\n\n```\n{}```\n", base::local(clock_.now()), comment,
                         rotation::status_text(status, clock_.now()));
  }

  const std::string& text() const { return text_; }
  ledger::Ledger& ledger() { return ledger_; }

 private:
  void until(const std::string& time) {
    REQUIRE(when(time) >= clock_.now());
    clock_.sleep(when(time) - clock_.now(), {});
  }
  void observe(const std::string& name, Observed state) {
    ledger::ObservationRow row;
    row.disk = name;
    row.time = clock_.now();
    row.state = state;
    disks_.observe(row);
  }

  test::QuickClock clock_{when("2026-05-20T10:00:00Z")};
  ledger::Ledger ledger_;
  ledger::Disks disks_;
  std::uint64_t used_ = 400'000'000'000;
  std::string text_;
};

}  // namespace

TEST_CASE("two disks, monthly, for six months, as the manual shows it", "[walk]") {
  REQUIRE(test::kUtc);
  const test::TempDir dir;
  Walk walk(dir / "ledger.db");
  walk.prepare("A");
  walk.prepare("B");
  walk.copy("A", "2026-05-24");
  walk.look("2026-05-24T13:00:00Z", "The first copy is made and A is unplugged.");
  walk.move("A", Claimed::off_site, "2026-05-25T10:00:00Z", "bank");
  walk.look("2026-05-25T12:00:00Z",
            "jo has taken A to the bank: `rota disk move A off-site --place bank --by jo`.");
  walk.look("2026-06-22T12:00:00Z", "B is due in two days.");
  walk.copy("B", "2026-06-24");
  walk.swap("B", "A", "2026-06-25");
  walk.look("2026-06-25T12:00:00Z", "B was copied to and carried to the bank, A was brought back.");
  walk.copy("A", "2026-07-24");
  walk.swap("A", "B", "2026-07-25");
  walk.look("2026-08-29T12:00:00Z", "Everybody was on holiday in August.");
  walk.copy("B", "2026-09-01");
  walk.move("B", Claimed::in_transit_out, "2026-09-01T18:00:00Z");
  walk.look("2026-09-05T12:00:00Z", "B left, but nobody said that it arrived.");
  walk.move("B", Claimed::off_site, "2026-09-05T12:30:00Z", "bank");
  walk.move("A", Claimed::in_transit_back, "2026-09-05T12:35:00Z");
  walk.move("A", Claimed::on_site, "2026-09-05T13:00:00Z");
  walk.copy("A", "2026-09-24");
  walk.swap("A", "B", "2026-09-25");
  walk.copy("B", "2026-10-24");
  walk.swap("B", "A", "2026-10-25");
  walk.look("2026-11-22T03:00:00Z", "Two regular swaps later.");
  CHECK(ledger::History(walk.ledger()).check().empty());

  test::check_manual(kManual, kBegin, kEnd, walk.text() + "\n");
}
