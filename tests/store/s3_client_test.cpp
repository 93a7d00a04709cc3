#include "store/s3_client.h"

#include <catch2/catch.hpp>

#include "base/kind_of.h"
#include "support/quick_clock.h"
#include "support/scripted_http.h"

namespace rota::test {

namespace {

using namespace std::chrono_literals;
using base::ErrorKind;
using store::S3Call;

const store::StoreSettings::S3 kAmazon;
constexpr std::string_view kSlowDown = "<Error><Code>SlowDown</Code></Error>";

struct World {
  explicit World(const store::StoreSettings::S3& settings = {.endpoint = "http://127.0.0.1:1"})
      : client(store::s3_place("bucket", settings), {"id", "very secret"}, http, clock) {}
  ScriptedHttp http;
  QuickClock clock;
  store::S3Client client;

  store::HttpResponse put() {
    S3Call call;
    call.method = "PUT";
    call.key = "k";
    call.body = base::as_bytes("content");
    call.attempt = {"cannot put k in the store s3://bucket", "s3:PutObject"};
    return client.call(call);
  }
  std::string put_error(int status, std::string_view body = "",
                        ErrorKind kind = ErrorKind::refused) {
    http.then(status, body);
    std::string text;
    try {
      put();
    } catch (const base::Error& error) {
      CHECK(error.kind() == kind);
      text = error.what();
    }
    CHECK_THAT(text, Catch::StartsWith("cannot put k in the store s3://bucket: "));
    CHECK_THAT(text, !Catch::Contains("very secret"));
    return text;
  }
};

std::string error_of(const std::string& code, const std::string& more = "") {
  return "<Error><Code>" + code + "</Code>" + more + "</Error>";
}

}  // namespace

TEST_CASE("a busy store is asked again, after growing pauses", "[store][s3]") {
  World world;
  world.http.then(503, kSlowDown);
  world.http.then(500, error_of("InternalError"));
  world.http.then_break();
  world.http.then(429);
  world.http.then(400, error_of("RequestTimeout"));
  world.http.then(409, error_of("OperationAborted"));
  world.http.then(502, "<html>Bad Gateway</html>");
  world.http.then(200);
  world.put();
  CHECK(world.http.done());
  const auto pauses = world.clock.pauses();
  REQUIRE(pauses.size() == 7);
  CHECK(pauses.front() <= 1000ms);
  CHECK(pauses.back() >= 32'000ms);
  for (const auto& asked : world.http.asked()) CHECK(asked.body == "content");
}

TEST_CASE("a store that says when to come back is not asked before", "[store][s3]") {
  World world;
  world.http.then(503, kSlowDown, {{"retry-after", "120"}});
  world.http.then(200);
  world.put();
  REQUIRE(world.clock.pauses().size() == 1);
  CHECK(world.clock.pauses()[0] >= 120s);
}

TEST_CASE("a store that stays busy is given up with a sentence", "[store][s3]") {
  World world;
  world.http.repeat_last();
  CHECK_THAT(world.put_error(503, kSlowDown, ErrorKind::unavailable),
             Catch::Contains("SlowDown") && Catch::Contains("try again later"));
  CHECK(world.http.asked().size() == 8);
}

TEST_CASE("a body that was damaged on its way is sent again", "[store][s3]") {
  World world;
  world.http.then(400, error_of("BadDigest"));
  world.http.then(400, error_of("XAmzContentSHA256Mismatch"));
  world.http.then(200);
  world.put();
  CHECK(world.http.done());
}

TEST_CASE("an error behind a status of success is one", "[store][s3]") {
  World world;
  world.http.then(200, "<?xml version=\"1.0\"?>\n    " + error_of("InternalError"));
  world.http.then(200);
  world.put();
  CHECK(world.http.done());

  World refused;
  CHECK_THAT(refused.put_error(200, error_of("AccessDenied")), Catch::Contains("s3:PutObject"));
}

TEST_CASE("what cannot succeed fails at once, and says what to do", "[store][s3]") {
  const auto fails = [](int status, const std::string& code, ErrorKind kind) {
    World world;
    std::string text = world.put_error(status, code.empty() ? "" : error_of(code), kind);
    CHECK(world.http.asked().size() == 1);
    CHECK(world.clock.pauses().empty());
    return text;
  };
  CHECK_THAT(fails(403, "InvalidAccessKeyId", ErrorKind::refused), Catch::Contains("key_id"));
  CHECK_THAT(fails(403, "SignatureDoesNotMatch", ErrorKind::refused),
             Catch::Contains("`key`") && Catch::Contains("s3.region"));
  CHECK_THAT(fails(403, "AccessDenied", ErrorKind::refused), Catch::Contains("s3:PutObject"));
  CHECK_THAT(fails(403, "", ErrorKind::refused), Catch::Contains("s3:PutObject"));
  CHECK_THAT(fails(403, "QuotaExceeded", ErrorKind::refused), Catch::Contains("limit"));
  CHECK_THAT(fails(404, "NoSuchBucket", ErrorKind::config), Catch::Contains("make the bucket"));
  CHECK_THAT(fails(404, "NoSuchKey", ErrorKind::not_found), Catch::Contains("no such object"));
  CHECK_THAT(fails(400, "SomethingNew", ErrorKind::io), Catch::Contains("SomethingNew"));
  CHECK_THAT(fails(501, "NotImplemented", ErrorKind::config), Catch::Contains("cannot do"));
  // A proxy's or another program's page; above all no "not found", which would mean an empty store.
  CHECK_THAT(fails(404, "", ErrorKind::config), Catch::Contains("s3.endpoint"));
}

TEST_CASE("the store's words are shown when they say more, and shown safely", "[store][s3]") {
  World world;
  const std::string text =
      world.put_error(403, error_of("AccessDenied",
                                    "<Message>because it is protected by \x1b[31mobject lock"
                                    "</Message>"));
  CHECK_THAT(text, Catch::Contains("protected by \\x1b[31mobject lock"));
  World long_one;
  CHECK(long_one
            .put_error(400, error_of("X", "<Message>" + std::string(20'000, 'x') + "</Message>"),
                       ErrorKind::io)
            .size() < 400);
}

TEST_CASE("a clock that is wrong is corrected once by the store's", "[store][s3]") {
  World world;
  const std::string date = "Thu, 26 Nov 2026 20:00:00 GMT";  // the clock says January 2027
  world.http.then(403, error_of("RequestTimeTooSkewed"), {{"date", date}});
  world.http.then(200, "", {{"date", date}});
  world.http.then(200);
  world.put();
  CHECK(world.http.asked()[0].header("x-amz-date") == base::compact(world.clock.now()));
  CHECK(world.http.asked()[1].header("x-amz-date") == "20261126T200000Z");
  world.put();
  CHECK(world.http.asked()[2].header("x-amz-date") == "20261126T200000Z");
  CHECK(world.client.store_time() == base::parse_iso("2026-11-26T20:00:00Z"));
  CHECK(world.clock.pauses().empty());

  World lost;
  lost.http.then(403, error_of("RequestTimeTooSkewed"), {{"date", date}});
  CHECK_THAT(lost.put_error(403, error_of("RequestTimeTooSkewed")), Catch::Contains("clock"));
  World silent;
  CHECK_THAT(silent.put_error(403, error_of("RequestTimeTooSkewed")), Catch::Contains("clock"));
}

TEST_CASE("a bucket in another region is asked there, with a signature for there", "[store][s3]") {
  World world(kAmazon);
  SECTION("by a redirect with a header") {
    world.http.then(301, "", {{"x-amz-bucket-region", "eu-west-1"}});
  }
  SECTION("by a redirect with a body") {
    world.http.then(301, error_of("PermanentRedirect",
                                  "<Endpoint>bucket.s3-eu-west-1.amazonaws.com</Endpoint>"
                                  "<Region>eu-west-1</Region>"));
  }
  SECTION("by a refusal of the signature") {
    world.http.then(400, error_of("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"));
  }
  world.http.then(200);
  world.http.then(200);
  world.put();
  world.put();
  for (const std::size_t i : {1U, 2U}) {
    const auto& asked = world.http.asked()[i];
    CHECK(asked.url == "https://bucket.s3.eu-west-1.amazonaws.com/k");
    CHECK_THAT(asked.header("Authorization"), Catch::Contains("/eu-west-1/s3/aws4_request"));
    CHECK(asked.body == "content");
  }
}

TEST_CASE("a new bucket is asked at the host that is told until its name is known", "[store][s3]") {
  World world(kAmazon);
  world.http.then(307, error_of("TemporaryRedirect"),
                  {{"location", "https://bucket.s3-eu-west-1.amazonaws.com/k?x"}});
  world.http.then(200);
  world.put();
  CHECK(world.http.asked()[1].url == "https://bucket.s3-eu-west-1.amazonaws.com/k");
}

TEST_CASE("a store cannot send rota to another provider or in circles", "[store][s3]") {
  World world(kAmazon);
  world.http.then(307, error_of("TemporaryRedirect"), {{"location", "https://bucket.evil.org/k"}});
  CHECK(kind_of([&] { world.put(); }) == ErrorKind::config);
  CHECK(world.http.asked().size() == 1);

  World circle(kAmazon);
  for (int i = 0; i < 3; ++i) {
    circle.http.then(301, "", {{"x-amz-bucket-region", i % 2 == 0 ? "eu-west-1" : "us-east-1"}});
  }
  circle.http.then(301, "", {{"x-amz-bucket-region", "us-east-1"}});
  CHECK_THAT(message_of([&] { circle.put(); }), Catch::Contains("s3.region"));
  CHECK(circle.http.asked().size() == 4);
}

TEST_CASE("an answer that is not good is asked for twice more", "[store][s3]") {
  World world;
  S3Call call;
  call.method = "GET";
  call.content = true;
  call.good = [](const store::HttpResponse& response) {
    return base::as_text(response.body) == "good";
  };
  world.http.then(200, "bad");
  world.http.then(200, "<Error><Code>InternalError</Code></Error>");  // a content like any other
  world.http.then(200, "good");
  CHECK(base::as_text(world.client.call(call).body) == "good");
  for (int i = 0; i < 3; ++i) world.http.then(200, "bad");
  CHECK(base::as_text(world.client.call(call).body) == "bad");
  CHECK(world.http.done());
}

}  // namespace rota::test
