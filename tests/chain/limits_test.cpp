// What a run refuses or leaves out, so that what is committed can be read; and whose trouble is
// whose.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/kind_of.h"
#include "chain/behaviour.h"
#include "chain/index_record.h"
#include "chain/record.h"
#include "support/skip.h"
#include "tree/local_source.h"
#include "tree/xattr_spill.h"

namespace rota::test {

using base::ErrorKind;
using chain::BlockEncoder;
using chain::BlockRow;
using chain::IndexRecord;
using chain::ObjectRow;
using chain::RecordRoom;
using chain::RunRecord;

namespace fs = std::filesystem;

namespace {

/// Where temporary files go, while the object lives.
class TemporaryPlace {
 public:
  explicit TemporaryPlace(const std::string& path) {
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
    ::setenv("TMPDIR", path.c_str(), 1);
  }
  ~TemporaryPlace() { before_ ? ::setenv("TMPDIR", before_->c_str(), 1) : ::unsetenv("TMPDIR"); }
  TemporaryPlace(const TemporaryPlace&) = delete;
  TemporaryPlace& operator=(const TemporaryPlace&) = delete;

 private:
  std::optional<std::string> before_;
};

/// Gives each file xattrs of so many bytes, as it is opened.
class Laden final : public tree::Source {
 public:
  Laden(tree::Source& inner, std::size_t bytes) : inner_(inner), bytes_(bytes) {}
  bool next(tree::Entry& entry) override { return inner_.next(entry); }
  bool complete(tree::Entry& entry) override { return inner_.complete(entry); }
  std::unique_ptr<tree::Content> open(tree::Entry& entry) override {
    auto content = inner_.open(entry);
    entry.xattrs.clear();
    for (std::size_t at = 0; at < bytes_; at += 50'000) {
      entry.xattrs.push_back(
          {"user." + std::to_string(10 + at / 50'000), entry.path + std::string(50'000, 'v')});
    }
    return content;
  }

