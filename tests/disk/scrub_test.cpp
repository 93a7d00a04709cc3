// Older copies are read again, each inode once, the longest unread first, within a budget.

#include "disk/scrub.h"

#include <catch2/catch.hpp>

#include "disk/copy_fixture.h"
#include "disk/damaged_copies.h"

namespace rota::test {

namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr base::Instant kNow(seconds(5'000'000'000));

/// Each look takes so many seconds.
class StepClock final : public base::Clock {
 public:
  explicit StepClock(base::Instant start, int step = 0) : now_(start), step_(step) {}
  base::Instant now() override { return now_ += seconds(step_); }
  void sleep(std::chrono::milliseconds, const std::stop_token&) override {}

 private:
  base::Instant now_;
  int step_;
};

/// Three copies, of which each changes one of ten files.
void make_copies(CopyPlace& place, const std::string& source) {
  for (int i = 0; i < 10; ++i) write(source + "/f" + std::to_string(i), "same");
  for (int day = 0; day < 3; ++day) {
    write(source + "/f" + std::to_string(day), "changed for day " + std::to_string(day));
    wait_for_another_tick();
    place.copy(source, day);
  }
}

struct Scrubbing {
  CopyPlace& place;
  disk::ScrubState state = disk::load_scrub_state(place.fd(), "web");

  disk::ScrubResult run(base::Clock& clock, seconds budget, base::Instant since = kNow) {
    disk::ScrubResult result =
        disk::scrub(place.fd(), "web", state, budget, since, clock, place.progress, {});
    disk::save_scrub_state(place.fd(), "web", state);
    state = disk::load_scrub_state(place.fd(), "web");
    return result;
  }
};

}  // namespace

TEST_CASE("scrubbing reads each inode once though many copies link to it", "[disk][scrub]") {
  TempDir temp(fast_directory());
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  make_copies(place, temp / "source");
  Scrubbing scrubbing{place};
  REQUIRE(scrubbing.state.groups.size() == 3);
  StepClock clock(kNow);
  const disk::ScrubResult all = scrubbing.run(clock, hours(1));
  CHECK(all.all);
  CHECK(all.check.files == 12);  // 10 of the first copy, one of each other
  CHECK(all.check.good());
  CHECK(all.oldest == kNow);
  // All was read behind this moment; within the very second of it, it may have been read before.
  CHECK(scrubbing.run(clock, hours(1), kNow - seconds(1)).check.files == 0);
  CHECK(scrubbing.run(clock, hours(1)).check.files == 12);

  SECTION("what a removed copy leaves goes over to the next") {
    place.remove(CopyPlace::name(0));
    StepClock later(kNow + hours(1));
    scrubbing.state = disk::load_scrub_state(place.fd(), "web");
    CHECK(scrubbing.state.groups.size() == 2);
    CHECK(scrubbing.run(later, hours(1), kNow + hours(1)).check.files == 11);
  }
  SECTION("a state that was lost begins anew") {
    write(place.server() + "/scrub.json", "{\"format\":");
    scrubbing.state = disk::load_scrub_state(place.fd(), "web");
    CHECK(scrubbing.state.groups.size() == 3);
    CHECK(disk::oldest_read(scrubbing.state) < kNow);
  }
}

TEST_CASE("scrubbing goes on where its budget ended, and the oldest byte ages until then",
          "[disk][scrub]") {
  TempDir temp(fast_directory());
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  make_copies(place, temp / "source");
  Scrubbing scrubbing{place};
  const auto before = disk::oldest_read(scrubbing.state);
  std::uint64_t files = 0;
  bool removed = false;
  int runs = 0;
  for (bool all = false; !all; ++runs) {
    REQUIRE(runs < 20);
    StepClock clock(kNow + hours(runs), 1);
    const disk::ScrubResult result = scrubbing.run(clock, seconds(6));
    files += result.check.files;
    all = result.all;
    if (!all) CHECK(result.oldest == before);
    if (runs == 1 && !removed) {
      // The pass under way does not begin anew.
      place.remove(CopyPlace::name(0));
      scrubbing.state = disk::load_scrub_state(place.fd(), "web");
      removed = true;
    }
  }
  CHECK(runs > 2);
  // What the copy behind had before the position is read in a pass of its own.
  CHECK(files <= 12 + 11);
  CHECK(*disk::oldest_read(scrubbing.state) > *before);
}

TEST_CASE("scrubbing finds damage in a copy and tells which copy wrote it", "[disk][scrub]") {
  TempDir temp(fast_directory());
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  make_copies(place, temp / "source");
  write(place.tree(2) + "/f1", "Changed for day 1");
  write(place.tree(2) + "/f9", "Same");
  Scrubbing scrubbing{place};
  StepClock clock(kNow);
  const disk::ScrubResult result = scrubbing.run(clock, hours(1));
  REQUIRE(result.check.damage.size() == 2);
  CHECK(result.check.damage[0].path == "f9");
  CHECK(result.check.damage[0].born == CopyPlace::time(0).time_since_epoch().count());
  CHECK(result.check.damage[1].path == "f1");
  CHECK(result.check.damage[1].born == CopyPlace::time(1).time_since_epoch().count());
  // Each lies in its own copy and in all that link to it.
  std::vector<std::string> names;
  for (const disk::CopyInfo& copy : disk::damaged_copies(place.fd(), "web", result.check)) {
    names.push_back(copy.directory);
  }
  CHECK(names == std::vector{CopyPlace::name(0), CopyPlace::name(1), CopyPlace::name(2)});
  disk::CheckResult one = result.check;
  one.damage.erase(one.damage.begin());
  one.damaged = 1;
  names.clear();
  for (const disk::CopyInfo& copy : disk::damaged_copies(place.fd(), "web", one)) {
    names.push_back(copy.directory);
  }
  CHECK(names == std::vector{CopyPlace::name(1), CopyPlace::name(2)});
  disk::note_damage(place.fd(), "web", result.check);
  CHECK(place.copy(temp / "source", 3).record.new_inodes == 2);
  CHECK(compared(temp / "source", place.tree(3)) == "");
}

TEST_CASE("a scrub state is read as it was written", "[disk][scrub]") {
  disk::ScrubState state;
  state.groups.push_back({CopyPlace::time(0), kNow, kNow, std::string("a\n\xff/b", 5)});
  state.groups.push_back({CopyPlace::time(1), kNow, std::nullopt, ""});
  const std::string text = disk::to_json(state);
  const disk::ScrubState again = disk::parse_scrub_state(text);
  CHECK(disk::to_json(again) == text);
  REQUIRE(again.groups.size() == 2);
  CHECK(again.groups[0].position == state.groups[0].position);
}

}  // namespace rota::test
