#include "base/progress.h"

#include <catch2/catch.hpp>

using namespace rota::base;

TEST_CASE("warnings are counted and kept, from any thread", "[progress]") {
  CollectedWarnings warnings;
  CHECK(warnings.count() == 0);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 100; ++n) warnings.warn("a/b", "cannot be read");
      });
    }
  }
  CHECK(warnings.count() == 400);
  REQUIRE(warnings.list.size() == 400);
  CHECK(warnings.list[399] == std::pair<std::string, std::string>("a/b", "cannot be read"));
}

TEST_CASE("the activity is what was set last", "[progress]") {
  Progress progress;
  CHECK(progress.activity() == "");
  progress.set_activity("backing up");
  progress.set_activity("restoring");
  CHECK(progress.activity() == "restoring");
}
