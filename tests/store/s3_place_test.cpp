#include "store/s3_place.h"

#include <catch2/catch.hpp>

#include "base/kind_of.h"

namespace rota::test {

namespace {

using Settings = store::StoreSettings::S3;
using store::S3Error;
using store::S3Place;

std::string url_of(const Settings& settings, const std::string& bucket = "bucket") {
  return store::s3_place(bucket, settings).url("a/b", {});
}

S3Error told(const std::string& region, const std::string& endpoint = "") {
  S3Error error;
  error.region = region;
  error.endpoint = endpoint;
  return error;
}

}  // namespace

TEST_CASE("without an endpoint a bucket is at Amazon, in its region", "[store][s3]") {
  CHECK(url_of({}) == "https://bucket.s3.us-east-1.amazonaws.com/a/b");
  CHECK(url_of({.region = "eu-central-1"}) == "https://bucket.s3.eu-central-1.amazonaws.com/a/b");
  CHECK(url_of({.region = "cn-north-1"}) == "https://bucket.s3.cn-north-1.amazonaws.com.cn/a/b");
  CHECK(url_of({.path_style = true}) == "https://s3.us-east-1.amazonaws.com/bucket/a/b");
  // A certificate's wildcard covers no dot.
  CHECK(url_of({}, "my.bucket") == "https://s3.us-east-1.amazonaws.com/my.bucket/a/b");
  CHECK(url_of({}, "Old_Bucket") == "https://s3.us-east-1.amazonaws.com/Old_Bucket/a/b");
}

TEST_CASE("elsewhere the bucket stands in the path, unless it is told otherwise", "[store][s3]") {
  CHECK(url_of({.endpoint = "http://127.0.0.1:9000"}) == "http://127.0.0.1:9000/bucket/a/b");
  CHECK(url_of({.endpoint = "http://[::1]:9000/"}) == "http://[::1]:9000/bucket/a/b");
  CHECK(url_of({.endpoint = "minio.example.org"}) == "https://minio.example.org/bucket/a/b");
  CHECK(url_of({.endpoint = "https://OSS.example.org", .path_style = false}) ==
        "https://bucket.oss.example.org/a/b");
  // The Host header leaves the scheme's own port out, and it is signed.
  CHECK(url_of({.endpoint = "https://s3.example.org:443"}) == "https://s3.example.org/bucket/a/b");
  CHECK(url_of({.endpoint = "http://s3.example.org:80"}) == "http://s3.example.org/bucket/a/b");
  CHECK(url_of({.endpoint = "http://s3.example.org:443"}) ==
        "http://s3.example.org:443/bucket/a/b");
}

TEST_CASE("the region is read from an endpoint's name where that is known to hold it",
          "[store][s3]") {
  const auto region = [](const std::string& endpoint) {
    return store::s3_place("bucket", {.endpoint = endpoint}).region;
  };
  CHECK(region("https://s3.us-west-002.backblazeb2.com") == "us-west-002");
  CHECK(region("https://s3.eu-central-1.amazonaws.com") == "eu-central-1");
  CHECK(region("https://s3.fr-par.scw.cloud") == "fr-par");
  CHECK(region("https://storage.googleapis.com") == "auto");
  CHECK(region("https://s3.amazonaws.com") == "us-east-1");
  CHECK(region("https://s3.dualstack.eu-west-1.amazonaws.com") == "us-east-1");
  CHECK(region("http://127.0.0.1:9000") == "us-east-1");
  CHECK(store::s3_place("b", {.endpoint = "https://s3.x-1.a.b", .region = "r"}).region == "r");
}

TEST_CASE("what cannot be an endpoint or a region is refused with the right form", "[store][s3]") {
  for (const std::string endpoint :
       {"ftp://host", "https://", "https://host/path", "https://host:0", "https://host:70000",
        "https://host:x", "https://user@host", "https://ho st", "https://.host", "https://a..b",
        "https://[::1", "https://host?x"}) {
    INFO(endpoint);
    CHECK(kind_of([&] { store::s3_place("bucket", {.endpoint = endpoint}); }) ==
          base::ErrorKind::config);
    CHECK_THAT(message_of([&] { store::s3_place("bucket", {.endpoint = endpoint}); }),
               Catch::Contains("https://HOST"));
  }
  CHECK(kind_of([] { store::s3_place("bucket", {.region = "eu central"}); }) ==
        base::ErrorKind::config);
}

TEST_CASE("a bucket is followed to its region, and to another host of the same provider",
          "[store][s3]") {
  const S3Place amazon = store::s3_place("bucket", {});
  auto next = store::redirected(amazon, told("eu-west-1"));
  REQUIRE(next);
  CHECK(next->url("k", {}) == "https://bucket.s3.eu-west-1.amazonaws.com/k");
  CHECK(next->region == "eu-west-1");

  next = store::redirected(amazon, told("", "bucket.s3-eu-west-1.amazonaws.com"));
  REQUIRE(next);
  CHECK(next->url("k", {}) == "https://bucket.s3-eu-west-1.amazonaws.com/k");

  const S3Place other = store::s3_place("bucket", {.endpoint = "https://s3.a-1.example.org"});
  next = store::redirected(other, told("a-2"));  // another region at the same host
  REQUIRE(next);
  CHECK(next->host == "s3.a-1.example.org");
  CHECK(next->region == "a-2");
  next = store::redirected(other, told("a-2", "s3.a-2.example.org"));
  REQUIRE(next);
  CHECK(next->host == "s3.a-2.example.org");
  CHECK(next->tls);
}

TEST_CASE("a bucket is not followed to another provider, nor for nothing", "[store][s3]") {
  const S3Place amazon = store::s3_place("bucket", {});
  const S3Place other = store::s3_place("bucket", {.endpoint = "https://s3.example.org"});
  const S3Place address = store::s3_place("bucket", {.endpoint = "http://10.0.0.1:9000"});
  for (const std::string host :
       {"evil.org", "bucket.evil.org", "s3.amazonaws.com.evil.org", "evilamazonaws.com",
        "amazonaws.com.cn", "", "ho st", "10.0.0.2:9000", "10.0.1.1:9000"}) {
    INFO(host);
    CHECK_FALSE(store::redirected(amazon, told("", host)));
    CHECK_FALSE(store::redirected(other, told("", host)));
    CHECK_FALSE(store::redirected(address, told("", host)));
  }
  CHECK_FALSE(store::redirected(amazon, told("us-east-1")));
  CHECK_FALSE(store::redirected(amazon, told("eu-west-1.evil.org/")));
  CHECK_FALSE(store::redirected(other, told("", "s3.example.org")));
}

}  // namespace rota::test
