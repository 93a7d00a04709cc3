#include "profile/settings.h"

#include <catch2/catch.hpp>
#include <set>

#include "base/error.h"

namespace rota::profile {

namespace {

Profile read(const std::string& text) {
  Profile profile;
  read_settings(text, "profile.toml", profile);
  return profile;
}

/// The message with which `text` is refused.
std::string complaint(const std::string& text) {
  try {
    read(text);
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::config);
    return error.what();
  }
  return "accepted";
}

/// The same for one line in an otherwise good profile, where it stands in line 2.
Profile read_with(const std::string& line) {
  Profile profile;
  read_settings("target = \"/b\"\n" + line, "profile.toml", profile);
  return profile;
}

std::string complaint_of(const std::string& line) { return complaint("target = \"/b\"\n" + line); }

}  // namespace

TEST_CASE("a profile that names only a target has the reference settings", "[profile]") {
  const Profile profile = read("target = \"file:///srv/backup\"\n");
  CHECK(profile.source == "/");
  CHECK(profile.target == "file:///srv/backup");
  CHECK(profile.credentials.empty());
  CHECK(profile.encrypt_to.empty());
  CHECK(profile.key.empty());
  CHECK_FALSE(profile.one_file_system);
  CHECK(profile.exclude_caches);
  CHECK(profile.exclude_if_present.empty());
  CHECK(profile.max_age == base::Span{.years = 2});
  CHECK(profile.max_fulls_with_incrs == 2);
  CHECK(profile.max_full_age == base::Span{.months = 3});
  CHECK(profile.compression_level == 3);
}

TEST_CASE("every key of a profile is read", "[profile]") {
  const Profile profile = read(R"(
source = "//srv/data/"
target = "b2:bucket/prefix"
credentials = "/etc/rota/b2"
encrypt_to = ["rota-pub-1-abc", "rota-lock-1-def"]
key = "/root//rota.key"
one_file_system = true
exclude_caches = false
exclude_if_present = [".nobackup", "b"]
canaries = ["/srv//data/canary"]
max_age = "1Y6M"
max_fulls_with_incrs = 4
max_full_age = "10D"
compression_level = 19
rate = "10M"
b2.api_url = "http://127.0.0.1:8080/"
[s3]
endpoint = "https://s3.example.org"
region = "eu-central-1"
path_style = true
[sftp]
known_hosts = "/etc/rota/known_hosts"
[cost]
currency = "EUR"
as_of = "2026-11-01"
storage_gb_month = 0.005
free_storage_gb = 0
download_gb = 1
free_download = 2.5
class_b_10000 = 0.004
class_c_1000 = 0.04
kept_after_purge = 30
drills = 1
disk_copies = 6
)");
  CHECK(profile.cost.currency == "EUR");
  CHECK(profile.cost.as_of == "2026-11-01");
  CHECK(profile.cost.storage_gb_month == 0.005);
  CHECK(profile.cost.free_storage_gb == 0);
  CHECK(profile.cost.download_gb == 1);
  CHECK(profile.cost.free_download == 2.5);
  CHECK(profile.cost.class_b_10000 == 0.004);
  CHECK(profile.cost.class_c_1000 == 0.04);
  CHECK(profile.cost.kept_after_purge == 30);
  CHECK(profile.cost.drills == 1);
  CHECK(profile.cost.disk_copies == 6);
  CHECK(profile.source == "/srv/data");
  CHECK(profile.target == "b2:bucket/prefix");
  CHECK(profile.credentials == "/etc/rota/b2");
  CHECK(profile.encrypt_to == std::vector<std::string>{"rota-pub-1-abc", "rota-lock-1-def"});
  CHECK(profile.key == "/root/rota.key");
  CHECK(profile.one_file_system);
  CHECK_FALSE(profile.exclude_caches);
  CHECK(profile.exclude_if_present == std::vector<std::string>{".nobackup", "b"});
  CHECK(profile.canaries == std::vector<std::string>{"/srv/data/canary"});
  CHECK(profile.max_age == base::Span{.years = 1, .months = 6});
  CHECK(profile.max_fulls_with_incrs == 4);
  CHECK(profile.max_full_age == base::Span{.days = 10});
  CHECK(profile.compression_level == 19);
  CHECK(profile.rate == 10'000'000);
  CHECK(profile.b2.api_url == "http://127.0.0.1:8080");
  CHECK(profile.s3.endpoint == "https://s3.example.org");
  CHECK(profile.s3.region == "eu-central-1");
  CHECK(profile.s3.path_style == true);
  CHECK(profile.sftp.known_hosts == "/etc/rota/known_hosts");
}

