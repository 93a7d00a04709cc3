// What removing copies frees, beside what it really does.
#include "disk/freeable.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "disk/copy_fixture.h"
#include "disk/mounted_disk.h"
#include "disk/power.h"
#include "support/loop_disk.h"
#include "support/skip.h"

namespace rota::test {

namespace {

/// Five copies of 200 small files and two large ones, one of them with three names. Each day one
/// large file of the day comes, and that of the day before goes.
struct FiveCopies {
  TempDir temp{fast_directory()};
  MountedDisk disk{"ext4", 64 << 20};

  FiveCopies() {
    for (int i = 0; i < 200; ++i) write(source("d" + std::to_string(i % 9) + "/f", i), "x");
    write(source("stays", 0), noise(9 << 20, 1));
    for (int i = 1; i < 3; ++i) {
      REQUIRE(::link(source("stays", 0).c_str(), source("stays", i).c_str()) == 0);
    }
    for (int day = 0; day < 5; ++day) {
      write(source("day", day), noise(2 << 20, static_cast<unsigned>(10 + day)));
      if (day > 0) REQUIRE(::unlink(source("day", day - 1).c_str()) == 0);
      disk.place->copy(temp / "source", day);
    }
  }
  std::string source(const std::string& name, int number) const {
    return temp / "source/" + name + std::to_string(number);
  }
  std::uint64_t said(const std::set<int>& days) {
    std::set<base::Instant> going;
    for (const int day : days) going.insert(CopyPlace::time(day));
    return disk::freeable(disk.place->fd(), "web", going);
  }
  std::uint64_t freed(const std::set<int>& days) {
    disk.remount();
    const std::uint64_t before = disk::usage(disk.place->fd()).free;
    for (const int day : days) disk.place->remove(CopyPlace::name(day));
    disk.remount();
    return disk::usage(disk.place->fd()).free - before;
  }
};

}  // namespace

TEST_CASE("what copies share with those that stay is not freed", "[disk][freeable]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  FiveCopies copies;
  const std::set<int> going = GENERATE(std::set{0}, std::set{1}, std::set{0, 1, 2, 3},
                                       std::set{1, 3}, std::set{4}, std::set{0, 1, 2, 3, 4});
  CAPTURE(going.size(), *going.begin());
  const std::uint64_t said = copies.said(going);
  const std::uint64_t freed = copies.freed(going);
  CHECK(said >= freed);
  CHECK(said < freed + going.size() * (600 << 10));
}

TEST_CASE("a copy that cannot be judged may free all that is used", "[disk][freeable]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  FiveCopies copies;
  const std::string file = GENERATE("COPY.json", "index");
  write(copies.disk.place->server() + "/" + CopyPlace::name(0) + "/" + file, "nothing");
  CHECK(copies.said({0, 1}) == disk::usage(copies.disk.place->fd()).used);
}

}  // namespace rota::test
