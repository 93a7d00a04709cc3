// The S3 store against other people's servers.
#include <catch2/catch.hpp>

#include "base/kind_of.h"
#include "store/curl_client.h"
#include "store/open.h"
#include "store/s3_client.h"
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
  then.expect("a", good);
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

}  // namespace rota::test
