// What an S3 store tells of its own protection, by a script; and what answers mean.
#include "store/s3_powers.h"

#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "base/kind_of.h"
#include "store/s3_store.h"
#include "support/quick_clock.h"
#include "support/scripted_http.h"

namespace rota::test {

namespace {

using base::ErrorKind;
using store::Removal;
using store::S3Setting;
using store::S3Settings;
using store::StorePowers;
using Answer = store::Right::Answer;

constexpr std::string_view kDenied = "<Error><Code>AccessDenied</Code></Error>";
constexpr std::string_view kEnabled =
    "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
constexpr std::string_view kNever = "<VersioningConfiguration/>";

struct Bucket {
  ScriptedHttp http;
  QuickClock clock{*base::parse_iso("2026-11-26T20:00:00Z")};
  store::S3Store store{{"bucket", "p/"},
                       store::s3_place("bucket", {.endpoint = "http://127.0.0.1:1"}),
                       {"id", "secret"},
                       std::make_unique<BorrowedHttp>(http),
                       clock};
  /// The last request, as "GET /p/x?a=b".
  std::string last() const {
    const auto& asked = http.asked().back();
    return asked.method + " " + asked.url.substr(std::string("http://127.0.0.1:1/bucket").size());
  }
};

S3Setting told(const std::string& xml) { return {S3Setting::Answer::told, xml}; }

std::string rule(const char* prefix, int noncurrent, int current = 0, bool enabled = true) {
  return fmt::format(
      "<Rule><Status>{}</Status><Filter><Prefix>{}</Prefix></Filter>{}{}</Rule>",
      enabled ? "Enabled" : "Disabled", prefix,
      noncurrent == 0 ? ""
                      : fmt::format("<NoncurrentVersionExpiration><NoncurrentDays>{}"
                                    "</NoncurrentDays></NoncurrentVersionExpiration>",
                                    noncurrent),
      current == 0 ? "" : fmt::format("<Expiration><Days>{}</Days></Expiration>", current));
}

StorePowers with_rules(const std::string& rules) {
  S3Settings settings;
  settings.lifecycle = told("<LifecycleConfiguration>" + rules + "</LifecycleConfiguration>");
  return store::s3_powers(settings, "p/");
}

}  // namespace

TEST_CASE("what an S3 store does not tell is unknown", "[store][s3]") {
  const StorePowers powers = store::s3_powers({}, "p/");
  CHECK(powers.keeps_versions == Answer::unknown);
  CHECK_FALSE(powers.rules_known);
  for (const store::Right& right :
       {powers.may_delete, powers.may_lift_locks, powers.may_make_keys, powers.may_change_rules,
        powers.may_change_locks, powers.locks}) {
    CHECK(right.answer == Answer::unknown);
  }
  CHECK(powers.may_overwrite.yes());
}

TEST_CASE("a bucket whose versioning was suspended keeps no further versions", "[store][s3]") {
  const auto keeps = [](const S3Setting& setting) {
    S3Settings settings;
    settings.versioning = setting;
    return store::s3_powers(settings, "p/").keeps_versions;
  };
  CHECK(keeps(told(std::string(kEnabled))) == Answer::yes);
  CHECK(keeps(told(std::string(kNever))) == Answer::no);
  CHECK(keeps(told(
            "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>")) ==
        Answer::no);
  CHECK(keeps({S3Setting::Answer::none}) == Answer::no);
  CHECK(keeps(told("<html/>")) == Answer::unknown);
}

TEST_CASE("of S3's rules, those that are on and touch our names count, the shortest wins",
          "[store][s3]") {
  CHECK(with_rules("").rules_known);
  CHECK_FALSE(with_rules("").hidden_deleted_after);
  CHECK(with_rules(rule("", 30) + rule("p/runs/", 7)).hidden_deleted_after == 7);
  CHECK(with_rules(rule("", 30) + rule("p2/", 7)).hidden_deleted_after == 30);
  CHECK(with_rules(rule("", 30) + rule("", 7, 0, false)).hidden_deleted_after == 30);
  CHECK(with_rules(rule("p/", 0, 90)).hidden_after == 90);
  CHECK_FALSE(with_rules(rule("p/", 0, 90)).hidden_deleted_after);
  S3Settings settings;
  settings.lifecycle = told("<html>a proxy</html>");
  CHECK_FALSE(store::s3_powers(settings, "p/").rules_known);
  settings.lifecycle = {S3Setting::Answer::none};
  CHECK(store::s3_powers(settings, "p/").rules_known);
}

TEST_CASE("an S3 bucket's lock and region are read", "[store][s3]") {
  S3Settings settings;
  settings.lock = told(
      "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>"
      "<DefaultRetention><Mode>COMPLIANCE</Mode><Days>90</Days></DefaultRetention></Rule>"
      "</ObjectLockConfiguration>");
  settings.location = told("<LocationConstraint>eu-central-1</LocationConstraint>");
  const StorePowers powers = store::s3_powers(settings, "p/");
  CHECK(powers.locks.yes());
  REQUIRE(powers.default_lock);
  CHECK(powers.default_lock->days == 90);
  CHECK(powers.default_lock->mode == store::ObjectLock::Mode::compliance);
  CHECK(powers.region == "eu-central-1");
  settings.lock = {S3Setting::Answer::none};
  CHECK(store::s3_powers(settings, "p/").locks.no());
}

TEST_CASE("whether an S3 key may delete is tried where nothing can be lost", "[store][s3]") {
  struct Case {
    const char* what;
    int status;  ///< of the question about versions
    std::string_view versioning;
    int deleted;  ///< the status of the trial
    const char* asked;
    Answer answer;
  };
  const std::string trial = "DELETE /p/.rota-doctor";
  for (const Case& one : {
           Case{"with versions, and may", 200, kEnabled, 204, "?versionId=null", Answer::yes},
           Case{"with versions, may not", 200, kEnabled, 403, "?versionId=null", Answer::no},
           Case{"with versions, not told", 200, kEnabled, 404, "?versionId=null", Answer::unknown},
           Case{"no such version", 200, kEnabled, 400, "?versionId=null", Answer::unknown},
           Case{"without versions, and may", 200, kNever, 204, "", Answer::yes},
           Case{"without versions, may not", 200, kNever, 403, "", Answer::no},
           Case{"versions unknown, may", 403, kDenied, 204, "?versionId=null", Answer::yes},
           Case{"versions unknown, a plain one may", 403, kDenied, 403, "?versionId=null",
                Answer::unknown},
       }) {
    INFO(one.what);
    Bucket bucket;
    bucket.http.then(one.status, one.versioning);
    for (int i = 0; i < 3; ++i) bucket.http.then(403, kDenied);
    const bool refused = one.deleted == 403;
    bucket.http.then(one.deleted,
                     refused ? kDenied
                     : one.deleted >= 400
                         ? std::string_view("<Error><Code>NoSuchVersion</Code></Error>")
                         : std::string_view(""));
    const StorePowers powers = bucket.store.inspect();
    CHECK(bucket.last() == trial + one.asked);
    CHECK(powers.may_delete.answer == one.answer);
    CHECK_FALSE(powers.rules_known);
    CHECK(powers.locks.answer == Answer::unknown);
    CHECK(bucket.http.done());
  }
}

TEST_CASE("a wrong key is no key without rights", "[store][s3]") {
  Bucket bucket;
  bucket.http.then(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>");
  CHECK(kind_of([&] { bucket.store.inspect(); }) == ErrorKind::refused);
  Bucket absent;
  absent.http.then(404, "<Error><Code>NoSuchBucket</Code></Error>");
  CHECK(kind_of([&] { absent.store.inspect(); }) == ErrorKind::config);
}

namespace {

std::string uploads(const std::string& rows, std::string_view next_key = "",
                    std::string_view next_id = "") {
  return fmt::format(
      "<ListMultipartUploadsResult><IsTruncated>{}</IsTruncated><NextKeyMarker>{}</NextKeyMarker>"
      "<NextUploadIdMarker>{}</NextUploadIdMarker>{}</ListMultipartUploadsResult>",
      !next_key.empty(), next_key, next_id, rows);
}

std::string upload(const char* key, const char* id) {
  return fmt::format(
      "<Upload><Key>{}</Key><UploadId>{}</UploadId><Initiated>2026-10-01T00:00:00.000Z</Initiated>"
      "</Upload>",
      key, id);
}

}  // namespace

TEST_CASE("unfinished uploads are listed page by page, and only our own", "[store][s3]") {
  Bucket bucket;
  bucket.http.then(200, uploads(upload("p/a", "1") + upload("p/", "2"), "p/a", "1"));
  bucket.http.then(200, uploads(upload("p/a", "3") + upload("q/a", "4")));
  const auto found = bucket.store.unfinished_uploads();
  REQUIRE(found.size() == 2);
  CHECK(found[0].id == "1");
  CHECK(found[1].id == "3");
  CHECK(found[0].since == *base::parse_iso("2026-10-01T00:00:00Z"));
  CHECK_THAT(bucket.last(),
             Catch::Contains("key-marker=p%2Fa") && Catch::Contains("upload-id-marker=1"));

  bucket.http.then(204);
  CHECK(bucket.store.cancel_upload(found[0]) == Removal::gone);
  CHECK(bucket.last() == "DELETE /p/a?uploadId=1");
  bucket.http.then(404, "<Error><Code>NoSuchUpload</Code></Error>");
  CHECK(bucket.store.cancel_upload(found[0]) == Removal::gone);
  bucket.http.then(403, kDenied);
  CHECK(bucket.store.cancel_upload(found[0]) == Removal::later);
}

TEST_CASE("uploads that cannot be seen are none, and a listing in circles ends", "[store][s3]") {
  for (const auto& [status, body] :
       {std::pair{403, kDenied},
        {501, std::string_view("<Error><Code>NotImplemented</Code></Error>")},
        {200, std::string_view("<html/>")}}) {
    Bucket bucket;
    bucket.http.then(status, body);
    CHECK(bucket.store.unfinished_uploads().empty());
  }
  Bucket circle;
  circle.http.then(200, uploads(upload("p/a", "1"), "p/a", "1"));
  circle.http.repeat_last();
  CHECK(circle.store.unfinished_uploads().size() == 2);
}

}  // namespace rota::test
