#include "recovery/plan.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/error.h"
#include "chain/key.h"
#include "chain/key_file.h"
#include "labels/sample.h"
#include "support/files.h"

using namespace rota;
using namespace rota::test;

namespace {

std::string whole(const recovery::Plan& plan) {
  std::string text = recovery::plan_text(plan);
  for (const recovery::PlanCode& code : plan.codes) text += code.caption + "\n" + code.text + "\n";
  return text;
}

}  // namespace

TEST_CASE("the plan says what is where, how to reach it, and how to come back", "[plan]") {
  const recovery::Installation here = sample_installation();
  const recovery::Plan plan = make_plan(here, {});
  CHECK_FALSE(plan.secret);
  CHECK(plan.codes.size() == 2);
  CHECK_THAT(plan.codes[0].text, Catch::Contains("store: b2://example-backup/web") &&
                                     Catch::Contains("key: rota-pub-1-abcd"));
  const std::string text = whole(plan);
  for (const char* part :
       {"RECOVERY PLAN OF web1", "2026-10-25", "rota 0.", "Jo Doe, +49 30 123456", "ROTA-B-7",
        "off site, bank", "b2://example-backup/mail", "/etc/rota/web/b2.key",
        "/etc/rota/keys/B.key",
        "rota restore --target b2://example-backup/web --credentials FILE --key KEYFILE",
        "rota restore --disk B --disk-key FILE --to /mnt/target", "cryptsetup open --readonly",
        "cp -a /mnt/rota", "sha256sum --check", "DATABASES", "pg_restore", "/etc/rota/web/pre",
        "[ ] ", "NOTES"}) {
    INFO(part);
    if (std::string(part).starts_with("RECOVERY")) {
      CHECK_THAT(plan.title, Catch::Contains("Recovery plan of web1"));
    } else {
      CHECK_THAT(text, Catch::Contains(part));
    }
  }
}

TEST_CASE("the plan says where an S3 store is, in words, in the command and in the code",
          "[plan]") {
  recovery::Installation here = sample_installation();
  profile::Profile& web = here.profiles[0];
  web.target = "s3://bucket/web";
  web.s3.endpoint = "https://s3.example.org";
  web.s3.region = "eu-7";
  web.s3.path_style = false;
  here.profiles[1].b2.api_url = "https://b2.example.org";
  here.profiles[1].s3.endpoint = "https://of.no.use";  // its target is b2://
  const recovery::Plan plan = make_plan(here, {});
  CHECK(plan.codes[0].text.starts_with(
      "rota plan\nserver: web\nstore: s3://bucket/web\nendpoint: https://s3.example.org\n"
      "region: eu-7\npath-style: false\nkey: "));
  CHECK_THAT(plan_text(plan),
             Catch::Contains("rota restore --target s3://bucket/web --endpoint "
                             "https://s3.example.org --region eu-7 --path-style false "
                             "--credentials FILE --key KEYFILE --to /mnt/target") &&
                 Catch::Contains("rota restore --target b2://example-backup/mail --endpoint "
                                 "https://b2.example.org --credentials FILE --to"));
  std::string flat = plan_text(plan);
  std::ranges::replace(flat, '\n', ' ');
  CHECK_THAT(flat,
             Catch::Contains("s3://bucket/web, endpoint https://s3.example.org, region eu-7"));
  CHECK_THAT(whole(plan), !Catch::Contains("of.no.use"));
}

TEST_CASE("the plan asks for a key file only where no passphrase opens the store", "[plan]") {
  recovery::Installation here = sample_installation();
  const chain::SecretKey key = chain::SecretKey::generate();
  here.profiles[0].encrypt_to = {chain::Recipient::locked(key, "correct horse", 10).text()};
  const std::string text = plan_text(make_plan(here, {}));
  CHECK_THAT(text, !Catch::Contains("KEYFILE") && Catch::Contains("Passphrase kept at") &&
                       Catch::Contains("rota asks for the passphrase where"));
  here.profiles[0].encrypt_to = {chain::Recipient(key).text()};
  CHECK_THAT(plan_text(make_plan(here, {})),
             Catch::Contains("--key KEYFILE") && Catch::Contains("Secret key kept at") &&
                 !Catch::Contains("rota asks for the passphrase where"));
}

