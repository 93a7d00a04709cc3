#include <catch2/catch.hpp>

#include "support/files.h"
#include "support/random_tree.h"
#include "tree/trees.h"

namespace rota::tree {

using test::differences;
using test::TempDir;

TEST_CASE("random trees come out as they went in", "[tree][property]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    const TempDir temp;
    test::RandomTree tree(seed, temp / "from");
    tree.mutate();
    CHECK(copy(tree.root(), temp / "to") == WarningList{});
    CHECK(differences(tree.root(), temp / "to") == "");
  }
}

TEST_CASE("a random tree that changed is no longer the same", "[tree][property]") {
  for (std::uint64_t seed = 50; seed < 55; ++seed) {
    CAPTURE(seed);
    const TempDir temp;
    test::RandomTree tree(seed, temp / "from");
    REQUIRE(copy(tree.root(), temp / "to") == WarningList{});
    tree.mutate(8);
    CHECK(differences(tree.root(), temp / "to") != "");
  }
}

TEST_CASE("the same seed makes the same random tree", "[property]") {
  const TempDir temp;
  test::RandomTree one(9, temp / "one");
  test::RandomTree two(9, temp / "two");
  one.mutate();
  two.mutate();
  CHECK(paths(walk(one.root())) == paths(walk(two.root())));
}

}  // namespace rota::tree