TEST_CASE("credentials are a path or the name of a systemd credential", "[profile]") {
  CHECK(read("target = \"/b\"\ncredentials = \"rota-b2\"").credentials == "rota-b2");
  for (const std::string bad : {"", "a/b", "../b2", ".", ".b2", "a b"}) {
    CHECK_THAT(complaint_of("credentials = \"" + bad + "\""),
               Catch::StartsWith("profile.toml:2: credentials is \"" + bad + "\"; it must be"));
  }
}

TEST_CASE("a rate is bytes a second in decimal units", "[profile]") {
  for (const auto& [text, bytes] : std::vector<std::pair<std::string, std::uint64_t>>{
           {"10K", 10'000}, {"123456", 123'456}, {"2M", 2'000'000}, {"1000G", 1'000'000'000'000}}) {
    CHECK(read("target = \"/b\"\nrate = \"" + text + "\"").rate == bytes);
  }
  for (const std::string bad :
       {"", "M", "10k", "10MB", "1.5M", "-1M", "10 M", "99999999999999999999", "9K", "0", "1001G",
        "18446744073709551615G"}) {
    CHECK_THAT(complaint_of("rate = \"" + bad + "\""),
               Catch::StartsWith("profile.toml:2: rate is \"" + bad + "\"; "));
  }
  CHECK_THAT(complaint_of("rate = 10"), Catch::Contains("is a whole number; it must be text"));
}

TEST_CASE("a price is a number that money can be", "[profile]") {
  for (const std::string bad : {"-0.1", "nan", "inf", "1e10"}) {
    CHECK_THAT(complaint_of("cost.download_gb = " + bad),
               Catch::StartsWith("profile.toml:2: cost.download_gb is ") &&
                   Catch::Contains("a number from 0 to 1000000000"));
  }
  CHECK_THAT(complaint_of("cost.download_gb = \"1\""),
             Catch::Contains("is text; it must be a num"));
  CHECK_THAT(complaint_of("cost.currency = \"\""), Catch::Contains("1 to 20 printable"));
}

TEST_CASE("an address in a profile has a scheme and no password", "[profile]") {
  for (const std::string bad : {"", "api.example", "ftp://host", "https://", "https:///",
                                "https://a b", "https://host/?x=1", "https://h\xc3\xa4"}) {
    CHECK_THAT(complaint_of("b2.api_url = \"" + bad + "\""),
               Catch::Contains("it must be an address such as"));
  }
  CHECK_THAT(complaint_of("s3.endpoint = \"https://anna:hunter2@host\""),
             Catch::Contains("without a password") && !Catch::Contains("hunter2"));
}

TEST_CASE("keys in tables are reported with their line and what belongs there", "[profile]") {
  CHECK(complaint_of("[b2]\n\napi_ur = \"x\"") ==
        "profile.toml:4: unknown key \"b2.api_ur\"; did you mean \"b2.api_url\"?");
  CHECK(complaint_of("[s3]\nmax_age = \"1Y\"") ==
        "profile.toml:3: unknown key \"s3.max_age\"; \"max_age\" belongs to the top level, above "
        "the first line in [brackets]");
  CHECK_THAT(complaint_of("b2 = 1"), Catch::StartsWith("profile.toml:2: unknown key \"b2\""));
  CHECK_THAT(complaint_of("[b2.x]\ny = 1"), Catch::StartsWith("profile.toml:2: unknown table"));
}

TEST_CASE("the values that settings show are good values", "[profile]") {
  std::string text;
  std::set<std::string_view> keys;
  for (const Setting& setting : settings()) {
    text += std::string(setting.key) + " = " + std::string(setting.value) + "\n";
    keys.insert(setting.key);
    CHECK_FALSE(setting.meaning.empty());
  }
  CHECK(keys.size() == settings().size());
  CHECK_NOTHROW(read(text));
}

TEST_CASE("an unknown key is reported with its line and the nearest key", "[profile]") {
  CHECK(complaint("# a comment\n\ntarget = \"/b\"\nmax_ful_age = \"3M\"\n") ==
        "profile.toml:4: unknown key \"max_ful_age\"; did you mean \"max_full_age\"?");
}

TEST_CASE("the lock is so many days long, in one of two modes", "[profile]") {
  CHECK(read_with("").lock_days == 0);
  CHECK_FALSE(read_with("lock_days = 30").lock_compliance);
  CHECK(read_with("lock_days = 30\nlock_mode = \"compliance\"").lock_compliance);
  CHECK(complaint_of("lock_days = 4000").find("0 to 3650") != std::string::npos);
  CHECK(complaint_of("lock_mode = \"forever\"").find("governance") != std::string::npos);
}