 private:
  tree::Source& inner_;
  std::size_t bytes_;
};

/// Of directories only, with a slash at its end.
std::string directories(std::size_t length) {
  std::string path;
  while (path.size() + 201 <= length) path.append(200, 'p').push_back('/');
  return path;
}

}  // namespace

TEST_CASE("rota's own trouble ends the run, and no file is left out for it", "[chain][limits]") {
  Backups backups;
  make_tree(backups);
  SECTION("there is no room for a large file's signature") {
    const std::string small = backups.temp / "small";
    fs::create_directory(small);
    if (::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=64k") != 0) {
      return skip("needs the right to mount");
    }
    {
      const TemporaryPlace there(small);
      CHECK(kind_of([&] { backups.backup(backups.store); }) == ErrorKind::io);
    }
    ::umount2(small.c_str(), MNT_DETACH);
  }
  SECTION("no more files can be opened") {
    const char* name = GENERATE("a", "large");
    base::CollectedWarnings ignored;
    tree::LocalSource local(backups.tree, {}, ignored);
    WatchedSource source(local);
    source.on_open = [&](tree::Entry& entry) {
      if (entry.path == name) base::throw_os("cannot read", entry.path, EMFILE);
      return true;
    };
    CHECK(kind_of([&] { backups.backup(backups.store, source); }) == ErrorKind::io);
  }
  CHECK(lines(backups.warnings) == "");
  CHECK(backups.runs().empty());
  CHECK(is_restored(backups, backups.run()));
}

TEST_CASE("what nobody could look at stays as the chain has it", "[chain][limits]") {
  Backups backups;
  make_tree(backups);
  const RunRecord first = backups.run();
  for (int again = 0; again < 2; ++again) {
    const RunRecord record = backups.watched([&](WatchedSource& source) {
      source.on_next = [](tree::Entry& entry) {
        return entry.path != "a" && !tree::is_within(entry.path, "dir/sub");
      };
      source.on_can_tell = [](const std::string& path) {
        return path != "a" && !tree::is_within(path, "dir/sub");
      };
    });
    CHECK(record.files == first.files);
    CHECK(record.bytes == first.bytes);
    CHECK(is_restored(backups, record));
  }
  // When it can be looked at again, what happened meanwhile counts.
  fs::remove(backups.path("a"));
  fs::remove_all(backups.path("dir/sub"));
  CHECK(is_restored(backups, backups.run()));
}

TEST_CASE("a symlink that cannot be read stays as the chain has it", "[chain][limits]") {
  Backups backups;
  make_tree(backups);
  backups.run();
  fs::remove(backups.path("link"));
  fs::create_symlink("b", backups.path("link"));
  const RunRecord record = backups.watched([](WatchedSource& source) {
    source.on_complete = [](tree::Entry& entry) {
      if (entry.path == "link") entry.unreadable = true;
      return entry.path != "link";
    };
  });
  const std::string target = backups.temp / "restored";
  backups.restore(record.run, target);
  CHECK(fs::read_symlink(target + "/link") == "a");
  CHECK(is_restored(backups, backups.run()));
}

TEST_CASE("a backup that reads a hole can be stopped", "[chain][limits]") {
  Backups backups;
  write(backups.path("sparse"), "begin");
  const std::uint64_t size = std::uint64_t{1} << 40;
  if (::truncate(backups.path("sparse").c_str(), static_cast<off_t>(size)) != 0) {
    return skip("the filesystem has no such large files");
  }
  std::stop_source stop;
  class Stopping final : public PassedContent {
   public:
    Stopping(std::unique_ptr<tree::Content> inner, std::stop_source& stop)
        : PassedContent(std::move(inner)), stop_(stop) {}
    std::optional<tree::Segment> next_segment() override {
      auto segment = PassedContent::next_segment();
      if (!segment) stop_.request_stop();  // while the zeros that were given are hashed
      return segment;
    }

   private:
    std::stop_source& stop_;
  };
  base::CollectedWarnings ignored;
  tree::LocalSource local(backups.tree, {}, ignored);
  WatchedSource source(local);
  source.on_content = [&](const tree::Entry&, std::unique_ptr<tree::Content> content) {
    return std::unique_ptr<tree::Content>(std::make_unique<Stopping>(std::move(content), stop));
  };
  CHECK(kind_of([&] { backups.backup(backups.store, source, stop.get_token()); }) ==
        ErrorKind::interrupted);
  CHECK(backups.runs().empty());
}

TEST_CASE("files whose xattrs together are beyond memory come back with all of them",
          "[chain][limits]") {
  Backups backups;
  constexpr int kFiles = 12;
  for (int i = 0; i < kFiles; ++i) write(backups.path("f" + std::to_string(i)), std::to_string(i));
  base::CollectedWarnings ignored;
  tree::LocalSource local(backups.tree, {}, ignored);
  Laden source(local, 400'000);
  static_assert(kFiles * 400'000 > tree::XattrSpill::kInMemory);
  const RunRecord record = backups.backup(backups.store, source);
  chain::IndexObjects index(backups.store, record.chain, "");
  chain::IndexView view(index, record, true);
  IndexRecord line;
  int seen = 0;
  while (view.next(line)) {
    if (!line.entry.is_file()) continue;
    ++seen;
    REQUIRE(line.entry.xattrs.size() == 8);
    for (const tree::Xattr& xattr : line.entry.xattrs) {
      CHECK(xattr.value == line.entry.path + std::string(50'000, 'v'));
    }
  }
  CHECK(seen == kFiles);
}

TEST_CASE("long paths make long blocks, so that a record stays small", "[chain][limits]") {
  for (const std::size_t length : {std::size_t{0}, tree::kMaxWalkedPath - 300}) {
    const std::string above = directories(length);
    BlockEncoder encoder;
    std::size_t raw = 0;
    std::size_t named = 0;
    std::size_t blocks = 0;
    for (int i = 0; i < 60'000; ++i) {
      IndexRecord record;
      record.entry.path = above + std::to_string(100'000 + i);
      record.entry.path.append(200, 'n');
      record.entry.kind = tree::EntryKind::fifo;
      encoder.add(record, nullptr, nullptr);
      if (!encoder.full()) continue;
      named += encoder.first_path().size();
      const base::Bytes block = encoder.take();
      raw += block.size();
      CHECK(block.size() < chain::kMaxBlock);
      ++blocks;
    }
    CAPTURE(length);
    REQUIRE(blocks > 5);
    CHECK(raw > 25 * named);
  }
}

TEST_CASE("a run ends before it stores what its record cannot name", "[chain][limits]") {
  RecordRoom room("/srv/data", 1'000);
  ObjectRow object;
  object.store_hash = std::string(40, 'a');
  for (int i = 0; i < 5; ++i) room.take(object);
  CHECK(kind_of([&] { room.take(object); }) == ErrorKind::refused);
  CHECK(message_of([&] { room.take(object); }).find("/srv/data") != std::string::npos);
  BlockRow block;
  block.first_path = std::string(300, '\xff');  // three times as much in a record
  CHECK(kind_of([&] { RecordRoom("/", 1'000).take(block); }) == ErrorKind::refused);
  block.first_path = std::string(300, 'x');
  CHECK(kind_of([&] { RecordRoom("/", 1'000).take(block); }) == std::nullopt);
  chain::Piece piece;
  piece.objects.assign(4, object);
  piece.blocks.assign(2, block);
  CHECK(kind_of([&] { RecordRoom("/", 1'000).take(piece); }) == ErrorKind::refused);
}

}  // namespace rota::test
