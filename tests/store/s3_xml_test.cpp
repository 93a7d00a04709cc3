#include "store/s3_xml.h"

#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "base/time.h"

namespace rota::test {

namespace {

std::string document(std::string_view root, std::string_view inner) {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<{0} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{1}</{0}>",
      root, inner);
}

std::string listing(std::string_view inner) { return document("ListBucketResult", inner); }

std::string contents(std::string_view key, std::string_view size = "1") {
  return fmt::format("<Contents><Key>{}</Key><Size>{}</Size></Contents>", key, size);
}

}  // namespace

TEST_CASE("a listing of an S3 store is read", "[store][s3]") {
  const auto page = store::read_s3_listing(listing(R"(
    <Name>bucket</Name><Prefix>a/</Prefix><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys>
    <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
    <NextContinuationToken>1u+/=&amp;</NextContinuationToken>
    <Contents><Key>a/b%2Bc+d%C3%BC</Key><LastModified>2026-01-04T03:00:00.000Z</LastModified>
      <ETag>&quot;D41D8CD98F00B204E9800998ECF8427E&quot;</ETag><Size>0</Size>
      <StorageClass>STANDARD</StorageClass><Unknown><Deep>1</Deep></Unknown></Contents>
    <Contents><Key>a/e</Key><ETag>"d41d8cd98f00b204e9800998ecf8427e-12"</ETag>
      <Size>18446744073709551615</Size></Contents>)"));
  REQUIRE(page);
  REQUIRE(page->objects.size() == 2);
  CHECK(page->objects[0].key == "a/b+c d\xc3\xbc");
  CHECK(page->objects[0].size == 0);
  CHECK(page->objects[0].md5 == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(page->objects[1].size == UINT64_MAX);
  CHECK(page->objects[1].md5.empty());
  CHECK(page->truncated);
  CHECK(page->next_token == "1u+/=&");
}

TEST_CASE("names are taken as they are where the store does not encode them", "[store][s3]") {
  const auto page = store::read_s3_listing(listing(contents("a%2Bb+c")));
  REQUIRE(page);
  CHECK(page->objects.at(0).key == "a%2Bb+c");
  CHECK_FALSE(page->truncated);
}

TEST_CASE("what is no listing is not read as one", "[store][s3]") {
  const std::string good = listing(contents("a"));
  REQUIRE(store::read_s3_listing(good));
  for (const std::string& bad :
       {std::string(), std::string("<html><body>Log in to the hotel's network</body></html>"),
        document("Error", "<Code>InternalError</Code>"), good.substr(0, good.size() - 5),
        good + good, listing(contents("a", "-1")), listing(contents("a", "1x")),
        listing(contents("a", "")), listing(contents("a", "18446744073709551616")),
        listing(contents("")), listing("<Contents><Size>1</Size></Contents>"),
        listing("<IsTruncated>maybe</IsTruncated>"),
        listing("<EncodingType>url</EncodingType>" + contents("%")),
        listing("<EncodingType>url</EncodingType>" + contents("%4")),
        listing("<EncodingType>url</EncodingType>" + contents("%zz")), good + '\0' + good}) {
    INFO(bad);
    CHECK_FALSE(store::read_s3_listing(bad));
  }
}

TEST_CASE("an answer can neither declare entities nor nest without end nor be too large",
          "[store][s3]") {
  const std::string bomb = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>";
  CHECK_FALSE(store::read_s3_listing(bomb + "<ListBucketResult>" + contents("&b;") +
                                     "</ListBucketResult>"));
  CHECK_FALSE(store::read_s3_listing("<!DOCTYPE x><ListBucketResult/>"));
  const auto unknown = store::read_s3_listing(listing(contents("&b;&lt;")));
  REQUIRE(unknown);
  CHECK(unknown->objects.at(0).key == "&b;<");  // stays what it is
  CHECK(store::read_s3_listing(listing("<!-- x --><Name><![CDATA[<&]]></Name>")));

  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "<a>";
  std::string closed = deep;
  for (int i = 0; i < 200'000; ++i) closed += "</a>";
  CHECK_FALSE(store::read_s3_listing(listing(deep)));
  CHECK_FALSE(store::read_s3_listing(listing(closed)));

  CHECK_FALSE(
      store::read_s3_listing(listing(std::string(store::kMaxS3Answer, ' ') + contents("a"))));
}

TEST_CASE("versions and markers are read in the order of the answer", "[store][s3]") {
  const auto page = store::read_s3_versions(document("ListVersionsResult", R"(
    <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
    <NextKeyMarker>a+b</NextKeyMarker><NextVersionIdMarker>v/1+</NextVersionIdMarker>
    <DeleteMarker><Key>a+b</Key><VersionId>m1</VersionId><IsLatest>true</IsLatest>
      <LastModified>2026-01-05T03:00:00.999Z</LastModified></DeleteMarker>
    <Version><Key>a+b</Key><VersionId>null</VersionId><IsLatest>false</IsLatest>
      <LastModified>2026-01-04T03:00:00Z</LastModified><Size>7</Size>
      <ETag>"d41d8cd98f00b204e9800998ecf8427e"</ETag></Version>)"));
  REQUIRE(page);
  CHECK(page->truncated);
  CHECK(page->next_key == "a b");
  CHECK(page->next_id == "v/1+");
  REQUIRE(page->versions.size() == 2);
  CHECK(page->versions[0].marker);
  CHECK(page->versions[0].latest);
  CHECK(page->versions[0].id == "m1");
  CHECK(page->versions[0].object.key == "a b");
  CHECK(page->versions[0].modified ==
        *base::parse_iso("2026-01-05T03:00:00Z") + std::chrono::milliseconds(999));
  CHECK_FALSE(page->versions[1].marker);
  CHECK(page->versions[1].object.size == 7);
  CHECK(page->versions[1].object.md5 == "d41d8cd98f00b204e9800998ecf8427e");

  for (const std::string_view bad :
       {"<Version><Key>a</Key><VersionId>1</VersionId><Size>1</Size></Version>",
        "<Version><Key>a</Key><Size>1</Size><LastModified>2026-01-04T03:00:00Z</LastModified>"
        "</Version>",
        "<DeleteMarker><VersionId>1</VersionId></DeleteMarker>",
        "<DeleteMarker><Key>a</Key><VersionId>1</VersionId><LastModified>2026-01-04T03:00:00.xZ"
        "</LastModified></DeleteMarker>"}) {
    INFO(bad);
    CHECK_FALSE(store::read_s3_versions(document("ListVersionsResult", bad)));
  }
}

TEST_CASE("unfinished uploads are read, and what is no list of them is not", "[store][s3]") {
  const auto uploads = store::read_s3_uploads(document("ListMultipartUploadsResult", R"(
    <Bucket>b</Bucket><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
    <NextKeyMarker>b%2B</NextKeyMarker><NextUploadIdMarker>9</NextUploadIdMarker>
    <Upload><Key>a+b</Key><UploadId>7</UploadId><Initiated>2026-01-04T03:00:00.250Z</Initiated>
      <StorageClass>STANDARD</StorageClass></Upload>)"));
  REQUIRE(uploads);
  CHECK(uploads->truncated);
  CHECK(uploads->next_key == "b+");
  CHECK(uploads->next_id == "9");
  REQUIRE(uploads->uploads.size() == 1);
  CHECK(uploads->uploads[0].key == "a b");
  CHECK(uploads->uploads[0].id == "7");
  CHECK(uploads->uploads[0].initiated.time_since_epoch().count() % 1000 == 250);
  for (const std::string_view bad :
       {"<Upload><Key>a</Key><UploadId>7</UploadId></Upload>",
        "<Upload><Key>a</Key><Initiated>2026-01-04T03:00:00Z</Initiated></Upload>",
        "<Upload><UploadId>7</UploadId><Initiated>2026-01-04T03:00:00Z</Initiated></Upload>",
        "<IsTruncated>maybe</IsTruncated>"}) {
    INFO(bad);
    CHECK_FALSE(store::read_s3_uploads(document("ListMultipartUploadsResult", bad)));
  }
}

TEST_CASE("an error answer is read, and what is none is not", "[store][s3]") {
  const auto error = store::read_s3_error(
      "<Error><Code>PermanentRedirect</Code><Message>Ask &quot;there&quot;</Message>"
      "<Endpoint>b.s3.eu-west-1.amazonaws.com</Endpoint><Region>eu-west-1</Region></Error>");
  REQUIRE(error);
  CHECK(error->code == "PermanentRedirect");
  CHECK(error->message == "Ask \"there\"");
  CHECK(error->endpoint == "b.s3.eu-west-1.amazonaws.com");
  CHECK(error->region == "eu-west-1");
  // Stores send white space in front to keep a connection alive.
  CHECK(store::read_s3_error("  \n " + document("Error", "<Code>SlowDown</Code>"))->code ==
        "SlowDown");
  CHECK_FALSE(store::read_s3_error(""));
  CHECK_FALSE(store::read_s3_error("upstream connect error"));
  CHECK_FALSE(store::read_s3_error(listing("<Code>x</Code>")));
}

TEST_CASE("a bucket's settings are read", "[store][s3]") {
  CHECK(store::read_s3_versioning(document("VersioningConfiguration", "")) == "");
  CHECK(store::read_s3_versioning(
            document("VersioningConfiguration", "<Status>Enabled</Status>")) == "Enabled");
  CHECK(store::read_s3_location(document("LocationConstraint", "eu-central-1")) == "eu-central-1");
  CHECK(store::read_s3_location(document("LocationConstraint", "")) == "");

  const auto lock = store::read_s3_bucket_lock(document("ObjectLockConfiguration", R"(
    <ObjectLockEnabled>Enabled</ObjectLockEnabled>
    <Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Years>2</Years></DefaultRetention></Rule>)"));
  REQUIRE(lock);
  CHECK(lock->enabled);
  CHECK(lock->mode == "COMPLIANCE");
  CHECK(lock->days == 730);

  const auto rules = store::read_s3_lifecycle(document("LifecycleConfiguration", R"(
    <Rule><ID>1</ID><Status>Enabled</Status><Filter><Prefix>a/</Prefix></Filter>
      <NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays></NoncurrentVersionExpiration>
    </Rule>
    <Rule><Status>Disabled</Status><Prefix>b</Prefix><Expiration><Days>1</Days></Expiration></Rule>
    <Rule><Status>Enabled</Status><Filter><And><Prefix>c</Prefix></And></Filter>
      <Expiration><Days>x</Days></Expiration></Rule>)"));
  REQUIRE(rules);
  REQUIRE(rules->size() == 3);
  CHECK((*rules)[0].enabled);
  CHECK((*rules)[0].prefix == "a/");
  CHECK((*rules)[0].expire_noncurrent_days == 7);
  CHECK_FALSE((*rules)[0].expire_days);
  CHECK_FALSE((*rules)[1].enabled);
  CHECK((*rules)[1].expire_days == 1);
  CHECK((*rules)[2].prefix == "c");
  CHECK_FALSE((*rules)[2].expire_days);
}

TEST_CASE("an ETag is an MD5 only where it is 32 hexadecimal digits", "[store][s3]") {
  CHECK(store::md5_of_etag("\"D41D8CD98F00B204E9800998ECF8427E\"") ==
        "d41d8cd98f00b204e9800998ecf8427e");
  for (const std::string_view other :
       {"", "\"", "\"\"", "\"d41d8cd98f00b204e9800998ecf8427e-2\"",
        "d41d8cd98f00b204e9800998ecf8427", "d41d8cd98f00b204e9800998ecf8427g",
        "W/\"d41d8cd98f00b204e9800998ecf8427e\""}) {
    CHECK(store::md5_of_etag(other).empty());
  }
}

}  // namespace rota::test
