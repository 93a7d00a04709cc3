// The S3 store against other people's servers.
#include <catch2/catch.hpp>

#include "base/hash.h"
#include "base/kind_of.h"
#include "store/curl_client.h"
#include "store/open.h"
#include "store/powers.h"
#include "store/s3_client.h"
#include "store/tidyable.h"
#include "store/time_travel.h"
#include "support/quick_clock.h"
#include "support/s3_server.h"

namespace rota::test {

namespace {

using base::ErrorKind;
using store::Removal;

base::Bytes bytes(std::string_view text) {
  const auto view = base::as_bytes(text);
  return {view.begin(), view.end()};
}

store::StoreSettings settings(const S3Server& server, const std::string& bucket) {
  return {.target = "s3://" + bucket + "/p",
          .credentials = {{server.key_id(), server.key()}},
          .s3 = {.endpoint = server.endpoint(), .region = server.region()}};
}

/// Makes a bucket; header: one more for that. `body` for `query` then sets it up.
void make_bucket(const S3Server& server, const std::string& name, store::NameValues headers = {},
                 const std::string& query = "", std::string_view body = "") {
  store::CurlClient http;
  store::S3Client client(
      store::s3_place(name, {.endpoint = server.endpoint(), .region = server.region()}),
      {server.key_id(), server.key()}, http, base::real_clock());
  store::S3Call call;
  call.method = "PUT";
  call.headers = std::move(headers);
  client.call(call);
  if (query.empty()) return;
  call.headers.clear();
  call.query = {{query, ""}};
  call.body = base::as_bytes(body);
  client.call(call);
}

constexpr std::string_view kVersions =
    "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>Enabled"
    "</Status></VersioningConfiguration>";

}  // namespace

TEST_CASE("a wrong key, secret or bucket fails at once at a server that checks them",
          "[store][s3]") {
  const S3Server* server = shared_swift();
  if (!server) return;
  QuickClock clock(base::real_clock().now());
  store::StoreSettings wrong = settings(*server, server->bucket());
  wrong.clock = &clock;
  ErrorKind kind = ErrorKind::refused;
  std::string hint;
  SECTION("secret") {
    wrong.credentials->key = "wrong secret";
    hint = "`key` in the credentials file";
  }
  SECTION("key") {
    wrong.credentials->key_id = "test:nobody";
    hint = "the credentials file";
  }
  SECTION("bucket") {
    wrong.target = "s3://no-such-bucket";
    kind = ErrorKind::config;
    hint = "make the bucket";
  }
  const auto store = store::open_store(wrong);
  const auto check = [&](auto action) {
    CHECK(kind_of(action) == kind);
    CHECK_THAT(message_of(action), Catch::Contains(hint) && !Catch::Contains("wrong secret") &&
                                       Catch::Contains(store->description()));
  };
  check([&] { store->list("", "", 10); });
  check([&] { store->put("x", {}); });
  check([&] { store->get("x", 10); });
  CHECK(clock.pauses().empty());
}

TEST_CASE("a clock that is an hour wrong is no hindrance at a real server", "[store][s3]") {
  const S3Server* server = shared_swift();
  if (!server) return;
  QuickClock clock(base::real_clock().now() + std::chrono::hours(1));
  store::StoreSettings late = settings(*server, server->bucket());
  late.clock = &clock;
  const auto store = store::open_store(late);
  store->put("x", base::as_bytes("x"));
  CHECK(store->get("x", 1) == bytes("x"));
  const auto difference = *store->now() - base::real_clock().now();
  CHECK(std::chrono::abs(difference) < std::chrono::minutes(5));
}

TEST_CASE("what was overwritten and hidden can be read as it was, and goes when it is removed",
          "[store][s3]") {
  const S3Server* server = shared_swift();
  if (!server) return;
  make_bucket(*server, "with-versions", {}, "versioning", kVersions);
  const auto open = [&] { return store::open_store(settings(*server, "with-versions")); };
  const auto store = open();
  store->put("a", base::as_bytes("good"));
  store->put("a-b", base::as_bytes("other"));
  store->put("a", base::as_bytes("evil"));
  const std::string good = store::object_hash(store->hash_kind(), base::as_bytes("good"));

  auto& versions = dynamic_cast<store::VersionedStore&>(*store);
  const auto page = versions.versions("", {}, 100);
  REQUIRE(page.versions.size() == 3);
  CHECK(page.versions[0].name == "a");
  CHECK(versions.get_version(page.versions[0], 10) == bytes("evil"));
  CHECK(versions.get_version(page.versions[1], 10) == bytes("good"));
  CHECK(page.versions[1].hash == good);
  // One at a time, as with large stores.
  std::vector<std::string> ids;
  for (store::VersionPosition from;;) {
    const auto one = versions.versions("", from, 1);
    for (const auto& version : one.versions) ids.push_back(version.name + " " + version.id);
    if (!one.next) break;
    from = *one.next;
  }
  std::vector<std::string> expected;
  for (const auto& version : page.versions) expected.push_back(version.name + " " + version.id);
  CHECK(ids == expected);

  store::TimeTravelStore then(open(), base::real_clock().now() + std::chrono::hours(1));
  CHECK(then.get("a", 10) == bytes("evil"));
  then.expect("a", {good, 4, base::sha256(base::as_bytes("good")), ""});
  CHECK(then.get("a", 10) == bytes("good"));

  CHECK(store->remove("a") == Removal::gone);
  const auto left = versions.versions("", {}, 100);
  REQUIRE(left.versions.size() == 1);
  CHECK(left.versions[0].name == "a-b");
}

TEST_CASE("a locked object is removed when its lock has ended, not before", "[store][s3]") {
  const auto server = S3Server::moto();
  if (!server) return;
  make_bucket(*server, "with-locks", {{"x-amz-bucket-object-lock-enabled", "true"}});
  make_bucket(*server, "without-locks");
  store::ObjectLock lock;
  lock.until = base::real_clock().now() + std::chrono::hours(1);
  lock.mode = GENERATE(store::ObjectLock::Mode::governance, store::ObjectLock::Mode::compliance);

  const auto store = store::open_store(settings(*server, "with-locks"));
  store->set_lock(lock);
  store->put("locked", base::as_bytes("x"));
  CHECK(store->remove("locked") == Removal::later);
  CHECK(store->get("locked", 1) == bytes("x"));  // nor hidden
  store->set_lock(std::nullopt);
  store->put("free", base::as_bytes("x"));
  CHECK(store->remove("free") == Removal::gone);
  CHECK(store->list("", "", 10).objects.size() == 1);

  const auto other = store::open_store(settings(*server, "without-locks"));
  CHECK(kind_of([&] { other->set_lock(lock); }) == ErrorKind::config);
}

namespace {

/// The settings of a bucket that others make with these words.
constexpr std::string_view kThirtyDays =
    "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ID>1</ID>"
    "<Status>Enabled</Status><Filter><Prefix>p/</Prefix></Filter><NoncurrentVersionExpiration>"
    "<NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration></Rule>"
    "</LifecycleConfiguration>";

constexpr std::string_view kLockAYear =
    "<ObjectLockConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode>"
    "<Years>1</Years></DefaultRetention></Rule></ObjectLockConfiguration>";

store::StorePowers inspect(store::Store& store) {
  return dynamic_cast<store::InspectableStore&>(store).inspect();
}

}  // namespace

TEST_CASE("a bucket's settings are told by somebody else's server, and nothing in it changes",
          "[store][s3]") {
  const auto server = S3Server::moto();
  if (!server) return;
  using Answer = store::Right::Answer;
  make_bucket(*server, "plain");
  make_bucket(*server, "locking", {{"x-amz-bucket-object-lock-enabled", "true"}}, "object-lock",
              kLockAYear);
  make_bucket(*server, "ruled", {}, "lifecycle", kThirtyDays);

  const auto plain = store::open_store(settings(*server, "plain"));
  plain->put("x", base::as_bytes("x"));
  const store::StorePowers open = inspect(*plain);
  // It answers to the question about versions in a form of its own.
  CHECK(open.keeps_versions == Answer::unknown);
  CHECK(open.rules_known);
  CHECK_FALSE(open.hidden_deleted_after);
  CHECK(open.locks.no());
  CHECK(open.may_delete.yes());
  CHECK(open.may_make_keys.answer == Answer::unknown);
  CHECK(plain->list("", "", 10).objects.size() == 1);

  const auto locking = store::open_store(settings(*server, "locking"));
  locking->put("x", base::as_bytes("x"));
  const store::StorePowers locked = inspect(*locking);
  CHECK(locked.locks.yes());
  REQUIRE(locked.default_lock);
  CHECK(locked.default_lock->days == 365);
  CHECK(locked.default_lock->mode == store::ObjectLock::Mode::governance);
  auto& versions = dynamic_cast<store::VersionedStore&>(*locking);
  CHECK(versions.versions("", {}, 10).versions.size() == 1);

  const auto ruled = store::open_store(settings(*server, "ruled"));
  CHECK(inspect(*ruled).hidden_deleted_after == 30);
}

TEST_CASE("a store without rules and locks is not taken for one that has some, and nothing changes",
          "[store][s3]") {
  const S3Server* server = shared_swift();
  if (!server) return;
  using Answer = store::Right::Answer;
  make_bucket(*server, "to-inspect", {}, "versioning", kVersions);
  const auto store = store::open_store(settings(*server, "to-inspect"));
  store->put("x", base::as_bytes("x"));
  const store::StorePowers powers = inspect(*store);
  CHECK(powers.keeps_versions == Answer::yes);
  CHECK_FALSE(powers.hidden_deleted_after);
  // It answers to what it does not know with a list of the objects.
  CHECK_FALSE(powers.rules_known);
  CHECK(powers.locks.answer == Answer::unknown);
  CHECK(powers.may_delete.yes());
  CHECK(store->list("", "", 10).objects.size() == 1);
  auto& versions = dynamic_cast<store::VersionedStore&>(*store);
  CHECK(versions.versions("", {}, 10).versions.size() == 1);
}

TEST_CASE("uploads that another program never finished are seen and ended", "[store][s3]") {
  const auto moto = S3Server::moto();
  const S3Server* servers[] = {shared_swift(), moto.get()};
  for (const S3Server* server : servers) {
    if (!server) continue;
    INFO(server->endpoint());
    make_bucket(*server, "unfinished");
    store::CurlClient http;
    store::S3Client client(
        store::s3_place("unfinished", {.endpoint = server->endpoint(), .region = server->region()}),
        {server->key_id(), server->key()}, http, base::real_clock());
    for (const char* key : {"p/a", "p/b c+%\xc3\xbc", "other"}) {
      store::S3Call call;
      call.method = "POST";
      call.key = key;
      call.query = {{"uploads", ""}};
      client.call(call);
    }
    const auto store = store::open_store(settings(*server, "unfinished"));
    auto& tidyable = dynamic_cast<store::TidyableStore&>(*store);
    const auto uploads = tidyable.unfinished_uploads();
    REQUIRE(uploads.size() == 2);
    CHECK(uploads[0].name == "a");
    CHECK(uploads[1].name == "b c+%\xc3\xbc");
    for (const store::UnfinishedUpload& upload : uploads) {
      const auto age = base::real_clock().now() - upload.since;
      CHECK((server == moto.get() || std::chrono::abs(age) < std::chrono::hours(1)));
      CHECK(tidyable.cancel_upload(upload) == Removal::gone);
      CHECK(tidyable.cancel_upload(upload) == Removal::gone);
    }
    CHECK(tidyable.unfinished_uploads().empty());
  }
}

}  // namespace rota::test
