// The published examples: AWS, "Authenticating Requests: Using the Authorization Header".
#include "store/s3_sign.h"

#include <catch2/catch.hpp>

#include "base/bytes.h"
#include "base/hash.h"

namespace rota::test {

namespace {

using store::NameValues;
using store::S3Request;

const store::S3Key kKey = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};

S3Request example(std::string method, std::string path) {
  return {std::move(method),
          "examplebucket.s3.amazonaws.com",
          std::move(path),
          {},
          {},
          std::string(store::kEmptyPayload)};
}

std::string authorization(const S3Request& request, base::Instant time,
                          std::string_view region = "us-east-1") {
  const NameValues headers = store::s3_signed_headers(request, kKey, region, time);
  REQUIRE(headers.back().first == "Authorization");
  return headers.back().second;
}

std::string signature(const S3Request& request) {
  const std::string all = authorization(request, *base::parse_iso("2013-05-24T00:00:00Z"));
  return all.substr(all.rfind('=') + 1);
}

}  // namespace

TEST_CASE("AWS's example of reading a range of an object is signed as published", "[store][s3]") {
  S3Request request = example("GET", "/test.txt");
  request.headers = {{"Range", "bytes=0-9"}};
  CHECK(authorization(request, *base::parse_iso("2013-05-24T00:00:00Z")) ==
        "AWS4-HMAC-SHA256 "
        "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_CASE("AWS's example of putting an object with an odd name is signed as published",
          "[store][s3]") {
  S3Request request = example("PUT", "/test$file.text");
  request.headers = {{"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                     {"Date", "Fri, 24 May 2013 00:00:00 GMT"}};
  request.payload_hash = base::to_hex(base::sha256(base::as_bytes("Welcome to Amazon S3.")));
  CHECK(signature(request) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST_CASE("AWS's example of a query without a value is signed as published", "[store][s3]") {
  S3Request request = example("GET", "/");
  request.query = {{"lifecycle", ""}};
  CHECK(signature(request) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST_CASE("AWS's example of a listing is signed as published, in whichever order it is asked",
          "[store][s3]") {
  S3Request request = example("GET", "/");
  request.query = {{"prefix", "J"}, {"max-keys", "2"}};
  const std::string published = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
  CHECK(signature(request) == published);
  std::swap(request.query[0], request.query[1]);
  CHECK(signature(request) == published);
}

TEST_CASE("the headers to send are the given ones and those of the signature", "[store][s3]") {
  S3Request request = example("PUT", "/x");
  request.headers = {{"Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="}};
  const NameValues headers = store::s3_signed_headers(request, kKey, "eu-central-1",
                                                      *base::parse_iso("2026-01-04T03:00:00Z"));
  REQUIRE(headers.size() == 4);
  CHECK(headers[0] == request.headers[0]);
  CHECK(headers[1].second == store::kEmptyPayload);
  CHECK(headers[2] == NameValues::value_type{"x-amz-date", "20260104T030000Z"});
  CHECK_THAT(headers[3].second, Catch::Contains("/20260104/eu-central-1/s3/aws4_request,"));
  CHECK_THAT(headers[3].second, Catch::Contains("SignedHeaders=content-md5;host;x-amz-"));
  for (const auto& [name, value] : headers) CHECK(value.find(kKey.secret) == std::string::npos);
}

TEST_CASE("a signature changes with all that it covers", "[store][s3]") {
  const base::Instant time = *base::parse_iso("2026-01-04T03:00:00Z");
  S3Request request = example("GET", "/a/b");
  request.query = {{"versionId", "1"}};
  request.headers = {{"range", "bytes=0-9"}};
  const std::string first = authorization(request, time);
  CHECK(authorization(request, time) == first);
  CHECK(authorization(request, time + std::chrono::seconds(1)) != first);
  CHECK(authorization(request, time, "eu-west-1") != first);
  S3Request other = request;
  SECTION("method") { other.method = "DELETE"; }
  SECTION("host") { other.host += ":8080"; }
  SECTION("path") { other.path = "/a//b"; }
  SECTION("query") { other.query[0].second = "2"; }
  SECTION("header") { other.headers[0].second = "bytes=0-8"; }
  SECTION("body") { other.payload_hash[0] = '0'; }
  CHECK(authorization(other, time) != first);

  request.headers[0].second = "  bytes=0-9 ";  // what a proxy may change
  CHECK(authorization(request, time) == first);
}

TEST_CASE("paths and queries are percent-encoded as S3 wants them", "[store][s3]") {
  CHECK(store::s3_path("/") == "/");
  CHECK(store::s3_path("/b//./../AZaz09-._~") == "/b//./../AZaz09-._~");
  CHECK(store::s3_path("/ +%:=&?#\"'()*!$,;@[]") ==
        "/%20%2B%25%3A%3D%26%3F%23%22%27%28%29%2A%21%24%2C%3B%40%5B%5D");
  CHECK(store::s3_path("/\xc3\xbc\x01\x7f\xff") == "/%C3%BC%01%7F%FF");
  CHECK(store::s3_query({}).empty());
  CHECK(store::s3_query({{"uploads", ""}}) == "uploads=");
  CHECK(store::s3_query({{"prefix", "a/b c"}, {"list-type", "2"}, {"Z", "~"}}) ==
        "Z=~&list-type=2&prefix=a%2Fb%20c");
  CHECK(store::s3_query({{"a", "2"}, {"a", "10"}, {"a-b", ""}}) == "a=10&a=2&a-b=");
}

}  // namespace rota::test
