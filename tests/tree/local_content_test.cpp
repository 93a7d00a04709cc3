#include "tree/local_content.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/files.h"
#include "support/skip.h"
#include "tree/local_source.h"
#include "tree/trees.h"

namespace rota::tree {

using test::TempDir;

namespace {

constexpr std::uint64_t kBlock = 4096;

/// A file of holes and data, in blocks: "..XX." is two blocks hole, two data, one hole.
void make_sparse(const std::string& path, const std::string& layout, std::uint64_t extra = 0) {
  const base::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644));
  const std::string data(kBlock, 'X');
  for (std::size_t i = 0; i < layout.size(); ++i) {
    if (layout[i] != 'X') continue;
    REQUIRE(::pwrite(fd.get(), data.data(), data.size(), static_cast<off_t>(i * kBlock)) ==
            static_cast<ssize_t>(kBlock));
  }
  REQUIRE(::ftruncate(fd.get(), static_cast<off_t>(layout.size() * kBlock + extra)) == 0);
}

/// The segments of a file in the same form, and its content checked against read(2).
std::string layout_of(const std::string& directory, const std::string& name) {
  base::CollectedWarnings warnings;
  LocalSource source(directory, {}, warnings);
  Entry entry;
  while (source.next(entry) && entry.path != name) {
  }
  CHECK(content_of(source, entry) == test::read(directory + "/" + name));
  std::string layout;
  const auto content = source.open(entry);
  while (const auto segment = content->next_segment()) {
    layout += std::string((segment->length + kBlock - 1) / kBlock, segment->hole ? '.' : 'X');
  }
  CHECK(content->unchanged());
  return layout;
}

bool has_holes(const TempDir& temp) {
  make_sparse(temp / "probe", "................X");
  return status(temp / "probe").st_blocks < 4 * 8;
}

}  // namespace

TEST_CASE("the holes of a file are found wherever they are", "[content]") {
  const TempDir temp;
  if (!has_holes(temp)) return test::skip("the filesystem keeps no holes");
  for (const std::string layout :
       {"X", "XXXX", ".", "....", "X...", "...X", ".X.", "X..X", "X.X.X.X", "..XX..XXX....X..",
        "X......................................................................X"}) {
    CAPTURE(layout);
    make_sparse(temp / "f", layout);
    CHECK(layout_of(temp.path(), "f") == layout);
  }
  make_sparse(temp / "f", "X..", 17);  // ends within a block
  CHECK(layout_of(temp.path(), "f") == "X...");
}

TEST_CASE("an empty file has no segments", "[content]") {
  const TempDir temp;
  test::write(temp / "f", "");
  CHECK(layout_of(temp.path(), "f").empty());
}

TEST_CASE("zeros that were written are data", "[content]") {
  const TempDir temp;
  test::write(temp / "f", std::string(4 * kBlock, '\0'));
  CHECK(layout_of(temp.path(), "f") == "XXXX");
}

TEST_CASE("a very large hole costs nothing", "[content]") {
  const TempDir temp;
  if (!has_holes(temp)) return test::skip("the filesystem keeps no holes");
  {
    const base::Fd fd(::open((temp / "f").c_str(), O_RDWR | O_CREAT, 0644));
    REQUIRE(::ftruncate(fd.get(), 1LL << 40) == 0);
    REQUIRE(::pwrite(fd.get(), "end", 3, (1LL << 40) - 3) == 3);
  }
  base::CollectedWarnings warnings;
  LocalSource source(temp.path(), {}, warnings);
  Entry entry;
  while (source.next(entry) && entry.path != "f") {
  }
  const auto content = source.open(entry);
  REQUIRE(content);
  auto segment = content->next_segment();
  REQUIRE(segment);
  CHECK(segment->hole);
  CHECK(segment->length >= (1ULL << 40) - 65'536);
  segment = content->next_segment();
  REQUIRE(segment);
  CHECK_FALSE(segment->hole);
  CHECK_FALSE(content->next_segment());
}

TEST_CASE("what is left of a segment unread is skipped", "[content]") {
  const TempDir temp;
  if (!has_holes(temp)) return test::skip("the filesystem keeps no holes");
  make_sparse(temp / "f", "XX.X");
  {
    const base::Fd fd(::open((temp / "f").c_str(), O_RDWR));
    REQUIRE(::pwrite(fd.get(), "L", 1, 3 * kBlock) == 1);
  }
  base::CollectedWarnings warnings;
  LocalSource source(temp.path(), {}, warnings);
  Entry entry;
  while (source.next(entry) && entry.path != "f") {
  }
  const auto content = source.open(entry);
  REQUIRE(content->next_segment()->length == 2 * kBlock);
  char some[10];
  CHECK(content->read(std::as_writable_bytes(std::span(some))) == 10);
  REQUIRE(content->next_segment()->hole);
  CHECK(content->read(std::as_writable_bytes(std::span(some))) <= 10);
  const auto last = content->next_segment();
  REQUIRE(last);
  CHECK(last->length == kBlock);
  CHECK(content->read(std::as_writable_bytes(std::span(some))) == 10);
  CHECK(some[0] == 'L');
}

TEST_CASE("a sparse file that loses its end while it is read has changed", "[content]") {
  const TempDir temp;
  make_sparse(temp / "f", "X...X...X");
  base::CollectedWarnings warnings;
  LocalSource source(temp.path(), {}, warnings);
  Entry entry;
  while (source.next(entry) && entry.path != "f") {
  }
  const auto content = source.open(entry);
  REQUIRE(content->next_segment());
  REQUIRE(::truncate((temp / "f").c_str(), 2 * kBlock) == 0);
  std::uint64_t size = 0;
  while (const auto segment = content->next_segment()) size += segment->length;
  CHECK(size <= 9 * kBlock);
  CHECK_FALSE(content->unchanged());
}

}  // namespace rota::tree