TEST_CASE("the plan says how an encrypted disk opens where its server is gone", "[plan]") {
  const recovery::Installation here = sample_installation();
  std::string text = plan_text(make_plan(here, {}));
  std::ranges::replace(text, '\n', ' ');
  CHECK_THAT(text, Catch::Contains("rota restore --disk B --disk-key FILE --to /mnt/target") &&
                       Catch::Contains("without --disk-key rota asks for the passphrase"));
  CHECK_THAT(disk_plan_text(here, here.disks[2].disk), !Catch::Contains("disk-key"));
}

TEST_CASE("the plan says how long the last drill that passed took", "[plan]") {
  recovery::Installation here = sample_installation();
  CHECK_THAT(plan_text(make_plan(here, {})), !Catch::Contains("How long it takes"));
  rotation::DrillStatus& drill = here.status.rotation.drills.at(0);
  drill.last = some_drill(drill.server, "2026-10-12T10:00:00Z");
  drill.last->passed = false;
  CHECK_THAT(plan_text(make_plan(here, {})), !Catch::Contains("How long it takes"));
  drill.passed = some_drill(drill.server, "2026-10-11T10:00:00Z");
  drill.passed->source = ledger::DrillSource::disk;
  drill.passed->disk = "B";
  const auto said = [&] {
    std::string text = plan_text(make_plan(here, {}));
    std::ranges::replace(text, '\n', ' ');
    return text;
  };
  CHECK_THAT(said(), Catch::Contains("How long it takes: the last drill of web that passed, from "
                                     "disk B on 2026-10-11, restored 400 GB in 1 h 10 min."));
  drill.passed->sample = true;
  drill.passed->bytes = 40'000'000'000;
  CHECK_THAT(said(), Catch::Contains("restored a sample of 40 GB in 1 h 10 min; all of it is 400 "
                                     "GB and would take about 11 h 40 min."));
  CHECK_THAT(disk_plan_text(here, here.disks[2].disk), !Catch::Contains("How long it takes"));
}

TEST_CASE("lines of the plan are at most 79 columns but for commands and tables", "[plan]") {
  std::string text = plan_text(make_plan(sample_installation(), {}));
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    if (!line.starts_with("    ")) CHECK(line.size() <= 79);
    at = end + 1;
  }
}

TEST_CASE("a plan on a disk that is not encrypted tells nothing of the rest", "[plan]") {
  const recovery::Installation here = sample_installation();
  const std::string open = disk_plan_text(here, here.disks[2].disk);
  INFO(open);
  REQUIRE(here.disks[2].disk.luks_uuid.empty());
  for (const char* word : {"Jo", "bank", "+49", "b2://", "rota-pub", "Example Ltd", "ROTA-A",
                           "ROTA-B", "/etc/rota", "web1", "safe at"}) {
    CHECK_THAT(open, !Catch::Contains(word));
  }
  CHECK_THAT(open, Catch::Contains("rota restore --disk C") && Catch::Contains("cp -a") &&
                       Catch::Contains("2026-09-24T03:00:00Z") && Catch::Contains("LABEL=ROTA-C"));
  const std::string full = disk_plan_text(here, here.disks[1].disk);
  CHECK_THAT(full, Catch::Contains("bank") && Catch::Contains("b2://example-backup/web"));
}

TEST_CASE("the secret key stands in the plan only when it is asked for", "[plan]") {
  const TempDir dir;
  const chain::SecretKey key = chain::SecretKey::generate();
  chain::write_key_file(dir / "key", key);
  recovery::Installation here = sample_installation();
  here.profiles[0].encrypt_to = {chain::Recipient(key).text()};
  here.profiles[0].key = dir / "key";
  CHECK_THAT(whole(make_plan(here, {})),
             !Catch::Contains(key.text()) && !Catch::Contains("SECRET-KEY"));
  recovery::PlanOptions options;
  options.secret_keys = recovery::read_secret_keys(here, "");
  const recovery::Plan plan = make_plan(here, options);
  CHECK(plan.secret);
  CHECK_THAT(whole(plan), Catch::Contains(key.text()));
  CHECK(plan.codes.size() == 3);

  chain::write_key_file(dir / "other", chain::SecretKey::generate());
  CHECK_THROWS_WITH(recovery::read_secret_keys(here, dir / "other"),
                    Catch::Contains("no profile is encrypted for the key"));
  here.profiles[0].key.clear();
  CHECK_THROWS_WITH(recovery::read_secret_keys(here, ""), Catch::Contains("--key FILE"));
}
