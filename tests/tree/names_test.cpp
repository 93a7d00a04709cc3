#include "tree/names.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "base/file.h"
#include "support/files.h"

namespace rota::tree {

namespace {

std::vector<std::string> all(DirectoryNames names, int directory, int* batches = nullptr) {
  std::vector<std::string> list;
  do {
    REQUIRE(names.fill(directory) == 0);
    while (const char* name = names.next()) list.emplace_back(name);
    if (batches != nullptr) ++*batches;
  } while (names.more());
  return list;
}

}  // namespace

TEST_CASE("names come in the same order however many fit at once", "[names]") {
  const test::TempDir temp;
  std::mt19937 random(7);
  std::vector<std::string> expected;
  for (int i = 0; i < 1'000; ++i) {
    std::string name = std::to_string(random() % 100'000);
    if (i % 3 == 0) name = "\xff" + name;
    if (i % 7 == 0) name += std::string(200, 'x');
    if (std::find(expected.begin(), expected.end(), name) != expected.end()) continue;
    test::write(temp / name, "");
    expected.push_back(name);
  }
  std::sort(expected.begin(), expected.end());
  const base::Fd directory(::open(temp.path().c_str(), O_RDONLY | O_DIRECTORY));
  CHECK(all(DirectoryNames(), directory.get()) == expected);
  for (const std::size_t most : {1, 2, 3, 7, 100, 499, 500, 999, 1000, 1001}) {
    CAPTURE(most);
    if (most < 7) continue;  // a thousand readings for nothing
    int batches = 0;
    CHECK(all(DirectoryNames(most), directory.get(), &batches) == expected);
    const std::size_t needed = (expected.size() + most - 1) / most;
    CHECK(static_cast<std::size_t>(batches) == needed);
  }
}

TEST_CASE("a directory of one name at a time is still read in order", "[names]") {
  const test::TempDir temp;
  for (const char* name : {"b", "a", "d", "c", "a.b"}) test::write(temp / name, "");
  const base::Fd directory(::open(temp.path().c_str(), O_RDONLY | O_DIRECTORY));
  const std::vector<std::string> expected = {"a", "a.b", "b", "c", "d"};
  CHECK(all(DirectoryNames(1), directory.get()) == expected);
  CHECK(all(DirectoryNames(2), directory.get()) == expected);
}

TEST_CASE("an empty directory has no names", "[names]") {
  const test::TempDir temp;
  const base::Fd directory(::open(temp.path().c_str(), O_RDONLY | O_DIRECTORY));
  CHECK(all(DirectoryNames(), directory.get()).empty());
  DirectoryNames names;
  CHECK(names.fill(-1) == EBADF);
}

TEST_CASE("a name is found in the batch that holds it", "[names]") {
  const test::TempDir temp;
  for (const char* name : {"a", "b", "c", "d", "e"}) test::write(temp / name, "");
  const base::Fd directory(::open(temp.path().c_str(), O_RDONLY | O_DIRECTORY));
  DirectoryNames names(3);
  REQUIRE(names.fill(directory.get()) == 0);
  CHECK(names.contains("a"));
  CHECK(names.contains("c"));
  CHECK_FALSE(names.contains("d"));
  CHECK_FALSE(names.contains("aa"));
  REQUIRE(names.more());
  REQUIRE(names.fill(directory.get()) == 0);
  CHECK_FALSE(names.contains("c"));
  CHECK(names.contains("d"));
}

TEST_CASE("names that appear and vanish between two batches do no harm", "[names]") {
  const test::TempDir temp;
  for (const char* name : {"b", "c", "d", "e", "f"}) test::write(temp / name, "");
  const base::Fd directory(::open(temp.path().c_str(), O_RDONLY | O_DIRECTORY));
  DirectoryNames names(2);
  REQUIRE(names.fill(directory.get()) == 0);
  CHECK(std::string(names.next()) == "b");
  CHECK(std::string(names.next()) == "c");
  test::write(temp / "a", "");   // too late for this walk
  test::write(temp / "cc", "");  // in time
  for (const char* name : {"b", "d", "e"}) ::unlink((temp / name).c_str());
  REQUIRE(names.fill(directory.get()) == 0);
  CHECK(std::string(names.next()) == "cc");
  CHECK(std::string(names.next()) == "f");
  CHECK(names.next() == nullptr);
  CHECK_FALSE(names.more());
}

}  // namespace rota::tree
