// What no server on this machine can be made to do: answers by a script.
#include "store/s3_store.h"

#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "base/kind_of.h"
#include "support/quick_clock.h"
#include "support/scripted_http.h"

namespace rota::test {

namespace {

using base::ErrorKind;
using store::Removal;

constexpr std::string_view kAt = "http://127.0.0.1:1/bucket";
constexpr std::string_view kHello = "hello";
constexpr std::string_view kHelloMd5 = "5d41402abc4b2a76b9719d911017c592";
constexpr std::string_view kDenied = "<Error><Code>AccessDenied</Code></Error>";
constexpr std::string_view kVersioned =
    "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
constexpr std::string_view kUnversioned = "<VersioningConfiguration/>";
constexpr std::string_view kDeletesHidden =
    "<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter><Prefix>p/</Prefix></Filter>"
    "<NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays></NoncurrentVersionExpiration>"
    "</Rule></LifecycleConfiguration>";
constexpr std::string_view kNoRules = "<Error><Code>NoSuchLifecycleConfiguration</Code></Error>";

struct Bucket {
  ScriptedHttp http;
  QuickClock clock{*base::parse_iso("2026-11-26T20:00:00Z")};
  store::S3Store store{{"bucket", "p/"},
                       store::s3_place("bucket", {.endpoint = "http://127.0.0.1:1"}),
                       {"id", "secret"},
                       std::make_unique<BorrowedHttp>(http),
                       clock};

  /// The calls since the last time, as "GET /p/x?a=b".
  std::vector<std::string> calls() {
    std::vector<std::string> lines;
    for (; seen_ < http.asked().size(); ++seen_) {
      const auto& asked = http.asked()[seen_];
      REQUIRE(asked.url.starts_with(kAt));
      lines.push_back(asked.method + " " + asked.url.substr(kAt.size()));
    }
    return lines;
  }

