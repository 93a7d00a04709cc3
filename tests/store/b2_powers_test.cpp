#include "store/b2_powers.h"

#include <catch2/catch.hpp>

using namespace rota;
using nlohmann::json;
using store::ObjectLock;
using store::StorePowers;
using Answer = store::Right::Answer;

namespace {

StorePowers powers_of(const json& bucket, const std::string& root = "srv/") {
  const json read = json::parse(bucket.dump());  // numbers as they come off the network
  return store::b2_powers({}, &read, root);
}

json with_rules(const json& rules) { return {{"lifecycleRules", rules}}; }

json with_lock(const json& value) {
  return {{"fileLockConfiguration", {{"isClientAuthorizedToRead", true}, {"value", value}}}};
}

}  // namespace

TEST_CASE("what a key has no capability for, it may not do", "[b2]") {
  store::B2Account account;
  account.capabilities = {"writeFiles", "writeBucketLifecycleRules"};
  account.whole_account = true;
  const StorePowers powers = store::b2_powers(account, nullptr, "srv/");
  CHECK(powers.may_overwrite.yes());
  CHECK(powers.may_delete.no());
  CHECK(powers.may_delete.name == "deleteFiles");
  CHECK(powers.may_change_rules.yes());
  CHECK(powers.may_change_rules.name == "writeBucketLifecycleRules");
  CHECK(powers.may_leave.yes());
}

TEST_CASE("a bucket that the key may not see leaves rules and locks unknown", "[b2]") {
  const StorePowers powers = store::b2_powers({}, nullptr, "srv/");
  CHECK_FALSE(powers.rules_known);
  CHECK(powers.locks.answer == Answer::unknown);
  CHECK(powers.readable_by_all == Answer::unknown);
}

TEST_CASE("of the rules for a bucket's names, those that touch ours count, the shortest wins",
          "[b2]") {
  CHECK_FALSE(powers_of(with_rules(json::array())).hidden_deleted_after);
  CHECK(powers_of(with_rules(json::array())).rules_known);
  const auto rule = [](const char* prefix, const json& days) {
    return json{{"fileNamePrefix", prefix}, {"daysFromHidingToDeleting", days}};
  };
  CHECK(powers_of(with_rules(json::array({rule("", 30)}))).hidden_deleted_after == 30);
  CHECK(powers_of(with_rules({rule("", 30), rule("srv/runs/", 7)})).hidden_deleted_after == 7);
  CHECK(powers_of(with_rules({rule("", 30), rule("srv2/", 7)})).hidden_deleted_after == 30);
  CHECK_FALSE(powers_of(with_rules(json::array({rule("", nullptr)}))).hidden_deleted_after);
  CHECK(powers_of(with_rules({{{"fileNamePrefix", ""}, {"daysFromUploadingToHiding", 9}}}))
            .hidden_after == 9);
}

TEST_CASE("the default retention is read in days", "[b2]") {
  const auto retention = [](const json& mode, int duration, const char* unit) {
    return with_lock({{"isFileLockEnabled", true},
                      {"defaultRetention",
                       {{"mode", mode}, {"period", {{"duration", duration}, {"unit", unit}}}}}});
  };
  const StorePowers days = powers_of(retention("governance", 30, "days"));
  CHECK(days.locks.yes());
  REQUIRE(days.default_lock);
  CHECK(days.default_lock->days == 30);
  CHECK(days.default_lock->mode == ObjectLock::Mode::governance);
  const StorePowers years = powers_of(retention("compliance", 2, "years"));
  REQUIRE(years.default_lock);
  CHECK(years.default_lock->days == 730);
  CHECK(years.default_lock->mode == ObjectLock::Mode::compliance);
  CHECK_FALSE(powers_of(retention("none", 30, "days")).default_lock);
  CHECK(powers_of(with_lock({{"isFileLockEnabled", false}})).locks.no());
  CHECK(powers_of(with_lock(nullptr)).locks.answer == Answer::unknown);
}

TEST_CASE("a bucket of another shape is no protection", "[b2]") {
  for (const json& bucket : {json::object(), with_rules("x"), with_lock(7), with_lock({{"a", 1}}),
                             json{{"fileLockConfiguration", json::array()}}}) {
    const StorePowers powers = powers_of(bucket);
    CHECK_FALSE(powers.rules_known);
    CHECK(powers.locks.answer == Answer::unknown);
    CHECK_FALSE(powers.default_lock);
  }
  const StorePowers odd = powers_of(with_rules(
      {"x", {{"fileNamePrefix", 7}}, {{"daysFromHidingToDeleting", 18446744073709551615U}}}));
  CHECK(odd.rules_known);
  CHECK(odd.hidden_deleted_after == 1'000'000);
}
