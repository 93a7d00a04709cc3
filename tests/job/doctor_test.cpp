#include "job/doctor.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ostream>
#include <string>
#include <vector>

using namespace rota;
using namespace std::chrono_literals;
using job::Finding;
using job::Level;
using job::Seen;
using store::ObjectLock;
using store::StorePowers;
using Answer = store::Right::Answer;

namespace {

constexpr base::Instant kNow{std::chrono::sys_days{std::chrono::year{2026} / 1 / 10} + 12h};

/// Sentences show local time.
const bool kUtc = [] {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  return true;
}();

/// A key that may write and read in one bucket, whose old versions stay 30 days, with no locks.
StorePowers writer() {
  StorePowers powers;
  powers.may_delete = {Answer::no, "deleteFiles"};
  powers.may_overwrite = {Answer::yes, "writeFiles"};
  powers.may_lift_locks = {Answer::no, "bypassGovernance"};
  powers.may_change_locks = {Answer::no, "writeBucketRetentions"};
  powers.may_change_rules = {Answer::no, "writeBuckets"};
  powers.may_make_keys = {Answer::no, "writeKeys"};
  powers.may_delete_keys = {Answer::no, "deleteKeys"};
  powers.may_delete_places = {Answer::no, "deleteBuckets"};
  powers.may_leave = {Answer::no, ""};
  powers.keeps_versions = Answer::yes;
  powers.rules_known = true;
  powers.hidden_deleted_after = 30;
  powers.locks = {Answer::no, "Object Lock"};
  powers.readable_by_all = Answer::no;
  powers.words = {"daysFromHidingToDeleting", "daysFromUploadingToHiding", "listBuckets",
                  "readBucketRetentions"};
  return powers;
}

/// A key of S3, of which the store tells less.
StorePowers s3_writer() {
  StorePowers powers = writer();
  for (store::Right* right :
       {&powers.may_lift_locks, &powers.may_change_locks, &powers.may_change_rules,
        &powers.may_make_keys, &powers.may_delete_keys, &powers.may_delete_places}) {
    right->answer = Answer::unknown;
  }
  powers.may_lift_locks.name = "s3:BypassGovernanceRetention";
  powers.readable_by_all = Answer::unknown;
  powers.words = {"NoncurrentVersionExpiration", "Expiration", "s3:GetLifecycleConfiguration",
                  "s3:GetBucketObjectLockConfiguration"};
  return powers;
}

/// An account at an SFTP server.
StorePowers account(Answer remove, Answer overwrite) {
  StorePowers powers;
  powers.nature = StorePowers::Nature::account;
  powers.may_delete.answer = remove;
  powers.may_overwrite.answer = overwrite;
  return powers;
}

StorePowers locked(ObjectLock::Mode mode, int days) {
  StorePowers powers = writer();
  powers.locks.answer = Answer::yes;
  powers.default_lock = {mode, days};
  return powers;
}

constexpr auto kGovernance = ObjectLock::Mode::governance;
constexpr auto kCompliance = ObjectLock::Mode::compliance;

template <typename Change>
StorePowers with(StorePowers powers, Change change) {
  change(powers);
  return powers;
}

/// A server where all is well.
Seen seen(StorePowers powers = writer()) {
  Seen seen;
  seen.profile.name = "main";
  seen.profile.max_full_age = {.months = 3};
  seen.profile.encrypt_to = {"rota-pub-1-abc"};
  seen.now = kNow;
  seen.store = "b2://bucket/srv";
  seen.powers = std::move(powers);
  seen.store_time = kNow;
  seen.rooms = {{"the cache", "/var/cache/rota", 50'000'000'000}};
  seen.schedules = {{job::Schedule::Kind::cron, "/etc/cron.d/rota", "me@example.org", false}};
  seen.sendmail = "/usr/sbin/sendmail";
  seen.runs = {{.profile = "main",
                .name = "run",
                .chain = "a",
                .kind = ledger::RunKind::full,
                .time = kNow - 5h,
                .bytes = 1'000'000,
                .stored = 500'000}};
  for (const auto what : {ledger::VerifyKind::listing, ledger::VerifyKind::data}) {
    seen.verifications.push_back({.profile = "main",
                                  .time = kNow - 5h,
                                  .run = "run",
                                  .what = what,
                                  .good = true,
                                  .problem = ""});
  }
  return seen;
}

template <typename Change>
Seen seen_with(Change change) {
  Seen all = seen();
  change(all);
  return all;
}

const Finding* find(const std::vector<Finding>& findings, const std::string& thing) {
  for (const Finding& finding : findings) {
    if (finding.thing == thing) return &finding;
  }
  return nullptr;
}

/// The level of the first finding of that name, "none" without one.
std::string level_of(const job::Diagnosis& diagnosis, const std::string& thing) {
  const Finding* finding = find(diagnosis.findings, thing);
  return finding == nullptr ? "none" : job::word(finding->level);
}

struct PowersCase {
  const char* what;
  StorePowers powers;
  const char* thing;     ///< the finding that is looked at
  const char* level;     ///< its level, "none" when there must be none
  const char* worst;     ///< of all that the powers give rise to
  const char* sentence;  ///< what the sentence on top must hold
};

const std::vector<PowersCase>& powers_cases() {
  static const std::vector<PowersCase> cases{
      {"a writer and a rule of 30 days", writer(), "deletion", "good", "advice",
       "for 30 days `rota restore --store-time`"},
      {"its rule gives time enough", writer(), "overwriting", "good", "advice",
       "hide and overwrite"},
      {"without locks it is well advised to have some", writer(), "lock", "advice", "advice", ""},
      {"a key that may delete", with(writer(), [](auto& p) { p.may_delete.answer = Answer::yes; }),
       "deletion", "danger", "danger", "delete every chain in b2://bucket/srv at once."},
      {"a rule of one day", with(writer(), [](auto& p) { p.hidden_deleted_after = 1; }),
       "overwriting", "danger", "danger", "after a day that is deletion"},
      {"a rule of two days", with(writer(), [](auto& p) { p.hidden_deleted_after = 2; }),
       "overwriting", "warning", "warning", "for 2 days"},
      {"a rule of six days", with(writer(), [](auto& p) { p.hidden_deleted_after = 6; }),
       "overwriting", "warning", "warning", "for 6 days"},
      {"a rule of seven days", with(writer(), [](auto& p) { p.hidden_deleted_after = 7; }),
       "overwriting", "advice", "advice", "for 7 days"},
      {"a rule of 29 days", with(writer(), [](auto& p) { p.hidden_deleted_after = 29; }),
       "overwriting", "advice", "advice", ""},
      {"no rule at all", with(writer(), [](auto& p) { p.hidden_deleted_after.reset(); }),
       "overwriting", "good", "advice", "destroy nothing: all versions stay"},
      {"without a rule nothing frees room",
       with(writer(), [](auto& p) { p.hidden_deleted_after.reset(); }), "purging", "advice",
       "advice", ""},
      {"rules that the key may not read",
       with(writer(),
            [](auto& p) {
              p.rules_known = false;
              p.hidden_deleted_after.reset();
            }),
       "overwriting", "warning", "warning", "cannot be told"},
      {"a rule that hides by age", with(writer(), [](auto& p) { p.hidden_after = 90; }), "ageing",
       "danger", "danger", ""},
      {"a key that makes keys",
       with(writer(), [](auto& p) { p.may_make_keys.answer = Answer::yes; }), "keys", "danger",
       "danger", "make a key that deletes every chain"},
      {"a key that deletes keys",
       with(writer(), [](auto& p) { p.may_delete_keys.answer = Answer::yes; }), "other keys",
       "warning", "warning", ""},
      {"a key that changes rules",
       with(writer(), [](auto& p) { p.may_change_rules.answer = Answer::yes; }), "rules", "danger",
       "danger", "let the bucket itself delete"},
      {"a key that deletes empty buckets",
       with(writer(), [](auto& p) { p.may_delete_places.answer = Answer::yes; }), "buckets",
       "advice", "advice", ""},
      {"a key for the whole account",
       with(writer(), [](auto& p) { p.may_leave.answer = Answer::yes; }), "reach", "advice",
       "advice", ""},
      {"a public bucket", with(writer(), [](auto& p) { p.readable_by_all = Answer::yes; }),
       "privacy", "warning", "warning", ""},
      {"a key that only reads",
       with(writer(), [](auto& p) { p.may_overwrite.answer = Answer::no; }), "overwriting", "good",
       "advice", "destroy nothing"},
      {"a lock as long as a chain is built on", locked(kGovernance, 120), "lock", "good", "good",
       ""},
      {"a lock shorter than a chain is built on", locked(kGovernance, 30), "lock", "advice",
       "advice", ""},
      {"a key that deletes what is no longer locked",
       with(locked(kGovernance, 120), [](auto& p) { p.may_delete.answer = Answer::yes; }),
       "deletion", "advice", "advice",
       "delete every chain in b2://bucket/srv at once, except what was put in the last 120 days"},
      {"a key that deletes and lifts the lock",
       with(locked(kGovernance, 120),
            [](auto& p) {
              p.may_delete.answer = Answer::yes;
              p.may_lift_locks.answer = Answer::yes;
            }),
       "deletion", "danger", "danger", "delete every chain in b2://bucket/srv at once."},
      {"a key that makes a key that lifts the lock",
       with(locked(kGovernance, 120), [](auto& p) { p.may_make_keys.answer = Answer::yes; }),
       "lock", "warning", "danger", "make a key"},
      {"a lock that nobody lifts",
       with(locked(kCompliance, 120),
            [](auto& p) {
              p.may_delete.answer = Answer::yes;
              p.may_lift_locks.answer = Answer::yes;
              p.may_make_keys.answer = Answer::yes;
            }),
       "deletion", "advice", "warning", "except what was put in the last 120 days"},
      {"a rule of one day under a lock",
       with(locked(kGovernance, 120), [](auto& p) { p.hidden_deleted_after = 1; }), "overwriting",
       "advice", "advice", ""},
      {"a lock that this key can end",
       with(locked(kGovernance, 120), [](auto& p) { p.may_change_locks.answer = Answer::yes; }),
       "lock settings", "warning", "warning", ""},
      {"a bucket that could lock and does not",
       with(writer(), [](auto& p) { p.locks.answer = Answer::yes; }), "lock", "advice", "advice",
       ""},
      {"locks that the key may not read",
       with(writer(), [](auto& p) { p.locks.answer = Answer::unknown; }), "lock", "advice",
       "advice", ""},
      {"a right that is not known is not taken for absent",
       with(writer(), [](auto& p) { p.may_delete.answer = Answer::unknown; }), "deletion",
       "warning", "warning", "cannot be told"},
      {"a bucket without versions", with(writer(), [](auto& p) { p.keeps_versions = Answer::no; }),
       "overwriting", "danger", "danger", "overwrite, and so destroy, every chain"},
      {"a bucket without versions, and a key of which less is known",
       with(s3_writer(),
            [](auto& p) {
              p.keeps_versions = Answer::no;
              p.may_delete.answer = Answer::unknown;
            }),
       "overwriting", "danger", "danger", "overwrite, and so destroy, every chain"},
      {"versions that nobody knows of",
       with(s3_writer(), [](auto& p) { p.keeps_versions = Answer::unknown; }), "overwriting",
       "warning", "warning", "cannot be told"},
      {"a rule that deletes by age",
       with(writer(),
            [](auto& p) {
              p.keeps_versions = Answer::no;
              p.hidden_after = 90;
            }),
       "ageing", "danger", "danger", ""},
      {"a key of S3 that hides only", s3_writer(), "rights", "advice", "advice",
       "for 30 days `rota restore --store-time`"},
      {"a key of S3 that hides only needs no lock", s3_writer(), "lock", "advice", "advice", ""},
      {"a lock that S3's key may hold the right to lift",
       with(s3_writer(),
            [](auto& p) {
              p.locks.answer = Answer::yes;
              p.default_lock = {kGovernance, 120};
            }),
       "lock", "advice", "advice", ""},
      {"such a lock where the key deletes",
       with(s3_writer(),
            [](auto& p) {
              p.may_delete.answer = Answer::yes;
              p.locks.answer = Answer::yes;
              p.default_lock = {kGovernance, 120};
            }),
       "lock", "warning", "danger", "delete every chain in b2://bucket/srv at once."},
      {"a lock at S3 that nobody lifts",
       with(s3_writer(),
            [](auto& p) {
              p.may_delete.answer = Answer::yes;
              p.locks.answer = Answer::yes;
              p.default_lock = {kCompliance, 120};
            }),
       "lock", "good", "advice", "except what was put in the last 120 days"},
      {"where the bucket lies", with(s3_writer(), [](auto& p) { p.region = "eu-central-1"; }),
       "place", "good", "advice", ""},
      {"an ordinary account", account(Answer::yes, Answer::yes), "deletion", "danger", "danger",
       "delete every chain in b2://bucket/srv at once, unless that machine keeps snapshots"},
      {"an account that only adds", account(Answer::no, Answer::yes), "overwriting", "danger",
       "danger", "overwrite, and so destroy, every chain"},
      {"an account that may not remove", account(Answer::no, Answer::yes), "deletion", "good",
       "danger", ""},
      {"an account that only reads", account(Answer::no, Answer::no), "overwriting", "good",
       "advice", "destroy nothing"},
      {"an account of which nothing is known", account(Answer::unknown, Answer::unknown),
       "deletion", "warning", "warning", "cannot be told"},
      {"snapshots are out of an account's sight", account(Answer::yes, Answer::yes), "snapshots",
       "advice", "danger", ""},
      {"a file system that takes nothing",
       with(account(Answer::yes, Answer::yes), [](auto& p) { p.read_only = true; }), "read-only",
       "danger", "danger", ""},
      {"files of this machine",
       {.nature = StorePowers::Nature::own_files},
       "deletion",
       "danger",
       "danger",
       "delete every chain in"},
  };
  return cases;
}

}  // namespace

TEST_CASE("what a key may do, and what that means", "[doctor]") {
  for (const PowersCase& one : powers_cases()) {
    INFO(one.what);
    const job::Diagnosis all = job::judge(seen(one.powers));
    CHECK(level_of(all, one.thing) == one.level);
    CHECK(job::word(all.worst()) == std::string(one.worst));
    CHECK_THAT(all.sentence, Catch::Contains(one.sentence));
    CHECK(all.sentence.ends_with('.'));
  }
}

TEST_CASE("the locks that rota itself sets count", "[doctor]") {
  StorePowers powers = with(writer(), [](auto& p) { p.locks.answer = Answer::yes; });
  Seen own = seen(powers);
  CHECK(level_of(job::judge(own), "lock") == "advice");
  own.profile.lock_days = 30;
  CHECK(level_of(job::judge(own), "lock") == "good");
  own.powers->may_delete.answer = Answer::yes;
  CHECK(level_of(job::judge(own), "deletion") == "advice");
  CHECK_THAT(job::judge(own).sentence, Catch::Contains("last 30 days: that is locked"));
  own.powers->may_lift_locks.answer = Answer::yes;
  CHECK(level_of(job::judge(own), "lock") == "warning");
  CHECK(level_of(job::judge(own), "deletion") == "danger");
  own.profile.lock_compliance = true;
  CHECK(level_of(job::judge(own), "lock") == "good");

  Seen unlockable = seen();
  unlockable.profile.lock_days = 30;
  CHECK(level_of(job::judge(unlockable), "lock") == "danger");
}

TEST_CASE("what is to be changed has the store's own name", "[doctor]") {
  const auto advice = [](const StorePowers& powers, const char* thing) {
    const job::Diagnosis all = job::judge(seen(powers));
    const Finding* finding = find(all.findings, thing);
    REQUIRE(finding != nullptr);
    return finding->to_do;
  };
  CHECK_THAT(advice(with(writer(), [](auto& p) { p.hidden_deleted_after = 1; }), "overwriting"),
             Catch::Contains("daysFromHidingToDeleting"));
  CHECK_THAT(advice(with(s3_writer(), [](auto& p) { p.hidden_deleted_after = 1; }), "overwriting"),
             Catch::Contains("NoncurrentVersionExpiration"));
  CHECK_THAT(advice(with(s3_writer(), [](auto& p) { p.rules_known = false; }), "overwriting"),
             Catch::Contains("s3:GetLifecycleConfiguration"));
  CHECK_THAT(advice(with(s3_writer(), [](auto& p) { p.locks.answer = Answer::unknown; }), "lock"),
             Catch::Contains("s3:GetBucketObjectLockConfiguration"));
  CHECK_THAT(advice(with(s3_writer(), [](auto& p) { p.hidden_after = 1; }), "ageing"),
             Catch::Contains("Remove Expiration"));
}

TEST_CASE("a profile that asks for locks cannot use SFTP", "[doctor]") {
  Seen own = seen(account(Answer::yes, Answer::yes));
  CHECK(level_of(job::judge(own), "lock") == "none");
  own.profile.lock_days = 30;
  CHECK(level_of(job::judge(own), "lock") == "danger");
}

TEST_CASE("the worst finding stands first, and every bad one says what to do", "[doctor]") {
  for (const PowersCase& one : powers_cases()) {
    INFO(one.what);
    const job::Diagnosis all = job::judge(seen(one.powers));
    for (std::size_t i = 0; i < all.findings.size(); ++i) {
      const Finding& finding = all.findings[i];
      INFO(finding.thing << ": " << finding.what);
      if (i > 0) CHECK(all.findings[i - 1].level >= finding.level);
      CHECK(finding.what.ends_with('.'));
      CHECK((finding.level == Level::good) == finding.to_do.empty());
    }
  }
}

TEST_CASE("with locks, time to notice and a quiet key there is nothing to advise", "[doctor]") {
  const job::Diagnosis all = job::judge(seen(locked(kGovernance, 120)));
  for (const Finding& finding : all.findings) {
    INFO(finding.thing << ": " << finding.what);
    CHECK(finding.level == Level::good);
  }
}

TEST_CASE("what the machine shows, and what that means", "[doctor]") {
  struct Case {
    const char* what;
    Seen seen;
    const char* thing;
    const char* level;
  };
  const Case cases[] = {
      {"clocks that agree", seen_with([](Seen& s) { *s.store_time += 4min; }), "clock", "good"},
      {"a clock that is ahead", seen_with([](Seen& s) { *s.store_time -= 6min; }), "clock",
       "warning"},
      {"a clock that stops purges", seen_with([](Seen& s) { *s.store_time += 61min; }), "clock",
       "danger"},
      {"a store without a clock", seen_with([](Seen& s) { s.store_time.reset(); }), "clock",
       "none"},
      {"little room", seen_with([](Seen& s) { s.rooms[0].free = 900'000'000; }), "room", "warning"},
      {"no room", seen_with([](Seen& s) { s.rooms[0].free = 1'000'000; }), "room", "danger"},
      {"a canary that was never made", seen_with([](Seen& s) { s.missing_canaries = {"/srv/c"}; }),
       "canary", "warning"},
      {"nothing starts rota, but something did", seen_with([](Seen& s) { s.schedules.clear(); }),
       "schedule", "advice"},
      {"nothing starts rota", seen_with([](Seen& s) {
         s.schedules.clear();
         s.runs[0].time -= std::chrono::days(3);
       }),
       "schedule", "warning"},
      {"cron without a mailer", seen_with([](Seen& s) { s.sendmail.clear(); }), "mail", "warning"},
      {"an empty MAILTO", seen_with([](Seen& s) { s.schedules[0].mail_to = ""; }), "mail",
       "warning"},
      {"no MAILTO goes to the owner", seen_with([](Seen& s) { s.schedules[0].mail_to.reset(); }),
       "mail", "good"},
      {"a timer that tells nobody",
       seen_with([](Seen& s) { s.schedules[0].kind = job::Schedule::Kind::timer; }), "mail",
       "warning"},
      {"a timer that tells somebody, without any mailer", seen_with([](Seen& s) {
         s.schedules[0] = {job::Schedule::Kind::timer, "rota.timer", {}, true};
         s.sendmail.clear();
       }),
       "mail", "good"},
      {"no encryption", seen_with([](Seen& s) { s.profile.encrypt_to.clear(); }), "encryption",
       "advice"},
      {"the key on this server", seen_with([](Seen& s) { s.profile.key = "/root/rota.key"; }),
       "encryption", "warning"},
      {"an unencrypted backup in a public bucket", seen_with([](Seen& s) {
         s.profile.encrypt_to.clear();
         s.powers->readable_by_all = Answer::yes;
       }),
       "privacy", "danger"},
      {"no run yet", seen_with([](Seen& s) { s.runs.clear(); }), "status", "danger"},
      {"a run that is late",
       seen_with([](Seen& s) { s.runs[0].time = s.verifications[0].time = kNow - 27h; }), "status",
       "warning"},
      {"data never read", seen_with([](Seen& s) { s.verifications.pop_back(); }), "data", "advice"},
      {"data read long ago",
       seen_with([](Seen& s) { s.verifications[1].time -= std::chrono::days(200); }), "data",
       "advice"},
      {"a store that does not answer", seen_with([](Seen& s) {
         s.store_problem = "no network";
         s.powers.reset();
       }),
       "store", "danger"},
      {"a store that cannot tell", seen_with([](Seen& s) { s.powers.reset(); }), "access",
       "warning"},
      {"runs that the store no longer shows", seen_with([](Seen& s) { s.store_empty = true; }),
       "store", "danger"},
      {"an empty store before the first run", seen_with([](Seen& s) {
         s.store_empty = true;
         s.runs.clear();
       }),
       "store", "none"},
  };
  for (const Case& one : cases) {
    INFO(one.what);
    CHECK(level_of(job::judge(one.seen), one.thing) == one.level);
  }
}
