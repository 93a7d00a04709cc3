// Attempts that end without warning: what was complete stays, what was durable is taken over, and
// the next attempt is right.

#include <catch2/catch.hpp>

#include "base/error.h"
#include "disk/copy_fixture.h"
#include "support/killer.h"
#include "support/random_tree.h"
#include "support/skip.h"
#include "tree/local_source.h"

namespace rota::test {

namespace {

/// Gives the first entries of a source, and then is interrupted.
class Interrupted final : public tree::Source {
 public:
  Interrupted(tree::Source& inner, std::size_t most) : inner_(inner), left_(most) {}
  bool next(tree::Entry& entry) override {
    if (left_-- == 0) throw base::Error(base::ErrorKind::interrupted, "stopped");
    return inner_.next(entry);
  }
  bool complete(tree::Entry& entry) override { return inner_.complete(entry); }
  std::unique_ptr<tree::Content> open(tree::Entry& entry) override { return inner_.open(entry); }

 private:
  tree::Source& inner_;
  std::size_t left_;
};

void make_source(const std::string& source) {
  write(source + "/a", "first");
  write(source + "/d/b", "second");
  write(source + "/d/c", "third");
  REQUIRE(run_program({"ln", source + "/d/b", source + "/d/e"}) == "");
  REQUIRE(run_program({"ln", "-s", "a", source + "/f"}) == "");
}

void change_source(const std::string& source) {
  write(source + "/a", "changed");
  write(source + "/d/new", "new");
  REQUIRE(run_program({"rm", source + "/d/c"}) == "");
}

}  // namespace

TEST_CASE(
    "a copy that is killed at every system call leaves the earlier ones, and the next is right",
    "[disk][copy][kill]") {
  if (!can_trace()) return skip("processes may not be traced here");
  TempDir temp(fast_directory());
  const std::string source = temp / "source";
  make_source(source);
  const std::string before = temp / "before";
  REQUIRE(run_program({"cp", "-a", source, before}) == "");
  write(temp / "model/.keep", "");
  CopyPlace model(temp / "model");
  model.copy(source, 0);
  wait_for_another_tick();
  change_source(source);
  std::uint64_t calls = 0;
  for (bool killed = true; killed; ++calls) {
    INFO("killed before call " << calls + 1);
    TempDir disk(temp.path());
    REQUIRE(run_program({"cp", "-a", temp / "model/.", disk.path()}) == "");
    CopyPlace place(disk.path());
    killed = kill_at(calls + 1, [&] { place.copy(source, 1); });
    CHECK(differences(before, place.tree(0)) == "");
    const bool sealed = place.list().back() == "sealed " + CopyPlace::name(1);
    if (!sealed) {
      const bool complete = disk::list_copies(place.fd()).back().complete();
      if (complete) CHECK(place.verify(CopyPlace::partial(1)).good());
      place.copy(source, 2);
    }
    const int last = sealed ? 1 : 2;
    CHECK(place.list() == std::vector<std::string>{"sealed " + CopyPlace::name(0),
                                                   "sealed " + CopyPlace::name(last)});
    CHECK(differences(source, place.tree(last)) == "");
    CHECK(check_sums(place.server() + "/" + CopyPlace::name(last)) == "");
    CHECK(inode_of(place.tree(0) + "/d/b") == inode_of(place.tree(last) + "/d/e"));
    CHECK(place.verify(CopyPlace::name(last), {.what = disk::What::everything}).good());
  }
  CHECK(calls > 20);
}

TEST_CASE("removing a copy that is killed at every system call goes on the next time",
          "[disk][copy][kill]") {
  if (!can_trace()) return skip("processes may not be traced here");
  TempDir temp(fast_directory());
  const std::string source = temp / "source";
  make_source(source);
  write(temp / "model/.keep", "");
  CopyPlace model(temp / "model");
  model.copy(source, 0);
  model.copy(source, 1);
  for (std::uint64_t n = 1;; ++n) {
    INFO("killed before call " << n);
    TempDir disk(temp.path());
    REQUIRE(run_program({"cp", "-a", temp / "model/.", disk.path()}) == "");
    CopyPlace place(disk.path());
    const bool killed = kill_at(n, [&] { place.remove(CopyPlace::name(0)); });
    const auto copies = disk::list_copies(place.fd());
    // Half gone it is no sealed copy any more.
    for (const disk::CopyInfo& copy : copies) {
      if (copy.state == disk::CopyState::sealed)
        CHECK(differences(source, place.server() + "/" + copy.directory + "/tree") == "");
    }
    if (copies.size() > 1) place.remove(copies.front().directory);
    CHECK(place.list() == std::vector<std::string>{"sealed " + CopyPlace::name(1)});
    if (!killed) break;
  }
}

TEST_CASE("what a cut off attempt made durable is taken over, and read back as new",
          "[disk][copy][resume]") {
  TempDir temp(fast_directory());
  const std::string source = temp / "source";
  for (int i = 0; i < 300; ++i) write(source + "/" + std::to_string(1000 + i), std::to_string(i));
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  place.slow_clock = true;
  place.write(source, 0);
  const std::string partial = place.server() + "/" + CopyPlace::partial(0);
  const std::uint64_t inode = inode_of(partial + "/tree/1000");
  REQUIRE(run_program({"rm", partial + "/COPY.json"}) == "");
  const std::string index = read(partial + "/index");
  write(partial + "/index", index.substr(0, index.size() * 6 / 10));

  const int day = GENERATE(0, 1);  // of the same snapshot, and of another
  write(source + "/1001", "changed meanwhile");
  const disk::CopySummary summary = place.write(source, day);
  CHECK(summary.resumed >= 50);
  CHECK(summary.resumed < 250);
  CHECK(summary.record.linked == 0);
  CHECK(summary.record.new_inodes == 300);
  CHECK(place.list() == std::vector<std::string>{"partial " + CopyPlace::partial(day)});
  CHECK(place.verify(CopyPlace::partial(day)).files == 300);
  place.seal(day);
  CHECK(inode_of(place.tree(day) + "/1000") == inode);
  CHECK(differences(source, place.tree(day)) == "");
}

TEST_CASE("an attempt that ends in an error keeps what it had written", "[disk][copy][resume]") {
  TempDir temp(fast_directory());
  const std::string source = temp / "source";
  for (int i = 0; i < 3000; ++i) write(source + "/" + std::to_string(1000 + i), std::to_string(i));
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  tree::LocalSource all(source, {}, place.warnings);
  // Later batches can only begin when the first were placed.
  Interrupted interrupted(all, 2900);
  REQUIRE_THROWS(place.write(interrupted, 0));
  CHECK(place.list() == std::vector<std::string>{"partial " + CopyPlace::partial(0)});
  CHECK(place.write(source, 1).resumed >= 64);
}

TEST_CASE("an attempt's entries behind its last checkpoint are not believed",
          "[disk][copy][resume]") {
  TempDir temp(fast_directory());
  const std::string source = temp / "source";
  for (int i = 0; i < 200; ++i) write(source + "/" + std::to_string(1000 + i), "content");
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  place.write(source, 0);
  const std::string partial = place.server() + "/" + CopyPlace::partial(0);
  // As after a power cut: the last file never came to the medium, though the index has it.
  write(partial + "/tree/1199", "");
  std::string index = read(partial + "/index");
  index.resize(index.size() - 17);  // its end, which is a mark as well
  write(partial + "/index", index);
  CHECK(place.write(source, 1).resumed == 0);
  CHECK(place.verify(CopyPlace::partial(1)).good());
}

}  // namespace rota::test