TEST_CASE("an unknown key that is near to none is reported with all keys", "[profile]") {
  CHECK(complaint_of("colour = 1") ==
        "profile.toml:2: unknown key \"colour\"; the keys are source, target, credentials, "
        "encrypt_to, key, max_age, max_fulls_with_incrs, max_full_age, lock_days, lock_mode, "
        "one_file_system, "
        "exclude_caches, exclude_if_present, canaries, "
        "compression_level, rate, b2.api_url, s3.endpoint, s3.region, s3.path_style, "
        "sftp.known_hosts, drill.scratch, drill.check, drill.check_timeout, "
        "cost.currency, cost.as_of, cost.storage_gb_month, cost.free_storage_gb, "
        "cost.download_gb, cost.free_download, cost.class_b_10000, cost.class_c_1000, "
        "cost.kept_after_purge, cost.drills, cost.disk_copies");
}

TEST_CASE("control characters of a file do not reach the terminal", "[profile]") {
  CHECK_THAT(complaint_of(R"("a\u001bb" = 1)"),
             Catch::StartsWith(R"(profile.toml:2: unknown key "a\x1bb"; )"));
  CHECK_THAT(complaint_of(R"(source = "\u001b[2J")"),
             Catch::StartsWith(R"(profile.toml:2: source is "\x1b[2J"; )"));
}

TEST_CASE("the first thing that is wrong is the one that is reported", "[profile]") {
  CHECK_THAT(complaint("zzzz = 1\naaaa = 1\n"), Catch::StartsWith("profile.toml:1: unknown key"));
}

TEST_CASE("an unknown table is reported with those that there are", "[profile]") {
  const std::string expected =
      "profile.toml:2: unknown table \"keep\"; the tables are b2, s3, sftp, drill, cost, "
      "all other keys stand at the top level, above them";
  CHECK(complaint_of("[keep]\nmax_age = \"2Y\"") == expected);
  CHECK(complaint_of("keep.max_age = \"2Y\"") == expected);
  CHECK(complaint_of("[[keep]]") == expected);
}

TEST_CASE("a drill restores to a place of its own and lets a program look", "[profile]") {
  const Profile plain = read_with("");
  CHECK(plain.drill.scratch == "/var/tmp");
  CHECK(plain.drill.check.empty());
  CHECK(plain.drill.check_timeout == std::chrono::hours(1));
  const Profile profile = read_with(
      "[drill]\nscratch = \"/srv/drill/\"\ncheck = \"/etc/rota/check\"\ncheck_timeout = \"90m\"");
  CHECK(profile.drill.scratch == "/srv/drill");
  CHECK(profile.drill.check == "/etc/rota/check");
  CHECK(profile.drill.check_timeout == std::chrono::minutes(90));
  CHECK_THAT(complaint_of("drill.check = \"check\""), Catch::Contains("absolute path"));
  CHECK_THAT(complaint_of("drill.check_timeout = \"1D\""), Catch::Contains("hours, minutes"));
  CHECK_THAT(complaint_of("drill.check_timeout = \"169h\""), Catch::Contains("168h"));
}

TEST_CASE("recipients are a list of texts", "[profile]") {
  CHECK(complaint_of("encrypt_to = \"rota-pub-1-abc\"") ==
        "profile.toml:2: encrypt_to is text; it must be a list such as [\"rota-pub-1-...\"]");
  CHECK(complaint_of("encrypt_to = [\"rota-pub-1-abc\",\n 3]") ==
        "profile.toml:3: encrypt_to is a whole number; it must be text in double quotes");
  CHECK(complaint_of("encrypt_to = [\"\"]") == "profile.toml:2: encrypt_to holds an empty text");
  CHECK(read("target = \"/b\"\nencrypt_to = []").encrypt_to.empty());
  CHECK_THAT(complaint_of("key = \"rota.key\""), Catch::Contains("absolute path"));
}

TEST_CASE("a value of the wrong type is reported with what it must be", "[profile]") {
  CHECK(complaint_of("one_file_system = \"yes\"") ==
        "profile.toml:2: one_file_system is text; it must be true or false");
  CHECK(complaint_of("\nmax_fulls_with_incrs = \"2\"") ==
        "profile.toml:3: max_fulls_with_incrs is text; it must be a whole number from 1 to 10000");
  CHECK(complaint_of("compression_level = 3.0") ==
        "profile.toml:2: compression_level is a number with a fraction; it must be a whole number "
        "from 1 to 19");
  CHECK(complaint_of("source = 2026-01-04") ==
        "profile.toml:2: source is a date or time; it must be text in double quotes");
  CHECK(complaint_of("source = true") ==
        "profile.toml:2: source is true or false; it must be text in double quotes");
  CHECK(complaint_of("credentials = [\"/a\"]") ==
        "profile.toml:2: credentials is a list; it must be text in double quotes");
  CHECK(complaint_of("max_age = 2") ==
        "profile.toml:2: max_age is a whole number; it must be a span of time in double quotes: "
        "write for example \"10D\", \"3M\" or \"2Y\"");
  CHECK(complaint_of("exclude_if_present = \".nobackup\"") ==
        "profile.toml:2: exclude_if_present is text; it must be a list such as [\".nobackup\"]");
  CHECK(complaint_of("exclude_if_present = [\".a\",\n3]") ==
        "profile.toml:3: exclude_if_present is a whole number; it must be text in double quotes");
  CHECK(complaint_of("[max_age]") ==
        "profile.toml:2: max_age is a table; it must be a span of time in double quotes: write for "
        "example \"10D\", \"3M\" or \"2Y\"");
}

TEST_CASE("a number out of range is reported with the range", "[profile]") {
  CHECK(complaint_of("compression_level = 20") ==
        "profile.toml:2: compression_level is 20; it must be a whole number from 1 to 19");
  CHECK(complaint_of("compression_level = 0") ==
        "profile.toml:2: compression_level is 0; it must be a whole number from 1 to 19");
  CHECK(complaint_of("max_fulls_with_incrs = 0") ==
        "profile.toml:2: max_fulls_with_incrs is 0; it must be a whole number from 1 to 10000");
  CHECK(complaint_of("max_fulls_with_incrs = 4294967298") ==
        "profile.toml:2: max_fulls_with_incrs is 4294967298; it must be a whole number from 1 to "
        "10000");
}

TEST_CASE("a span that is none, empty or endless is reported", "[profile]") {
  CHECK(complaint_of("max_age = \"2Q\"") ==
        "profile.toml:2: max_age is \"2Q\", which is no span of time; write for example \"10D\", "
        "\"3M\" or \"2Y\"");
  CHECK(
      complaint_of("max_full_age = \"\"") ==
      "profile.toml:2: max_full_age is \"\", which is no span of time; write for example \"10D\", "
      "\"3M\" or \"2Y\"");
  CHECK(complaint_of("max_age = \"0D\"") ==
        "profile.toml:2: max_age is \"0D\"; it must be longer than nothing: write for example "
        "\"10D\", \"3M\" or \"2Y\"");
  CHECK(complaint_of("max_age = \"1001Y\"") ==
        "profile.toml:2: max_age is \"1001Y\"; it must be at most a thousand years");
}

TEST_CASE("a path that is not absolute is reported", "[profile]") {
  CHECK(complaint_of("source = \"srv\"") ==
        "profile.toml:2: source is \"srv\"; it must be an absolute path without \"..\"");
  CHECK(complaint_of("source = \"/srv/../etc\"") ==
        "profile.toml:2: source is \"/srv/../etc\"; it must be an absolute path without \"..\"");
  CHECK(complaint_of("key = \"\"") ==
        "profile.toml:2: key is \"\"; it must be an absolute path without \"..\"");
}

TEST_CASE("a marker file with a directory in its name is reported", "[profile]") {
  const std::string bad = GENERATE("", ".", "..", "a/b", "/a");
  CHECK(complaint_of("exclude_if_present = [\"" + bad + "\"]") ==
        "profile.toml:2: exclude_if_present holds \"" + bad +
            "\"; it must hold names of files without a directory");
}

TEST_CASE("a profile without a target says which line to add", "[profile]") {
  CHECK(complaint("source = \"/srv\"\n") ==
        "profile.toml: target is missing; add a line such as target = \"file:///srv/backup\"");
  CHECK(complaint("") ==
        "profile.toml: target is missing; add a line such as target = \"file:///srv/backup\"");
  CHECK(complaint("\ntarget = \"\"\n") ==
        "profile.toml:2: target is empty; write for example target = \"file:///srv/backup\"");
}

TEST_CASE("a target that is the source is reported", "[profile]") {
  CHECK(complaint("target = \"file:///srv/\"\nsource = \"/srv\"") ==
        "profile.toml:1: target is the source itself, /srv; a backup needs a place of its own");
}

TEST_CASE("what is not TOML is reported with its line and the reason", "[profile]") {
  CHECK(complaint_of("source = /srv\n") ==
        "profile.toml:2: this is not valid TOML: error while parsing value: could not determine "
        "value type; text and spans of time stand in double quotes");
  CHECK(complaint_of("max_age = 2Y\n") ==
        "profile.toml:2: this is not valid TOML: error while parsing decimal integer: expected "
        "digit, saw 'Y'; text and spans of time stand in double quotes");
  CHECK(complaint_of("target = \"/c\"\n") ==
        "profile.toml:2: this is not valid TOML: error while parsing key-value pair: cannot "
        "redefine existing string 'target'");
  CHECK(complaint_of("source\n") ==
        "profile.toml:2: this is not valid TOML: error while parsing key-value pair: expected '=', "
        "saw '\\n'");
  CHECK(complaint_of("# \xff\n") ==
        "profile.toml:2: this is not valid TOML: encountered invalid utf-8 sequence");
}

}  // namespace rota::profile