 private:
  std::size_t seen_ = 0;
};

using Lines = std::vector<std::string>;

std::string etag(std::string_view md5) { return fmt::format("\"{}\"", md5); }

std::string row(std::string_view key, std::string_view md5 = kHelloMd5) {
  return fmt::format("<Contents><Key>{}</Key><Size>5</Size><ETag>\"{}\"</ETag></Contents>", key,
                     md5);
}

std::string listing(const std::string& rows, std::string_view token = "") {
  const std::string next = fmt::format("<NextContinuationToken>{}</NextContinuationToken>", token);
  return fmt::format("<ListBucketResult><IsTruncated>{}</IsTruncated>{}{}</ListBucketResult>",
                     !token.empty(), token.empty() ? "" : next, rows);
}

std::string version(std::string_view key, std::string_view id, bool latest, int second,
                    bool marker = false) {
  return fmt::format(
      "<{0}><Key>{1}</Key><VersionId>{2}</VersionId><IsLatest>{3}</IsLatest><LastModified>"
      "2026-11-26T20:00:{4:02}.500Z</LastModified>{5}</{0}>",
      marker ? "DeleteMarker" : "Version", key, id, latest, second,
      marker ? "" : "<Size>5</Size><ETag>\"5d41402abc4b2a76b9719d911017c592\"</ETag>");
}

std::string versions(const std::string& rows, std::string_view next_key = "",
                     std::string_view next_id = "") {
  return fmt::format(
      "<ListVersionsResult><IsTruncated>{}</IsTruncated><NextKeyMarker>{}</NextKeyMarker>"
      "<NextVersionIdMarker>{}</NextVersionIdMarker>{}</ListVersionsResult>",
      !next_key.empty(), next_key, next_id, rows);
}

base::Bytes bytes(std::string_view text) {
  const auto view = base::as_bytes(text);
  return {view.begin(), view.end()};
}

}  // namespace

TEST_CASE("a put carries both hashes of its body, so that the store can check it", "[store][s3]") {
  Bucket bucket;
  bucket.http.then(200, "", {{"etag", etag(kHelloMd5)}});
  bucket.store.put("runs/x", base::as_bytes(kHello));
  CHECK(bucket.calls() == Lines{"PUT /p/runs/x"});
  const auto& asked = bucket.http.asked().front();
  CHECK(asked.body == kHello);
  CHECK(asked.header("Content-MD5") == "XUFAKrxLKna5cZ2REBfFkg==");
  CHECK(asked.header("x-amz-content-sha256") ==
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  CHECK_THAT(asked.header("Authorization"), Catch::Contains("content-md5;"));
  CHECK(asked.header("x-amz-object-lock-mode").empty());
}

TEST_CASE("objects are locked when that is asked for, and the bucket can", "[store][s3]") {
  Bucket bucket;
  store::ObjectLock lock;
  lock.until = *base::parse_iso("2027-03-01T00:00:00Z");
  const auto put = [&] {
    bucket.http.then(200);
    bucket.store.put("x", {});
    return bucket.http.asked().back();
  };
  SECTION("a bucket with locks") {
    bucket.http.then(200,
                     "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>"
                     "</ObjectLockConfiguration>");
    bucket.store.set_lock(lock);
    CHECK(bucket.calls() == Lines{"GET ?object-lock="});
    const auto asked = put();
    CHECK(asked.header("x-amz-object-lock-mode") == "GOVERNANCE");
    CHECK(asked.header("x-amz-object-lock-retain-until-date") == "2027-03-01T00:00:00Z");
    CHECK_THAT(asked.header("Authorization"), Catch::Contains("x-amz-object-lock-mode;"));
    CHECK_FALSE(asked.header("Content-MD5").empty());  // which locks require

    lock.mode = store::ObjectLock::Mode::compliance;
    bucket.store.set_lock(lock);  // not asked again
    CHECK(put().header("x-amz-object-lock-mode") == "COMPLIANCE");
    bucket.store.set_lock(std::nullopt);
    CHECK(put().header("x-amz-object-lock-mode").empty());
  }
  SECTION("a key that may not ask: the first put tells") {
    bucket.http.then(403, kDenied);
    bucket.store.set_lock(lock);
    CHECK(put().header("x-amz-object-lock-mode") == "GOVERNANCE");
  }
  SECTION("a bucket without locks") {
    bucket.http.then(404, "<Error><Code>ObjectLockConfigurationNotFoundError</Code></Error>");
    CHECK(kind_of([&] { bucket.store.set_lock(lock); }) == ErrorKind::config);
    bucket.http.then(200, "<ObjectLockConfiguration/>");
    CHECK_THAT(message_of([&] { bucket.store.set_lock(lock); }), Catch::Contains("Object Lock"));
    CHECK(put().header("x-amz-object-lock-mode").empty());
  }
}

TEST_CASE("a whole object is held against its ETag, and read again where it differs",
          "[store][s3]") {
  Bucket bucket;
  bucket.http.then(200, "hellO", {{"etag", etag(kHelloMd5)}});
  bucket.http.then_break();  // as for a body that ends too early
  bucket.http.then(200, kHello, {{"etag", etag(kHelloMd5)}});
  CHECK(bucket.store.get("x", 10) == bytes(kHello));
  for (int i = 0; i < 3; ++i) bucket.http.then(200, "hellO", {{"etag", etag(kHelloMd5)}});
  CHECK(kind_of([&] { bucket.store.get("x", 10); }) == ErrorKind::corrupt);
  CHECK(bucket.http.done());
}

TEST_CASE("an ETag that is no MD5 is not held against the object", "[store][s3]") {
  Bucket bucket;
  const std::string other = etag("00000000000000000000000000000000");
  using Headers = std::vector<std::pair<std::string, std::string>>;
  const Headers headers = GENERATE_REF(
      Headers{{"etag", "\"5d41402abc4b2a76b9719d911017c592-3\""}}, Headers{},
      Headers{{"etag", other}, {"x-amz-server-side-encryption", "aws:kms"}},
      Headers{{"etag", other}, {"x-amz-server-side-encryption", "aws:kms:dsse"}},
      Headers{{"etag", other}, {"x-amz-server-side-encryption-customer-algorithm", "AES256"}});
  bucket.http.then(200, kHello, headers);
  CHECK(bucket.store.get("x", 10) == bytes(kHello));
}

TEST_CASE("an object that is too large is not read to its end", "[store][s3]") {
  Bucket bucket;
  bucket.http.then(200, std::string(1000, 'x'), {{"etag", etag(kHelloMd5)}});
  CHECK(kind_of([&] { bucket.store.get("x", 10); }) == ErrorKind::corrupt);
  CHECK(bucket.http.done());
}

TEST_CASE("a part of an object is checked to be the one that was asked for", "[store][s3]") {
  Bucket bucket;
  base::Bytes buffer(5);
  const auto read = [&](std::uint64_t offset) {
    return bucket.store.read_some("x", offset, buffer);
  };
  const auto part = [&](std::string_view body, const std::string& range) {
    bucket.http.then(206, body, {{"content-range", range}});
  };
  SECTION("a part in the middle") {
    part(kHello, "bytes 7-11/20");
    CHECK(read(7) == 5);
    CHECK(buffer == bytes(kHello));
    CHECK(bucket.http.asked().back().header("Range") == "bytes=7-11");
  }
  SECTION("the end of an object") {
    part("hel", "bytes 7-9/10");
    CHECK(read(7) == 3);
  }
  SECTION("behind the end") {
    bucket.http.then(416, "<Error><Code>InvalidRange</Code></Error>");
    CHECK(read(7) == 0);
    CHECK(read(UINT64_MAX) == 0);  // not even asked
  }
  SECTION("a server that knows no ranges") {
    bucket.http.then(200, "0123456hello and more");
    CHECK(read(7) == 5);
    CHECK(buffer == bytes(kHello));
    bucket.http.then(200, "0123");
    CHECK(read(7) == 0);
  }
  SECTION("wrong parts, then the right one") {
    part(kHello, "bytes 6-10/20");
    part("hell", "bytes 7-11/20");
    part(kHello, "bytes 7-11/20");
    CHECK(read(7) == 5);
  }
  SECTION("wrong parts only") {
    const std::string range =
        GENERATE("", "bytes 6-10/20", "bytes 6-11/20", "bytes 7-10/20", "bytes 7-11/11",
                 "bytes 7-12/20", "bytes 11-7/20", "bytes 7-11/*", "bytes 7-11/20 ",
                 "items 7-11/20", "bytes 7-99999999999999999999/20");
    INFO(range);
    for (int i = 0; i < 3; ++i) part(kHello, range);
    CHECK(kind_of([&] { read(7); }) == ErrorKind::unavailable);
  }
  SECTION("an absent object") {
    bucket.http.then(404, "<Error><Code>NoSuchKey</Code></Error>");
    CHECK(kind_of([&] { read(7); }) == ErrorKind::not_found);
  }
  CHECK(bucket.http.done());
}

TEST_CASE("a listing goes on where its page ends, and leaves out what is not rota's",
          "[store][s3]") {
  Bucket bucket;
  bucket.http.then(200, listing(row("p/a") + row("p/b%20c"), "t/1"));
  bucket.http.then(200, "", {{"etag", etag(kHelloMd5)}});
  bucket.http.then(200, listing("", "t2"));
  bucket.http.then(200, listing(row("p/c", fmt::format("{}-2", kHelloMd5)) + row("p/d"), "t3"));
  const store::Page page = bucket.store.list("", "", 3);
  CHECK(bucket.calls() ==
        Lines{"GET ?encoding-type=url&list-type=2&max-keys=3&prefix=p%2F", "HEAD /p/b%2520c",
              "GET ?continuation-token=t%2F1&encoding-type=url&list-type=2&max-keys=2&prefix=p%2F",
              "GET ?continuation-token=t2&encoding-type=url&list-type=2&max-keys=2&prefix=p%2F"});
  REQUIRE(page.objects.size() == 3);
  CHECK(page.more);
  CHECK(page.objects[0].name == "a");
  CHECK(page.objects[0].hash == kHelloMd5);
  CHECK(page.objects[1].name == "c");
  CHECK(page.objects[1].hash.empty());  // it was put in parts: its ETag is no MD5
  CHECK(page.objects[2].name == "d");

  bucket.http.then(200, listing(row("p/runs/5")));
  CHECK(bucket.store.list("runs/", "runs/4", 5000).objects.size() == 1);
  CHECK(bucket.calls() == Lines{"GET ?encoding-type=url&list-type=2&max-keys=1000&"
                                "prefix=p%2Fruns%2F&start-after=p%2Fruns%2F4"});
}

TEST_CASE("where objects are encrypted with a key of KMS, listings show no hash", "[store][s3]") {
  Bucket bucket;
  SECTION("as one of them tells") {
    bucket.http.then(200, listing(row("p/a")));
    bucket.http.then(200, "", {{"x-amz-server-side-encryption", "aws:kms"}, {"etag", "\"x\""}});
  }
  SECTION("as a put told") {
    bucket.http.then(200, "", {{"x-amz-server-side-encryption", "aws:kms"}, {"etag", "\"x\""}});
    bucket.store.put("a", {});
    bucket.http.then(200, listing(row("p/a")));
  }
  SECTION("or as it may be, where the key cannot ask") {
    bucket.http.then(200, listing(row("p/a")));
    bucket.http.then(403);
  }
  CHECK(bucket.store.list("", "", 10).objects.at(0).hash.empty());
  bucket.http.then(200, listing(row("p/a")));
  CHECK(bucket.store.list("", "", 10).objects.at(0).hash.empty());
  CHECK(bucket.http.done());
}

TEST_CASE("a listing that is none, out of order or without end is not believed", "[store][s3]") {
  Bucket bucket;
  const std::string answer =
      GENERATE(std::string("<html>Welcome to the hotel</html>"), listing(row("other/a")),
               listing(row("p/a")), listing(row("p/c") + row("p/b")),
               listing(row("p/c") + row("p/c")), listing(row("p/a"), "t"),
               std::string("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
               listing(row("p/c") + row("p/d") + row("p/e")));
  INFO(answer);
  bucket.http.then(200, answer);
  CHECK(kind_of([&] { bucket.store.list("", "b", 2); }) == ErrorKind::unavailable);
}

TEST_CASE("in a bucket without versions an object is removed by its name", "[store][s3]") {
  Bucket bucket;
  bucket.http.then(200, kUnversioned);
  bucket.http.then(204);
  bucket.http.then(404, "<Error><Code>NoSuchKey</Code></Error>");
  bucket.http.then(403, kDenied);
  CHECK(bucket.store.remove("a") == Removal::gone);
  CHECK(bucket.store.remove("b") == Removal::gone);
  CHECK(bucket.store.remove("c") == Removal::later);
  CHECK(bucket.calls() == Lines{"GET ?versioning=", "DELETE /p/a", "DELETE /p/b", "DELETE /p/c"});
  bucket.http.then(403, "<Error><Code>InvalidAccessKeyId</Code></Error>");
  CHECK(kind_of([&] { bucket.store.remove("d"); }) == ErrorKind::refused);
  bucket.http.then(404, "<Error><Code>NoSuchBucket</Code></Error>");
  CHECK(kind_of([&] { bucket.store.remove("d"); }) == ErrorKind::config);
}

TEST_CASE("an object goes with all its versions, the oldest first", "[store][s3]") {
  Bucket bucket;
  bucket.http.then(200, kVersioned);
  bucket.http.then(
      200,
      versions(version("p/a", "v3", true, 3, true) + version("p/a", "v2", false, 2), "p/a", "v2"));
  bucket.http.then(200, versions(version("p/a", "v1", false, 1) + version("p/a-b", "w", true, 1)));
  for (int i = 0; i < 3; ++i) bucket.http.then(204);
  CHECK(bucket.store.remove("a") == Removal::gone);
  CHECK(bucket.calls() ==
        Lines{"GET ?versioning=", "GET ?encoding-type=url&max-keys=1000&prefix=p%2Fa&versions=",
              "GET "
              "?encoding-type=url&key-marker=p%2Fa&max-keys=1000&prefix=p%2Fa&version-id-marker=v2&"
              "versions=",
              "DELETE /p/a?versionId=v1", "DELETE /p/a?versionId=v2", "DELETE /p/a?versionId=v3"});
}

TEST_CASE("what a lock holds is removed later, and is not hidden until then", "[store][s3]") {
  Bucket bucket;
  bucket.http.then(200, kVersioned);
  bucket.http.then(200, versions(version("p/a", "v1", true, 1)));
  std::size_t calls = 3;
  SECTION("as Amazon says") {
    bucket.http.then(403,
                     "<Error><Code>AccessDenied</Code><Message>Access Denied because object "
                     "protected by object lock.</Message></Error>");
  }
  SECTION("as MinIO says") {
    bucket.http.then(400,
                     "<Error><Code>InvalidRequest</Code><Message>Object is WORM protected and "
                     "cannot be overwritten</Message></Error>");
  }
  SECTION("as the object itself says") {
    bucket.http.then(403, kDenied);
    bucket.http.then(200, "",
                     {{"date", "Thu, 26 Nov 2026 20:00:00 GMT"},
                      {"x-amz-object-lock-retain-until-date", "2026-11-26T20:00:01.000Z"}});
    calls = 4;
  }
  CHECK(bucket.store.remove("a") == Removal::later);
  CHECK(bucket.calls().size() == calls);
  CHECK(bucket.http.done());
}

TEST_CASE("a key that may not delete hides only what a rule of the bucket then deletes",
          "[store][s3]") {
  Bucket bucket;
  bucket.http.then(200, kVersioned);
  const int may_list = GENERATE(0, 1, 2);
  if (may_list == 2) {
    bucket.http.then(200,
                     "<ListBucketResult><Version><Generation>1</Generation></Version>"
                     "</ListBucketResult>");  // as Google's store has them
  } else if (may_list == 1) {
    bucket.http.then(200, versions(version("p/a", "v1", true, 1)));
    bucket.http.then(403, kDenied);  // the deletion
    bucket.http.then(200, "");       // no lock is on it
  } else {
    bucket.http.then(403, kDenied);
  }
  SECTION("with such a rule") {
    bucket.http.then(200, kDeletesHidden);
    bucket.http.then(204);
    CHECK(bucket.store.remove("a") == Removal::hidden);
    CHECK(bucket.calls().back() == "DELETE /p/a");
  }
  SECTION("with the rule, but without the right to hide") {
    bucket.http.then(200, kDeletesHidden);
    bucket.http.then(403, kDenied);
    CHECK(bucket.store.remove("a") == Removal::later);
  }
  SECTION("without it, or when it cannot be seen") {
    const int status = GENERATE(404, 403);
    bucket.http.then(status, status == 404 ? kNoRules : kDenied);
    CHECK(bucket.store.remove("a") == Removal::later);
    CHECK(bucket.calls().back() == "GET ?lifecycle=");
  }
  CHECK(bucket.http.done());
}

TEST_CASE("whether there are versions is asked of the object where the bucket does not tell",
          "[store][s3]") {
  Bucket bucket;
  const bool may_ask = GENERATE(false, true);  // and then does not understand the answer
  bucket.http.then(may_ask ? 200 : 403,
                   may_ask ? "<Other><Status>Enabled</Status></Other>" : kDenied);
  SECTION("there are none") {
    bucket.http.then(200, "");
    bucket.http.then(204);
    CHECK(bucket.store.remove("a") == Removal::gone);
    CHECK(bucket.calls() == Lines{"GET ?versioning=", "HEAD /p/a", "DELETE /p/a"});
  }
  SECTION("there are, as its removal shows") {
    bucket.http.then(200, "");
    bucket.http.then(204, "", {{"x-amz-delete-marker", "true"}});
    bucket.http.then(200, versions(version("p/a", "v2", true, 2, true)));
    bucket.http.then(204);
    CHECK(bucket.store.remove("a") == Removal::gone);
    CHECK(bucket.calls().back() == "DELETE /p/a?versionId=v2");
  }
  SECTION("there are") {
    bucket.http.then(200, "", {{"x-amz-version-id", "v1"}});
    bucket.http.then(200, versions(version("p/a", "v1", true, 1)));
    bucket.http.then(204);
    CHECK(bucket.store.remove("a") == Removal::gone);
    CHECK(bucket.calls().back() == "DELETE /p/a?versionId=v1");
  }
  CHECK(bucket.http.done());
}

TEST_CASE("versions are listed from a position on, the newest first", "[store][s3]") {
  Bucket bucket;
  // Markers apart, as some stores list them.
  bucket.http.then(
      200, versions(version("p/a", "v1", false, 1) + version("p/b", "v1", true, 1) +
                        version("p/a", "v2", true, 2, true) + version("p/%zz", "v1", true, 1),
                    "p/b", "v1"));
  bucket.http.then(200, "", {{"etag", etag(kHelloMd5)}});
  const store::VersionPage page = bucket.store.versions("", {}, 10);
  CHECK(bucket.calls() == Lines{"GET ?encoding-type=url&max-keys=10&prefix=p%2F&versions=",
                                "HEAD /p/%25zz?versionId=v1"});
  REQUIRE(page.versions.size() == 3);
  CHECK(page.versions[0].name == "a");
  CHECK(page.versions[0].marker);
  CHECK(page.versions[1].id == "v1");
  CHECK(page.versions[1].hash == kHelloMd5);
  CHECK(page.versions[1].since ==
        *base::parse_iso("2026-11-26T20:00:01Z") + std::chrono::milliseconds(500));
  CHECK(page.versions[2].name == "b");
  REQUIRE(page.next);

  bucket.http.then(200, versions(version("p/b", "v0", false, 0)));
  CHECK(bucket.store.versions("", *page.next, 10).versions.size() == 1);
  CHECK(bucket.calls() == Lines{"GET ?encoding-type=url&key-marker=p%2Fb&max-keys=10&prefix=p%2F&"
                                "version-id-marker=v1&versions="});

  // From a name on: S3 begins behind what it is given.
  bucket.http.then(200, versions(version("p/b", "v1", true, 1)));
  CHECK(bucket.store.versions("b", {"b", ""}, 10).versions.size() == 1);
  CHECK(bucket.calls() ==
        Lines{"GET ?encoding-type=url&key-marker=p%2Fa~&max-keys=10&prefix=p%2Fb&versions="});

  bucket.http.then(200, kHello, {{"etag", etag(kHelloMd5)}});
  CHECK(bucket.store.get_version(page.versions[1], 10) == bytes(kHello));
  base::Bytes buffer(2);
  bucket.http.then(206, "el", {{"content-range", "bytes 1-2/5"}});
  CHECK(bucket.store.read_version(page.versions[1], 1, buffer) == 2);
  CHECK(bucket.calls() == Lines{"GET /p/a?versionId=v1", "GET /p/a?versionId=v1"});
}

TEST_CASE("a list of versions that is none or without end is not believed", "[store][s3]") {
  Bucket bucket;
  bucket.http.then(200, listing(""));
  CHECK(kind_of([&] { bucket.store.versions("", {}, 10); }) == ErrorKind::unavailable);
  bucket.http.then(200, versions("", "p/b", "v1"));
  const auto page = bucket.store.versions("", {}, 10);
  REQUIRE(page.next);
  bucket.http.then(200, versions("", "p/b", "v1"));
  CHECK(kind_of([&] { bucket.store.versions("", *page.next, 10); }) == ErrorKind::unavailable);
}

TEST_CASE("the store's time is that of its last answer", "[store][s3]") {
  Bucket bucket;
  bucket.http.then(200, listing(""), {{"date", "Thu, 26 Nov 2026 23:00:00 GMT"}});
  CHECK(bucket.store.now() == base::parse_iso("2026-11-26T23:00:00Z"));
  bucket.clock.sleep(std::chrono::minutes(1), {});
  CHECK(bucket.store.now() == base::parse_iso("2026-11-26T23:01:00Z"));
  CHECK(bucket.calls().size() == 1);
}

}  // namespace rota::test
