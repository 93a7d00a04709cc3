#include <catch2/catch.hpp>
#include <string>

#include "rotation/disks.h"

using namespace rota;
using ledger::CopyRow;
using ledger::CopyState;
using rotation::may_prune;
using rotation::must_prune;
using test::some_copy;
using test::when;

namespace {

const base::Instant kNow = when("2026-12-01T12:00:00Z");

std::string names(const std::vector<CopyRow>& copies) {
  std::string text;
  for (const CopyRow& copy : copies) text.append(copy.snapshot, 0, 8).push_back(' ');
  return text;
}

/// A: August, October. B: July, September, November.
std::vector<CopyRow> copies() {
  return {some_copy("B", "20261124T030000Z"), some_copy("A", "20261024T030000Z"),
          some_copy("B", "20260924T030000Z"), some_copy("A", "20260824T030000Z"),
          some_copy("B", "20260724T030000Z")};
}

}  // namespace

TEST_CASE("old copies may go, oldest first, but never the newest of the disk or set", "[prune]") {
  CHECK(names(may_prune(copies(), "A", kNow)) == "20260824 ");
  CHECK(names(may_prune(copies(), "B", kNow)) == "20260724 20260924 ");
  CHECK(may_prune(copies(), "C", kNow).empty());
}

TEST_CASE("a newest copy that does not count protects the one that does", "[prune]") {
  auto list = copies();
  list[0].verified = false;
  CHECK(names(may_prune(list, "B", kNow)) == "20260724 ");
  list[0].state = CopyState::damaged;
  CHECK(names(may_prune(list, "B", kNow)) == "20260724 20261124 ");
  list[0].state = CopyState::partial;
  CHECK(names(may_prune(list, "B", kNow)) == "20260724 ");
  list[0].state = CopyState::pruned;
  CHECK(names(may_prune(list, "B", kNow)) == "20260724 ");
}

TEST_CASE("the last thing left is kept even if nobody verified it", "[prune]") {
  auto list = copies();
  for (CopyRow& copy : list) copy.verified = false;
  CHECK(names(may_prune(list, "B", kNow)) == "20260724 20260924 ");
  CHECK(names(may_prune(list, "A", kNow)) == "20260824 ");
  CHECK(names(may_prune(std::vector{list[0]}, "B", kNow)).empty());
}

TEST_CASE("policy takes what is beyond a number or an age, and nothing that is kept", "[prune]") {
  const auto now = kNow;
  rotation::SetPolicy policy;
  const auto must = [&](const std::string& disk) {
    return names(must_prune(copies(), disk, policy, now));
  };
  CHECK(must("B").empty());
  policy.keep = 2;
  CHECK(must("B") == "20260724 ");
  CHECK(must("A").empty());
  policy.keep = 1;
  CHECK(must("B") == "20260724 20260924 ");
  policy.keep = 0;
  policy.max_age = {.months = 4};
  CHECK(must("B") == "20260724 ");
  policy.max_age = {.days = 1};
  CHECK(must("A") == "20260824 ");  // October is the last one there
  CHECK(must("B") == "20260724 20260924 ");
}

TEST_CASE("a copy of the future is neither counted nor removed, and protects no other", "[prune]") {
  auto list = copies();
  list[0].snapshot = "20361124T030000Z";  // from a job with a clock that was ten years ahead
  CHECK(names(may_prune(list, "B", kNow)) == "20260724 ");
  rotation::SetPolicy policy;
  const auto must = [&] { return names(must_prune(list, "B", policy, kNow)); };
  policy.keep = 2;
  CHECK(must().empty());
  policy.keep = 1;
  CHECK(must() == "20260724 ");
  list.push_back(some_copy("B", "20261201T030000Z"));
  CHECK(must() == "20260724 20260924 ");
  policy.keep = 0;
  policy.max_age = {.days = 1};
  CHECK(must() == "20260724 20260924 ");
  // One alone is kept all the same.
  CHECK(may_prune(std::vector{list[0]}, "B", kNow).empty());
}
