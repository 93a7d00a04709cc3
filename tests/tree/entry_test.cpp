#include "tree/entry.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"

namespace rota::tree {

TEST_CASE("paths are ordered depth first, names bytewise", "[entry]") {
  const std::vector<std::string> ordered = {"",      "\x01",  "-",        "a",     "a/b",   "a/b/c",
                                            "a/b-c", "a/b.c", "a/c",      "a\x01", "a ",    "a-b",
                                            "a.txt", "a0",    "aa",       "aa/b",  "b",     "z",
                                            "\x7f",  "\x80",  "\xc3\xa4", "\xff",  "\xff/a"};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    for (std::size_t j = 0; j < ordered.size(); ++j) {
      CAPTURE(ordered[i], ordered[j]);
      CHECK((compare_paths(ordered[i], ordered[j]) < 0) == (i < j));
      CHECK((compare_paths(ordered[i], ordered[j]) == 0) == (i == j));
    }
  }
  std::vector<std::string> mixed = ordered;
  std::shuffle(mixed.begin(), mixed.end(), std::mt19937(1));
  std::sort(mixed.begin(), mixed.end(),
            [](const std::string& a, const std::string& b) { return compare_paths(a, b) < 0; });
  CHECK(mixed == ordered);
}

TEST_CASE("a path is within itself and what is above it, and not within a longer name", "[entry]") {
  CHECK(is_within("", ""));
  CHECK(is_within("a", ""));
  CHECK(is_within("a", "a"));
  CHECK(is_within("a/b/c", "a"));
  CHECK(is_within("a/b/c", "a/b"));
  CHECK_FALSE(is_within("ab", "a"));
  CHECK_FALSE(is_within("a.b/c", "a"));
  CHECK_FALSE(is_within("a", "a/b"));
  CHECK_FALSE(is_within("", "a"));
}

TEST_CASE("the base name is what follows the last slash", "[entry]") {
  CHECK(base_name("").empty());
  CHECK(base_name("a") == "a");
  CHECK(base_name("a/b.c") == "b.c");
}

TEST_CASE("a stored path that could lead out of its tree is corrupt", "[entry]") {
  for (const std::string good :
       {"", "a", "a/b", "...", "..a", "a../b", ".a/.b", "a b", "a\nb", "\xff\xfe", "-", "\\"}) {
    CAPTURE(good);
    CHECK_NOTHROW(check_path(good));
  }
  const std::string longest(255, 'x');
  CHECK_NOTHROW(check_path(longest + "/" + longest));
  std::string deep = "a";
  while (deep.size() < kMaxPath - 2) deep += "/a";
  CHECK_NOTHROW(check_path(deep));
  for (const std::string& bad :
       {std::string("/"), std::string("/a"), std::string("a/"), std::string("a//b"),
        std::string("."), std::string(".."), std::string("../a"), std::string("a/.."),
        std::string("a/../b"), std::string("a/../../x"), std::string("./a"), std::string("a/./b"),
        std::string("a/."), std::string("a\0b", 3), std::string("\0", 1), longest + "x",
        "a/" + longest + "x/b", deep + "/a/a"}) {
    CAPTURE(bad.substr(0, 50));
    try {
      check_path(bad);
      FAIL("was accepted");
    } catch (const base::Error& error) {
      CHECK(error.kind() == base::ErrorKind::corrupt);
    }
  }
}

TEST_CASE("every kind has a word", "[entry]") {
  for (int kind = 1; kind <= 7; ++kind) {
    CHECK(kind_name(static_cast<EntryKind>(kind)) != "unknown");
  }
}

}  // namespace rota::tree
