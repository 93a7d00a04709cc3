// Disks that are full, pulled out or turn read-only in the middle: earlier copies stay, and the
// next attempt is right.

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "disk/mounted_disk.h"
#include "disk/survey.h"
#include "support/skip.h"
#include "tree/local_source.h"

namespace rota::test {

namespace {

/// Does something when it comes to an entry.
class Eventful final : public tree::Source {
 public:
  Eventful(tree::Source& inner, int at, std::function<void()> event)
      : inner_(inner), left_(at), event_(std::move(event)) {}
  bool next(tree::Entry& entry) override {
    if (left_-- == 0) event_();
    return inner_.next(entry);
  }
  bool complete(tree::Entry& entry) override { return inner_.complete(entry); }
  std::unique_ptr<tree::Content> open(tree::Entry& entry) override { return inner_.open(entry); }

 private:
  tree::Source& inner_;
  int left_;
  std::function<void()> event_;
};

void make_source(const std::string& source, char mark) {
  for (int i = 0; i < 40; ++i) {
    write(source + "/d" + std::to_string(i % 4) + "/f" + std::to_string(i),
          std::string(30'000, static_cast<char>(mark + i)));
  }
}

std::uint64_t free_bytes(const std::string& path) {
  struct statvfs st {};
  REQUIRE(::statvfs(path.c_str(), &st) == 0);
  return st.f_bavail * st.f_frsize;
}

}  // namespace

TEST_CASE("a disk that fills up at any point keeps its copies, and the next attempt is right",
          "[disk][faults]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  TempDir temp(fast_directory());
  const std::string source = temp / "source";
  make_source(source, 'A');
  const std::string before = temp / "before";
  REQUIRE(run_program({"cp", "-a", source, before}) == "");
  MountedDisk disk("ext4", 16 << 20);
  disk.place->copy(source, 0);
  wait_for_another_tick();
  make_source(source, 'a');  // all of it is to be written
  int failures = 0;
  for (std::uint64_t room = 0; room < 1'600'000; room += 100'000) {
    CAPTURE(room);
    const std::uint64_t left = free_bytes(disk.path());
    REQUIRE(left > room);
    REQUIRE(run_program(
                {"fallocate", "-l", std::to_string(left - room), disk.path() + "/filler"}) == "");
    bool full = false;
    try {
      disk.place->write(source, 1);
    } catch (const base::FileError& error) {
      CHECK(error.error_number() == ENOSPC);
      full = true;
      ++failures;
    }
    CHECK(compared(before, disk.place->tree(0)) == "");
    // Whatever was made of it can go while the disk is full.
    const auto copies = disk::list_copies(disk.place->fd());
    if (room % 200'000 == 0 && copies.size() > 1) disk.place->remove(copies.back().directory);
    REQUIRE(run_program({"rm", disk.path() + "/filler"}) == "");
    if (full) disk.place->write(source, 2);
    const auto made = disk::list_copies(disk.place->fd());
    if (made.size() > 1) {
      CHECK(disk.place->verify(made.back().directory).good());
      CHECK(compared(source, disk.place->server() + "/" + made.back().directory + "/tree") == "");
      disk.place->remove(made.back().directory);
    }
    CHECK(disk.place->list() == std::vector<std::string>{"sealed " + CopyPlace::name(0)});
  }
  CHECK(failures > 3);
  CHECK(failures < 16);
}

TEST_CASE("a disk that is pulled out keeps its copies, and the next attempt is right",
          "[disk][faults]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  TempDir temp(fast_directory());
  const std::string source = temp / "source";
  make_source(source, 'A');
  const std::string before = temp / "before";
  REQUIRE(run_program({"cp", "-a", source, before}) == "");
  const std::string fs = GENERATE("ext4", "xfs");
  const int at = GENERATE(1, 44);
  CAPTURE(fs, at);
  MountedDisk disk(fs, fs == "xfs" ? 320 << 20 : 16 << 20);
  disk.place->copy(source, 0);
  wait_for_another_tick();
  make_source(source, 'a');
  disk.remount();
  {
    tree::LocalSource all(source, {}, disk.place->warnings);
    Eventful eventful(all, at, [&] { disk.disk.yank(); });
    disk.place->slow_clock = true;
    CHECK_THROWS_AS(disk.place->write(eventful, 1), base::FileError);
  }
  disk.let_go();
  disk.disk.push_in();
  disk.mount();
  CHECK(compared(before, disk.place->tree(0)) == "");
  disk.place->copy(source, 2);
  disk.remount();
  CHECK(disk.place->verify(CopyPlace::name(2)).good());
  CHECK(compared(source, disk.place->tree(2)) == "");
  CHECK(disk.place->list() ==
        std::vector<std::string>{"sealed " + CopyPlace::name(0), "sealed " + CopyPlace::name(2)});
}

TEST_CASE("a filesystem that turns read-only in the middle keeps its copies", "[disk][faults]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  TempDir temp(fast_directory());
  const std::string source = temp / "source";
  make_source(source, 'A');
  const std::string before = temp / "before";
  REQUIRE(run_program({"cp", "-a", source, before}) == "");
  MountedDisk disk("ext4", 16 << 20);
  disk.place->copy(source, 0);
  wait_for_another_tick();
  make_source(source, 'a');
  // As ext4 does when it finds itself damaged.
  const std::string trigger =
      "/sys/fs/ext4" + disk.disk.node().substr(std::string("/dev").size()) + "/trigger_fs_error";
  if (::access(trigger.c_str(), W_OK) != 0) return skip("needs a writable " + trigger);
  {
    tree::LocalSource all(source, {}, disk.place->warnings);
    Eventful eventful(all, 20, [&] { write(trigger, "1"); });
    CHECK_THROWS_AS(disk.place->write(eventful, 1), base::FileError);
  }
  CHECK(compared(before, disk.place->tree(0)) == "");
  disk.let_go();
  run_program({"e2fsck", "-fy", disk.disk.node()});
  disk.mount();
  CHECK(compared(before, disk.place->tree(0)) == "");
  disk.place->copy(source, 2);
  CHECK(compared(source, disk.place->tree(2)) == "");
}

TEST_CASE("the survey tells what changed and how much room a copy needs", "[disk][survey]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  TempDir temp(fast_directory());
  const std::string source = temp / "source";
  make_source(source, 'A');
  MountedDisk disk("ext4", 16 << 20);
  const auto survey = [&] {
    tree::LocalSource all(source, {}, disk.place->warnings);
    return disk::survey(all, disk.place->fd(), "web", disk.place->progress, {});
  };
  for (int day = 0; day < 3; ++day) {
    const disk::Survey found = survey();
    const std::uint64_t before = free_bytes(disk.path());
    const disk::CopySummary made = disk.place->copy(source, day);
    const std::uint64_t used = before - free_bytes(disk.path());
    CAPTURE(day, used, found.bytes_needed);
    CHECK(found.bytes_needed >= used);
    CHECK(found.bytes_needed <= used + (256 << 10));
    CHECK(found.entries == made.record.entries);
    CHECK(found.changes.added.count == made.changes.added.count);
    CHECK(found.changes.changed.count == made.changes.changed.count);
    CHECK(found.changes.same.count == made.changes.same.count);
    CHECK(found.changes.removed.count == made.changes.removed.count);
    CHECK(found.changes.bytes_before == made.changes.bytes_before);
    CHECK(found.changes.bytes_now == made.changes.bytes_now);
    wait_for_another_tick();
    write(source + "/d0/f0", "now this" + std::to_string(day));
    write(source + "/new" + std::to_string(day), "new");
    REQUIRE(run_program({"rm", "-f", source + "/d1/f1"}) == "");
  }
}

TEST_CASE("at the filesystem's limit of links a file is written anew", "[disk][copy]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  TempDir temp(fast_directory());
  write(temp / "source/a", "popular");
  MountedDisk disk("ext4", 32 << 20);
  disk.place->copy(temp / "source", 0);
  const std::string first = disk.place->tree(0) + "/a";
  write(disk.path() + "/many/.keep", "");
  for (int i = 1; i < 65'000; ++i) {
    if (::link(first.c_str(), (disk.path() + "/many/" + std::to_string(i)).c_str()) != 0) {
      REQUIRE(errno == EMLINK);
    }
  }
  // It is read, because its ctime moved, and found to be the same.
  wait_for_another_tick();
  REQUIRE(::chmod((temp / "source/a").c_str(), 0644) == 0);
  CHECK(disk.place->copy(temp / "source", 1).record.new_inodes == 1);
  CHECK(compared(temp / "source", disk.place->tree(1)) == "");
}

TEST_CASE("a large file that changed shares what did not, where the filesystem can",
          "[disk][copy][reflink]") {
  if (const auto why = LoopDisk::missing()) return skip(*why);
  TempDir temp(fast_directory());
  const std::string fs = GENERATE("xfs", "btrfs");
  CAPTURE(fs);
  std::string content;
  for (std::uint32_t i = 0; content.size() < 16 << 20; ++i)
    content += std::to_string(i * 2654435761U);
  write(temp / "source/image", content);
  write(temp / "source/kept", content);
  MountedDisk disk(fs, 400 << 20);
  disk.place->copy(temp / "source", 0);
  disk.remount();
  const std::uint64_t before = free_bytes(disk.path());
  wait_for_another_tick();
  content[5'000'000] = '!';
  content.resize(content.size() - 1'000'000);
  write(temp / "source/image", content);
  REQUIRE(::chmod((temp / "source/kept").c_str(), 0400) == 0);
  const disk::CopySummary made = disk.place->copy(temp / "source", 1);
  CHECK(made.record.new_inodes == 2);
  disk.remount();
  CHECK(before - free_bytes(disk.path()) < 2 << 20);
  CHECK(disk.place->verify(CopyPlace::name(1)).good());
  CHECK(compared(temp / "source", disk.place->tree(1)) == "");
}

}  // namespace rota::test
