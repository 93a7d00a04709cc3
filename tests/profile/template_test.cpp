#include "profile/template.h"

#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "profile/profile.h"
#include "support/files.h"

namespace rota::profile {

namespace {

using base::ErrorKind;

struct Scratch {
  test::TempDir dir;
  Places places{dir / "config", dir / "state", dir / "cache", dir / "run"};
  std::string file(const std::string& name) const { return places.config + "/main/" + name; }
};

NewProfile wanted(const std::string& source = "/") {
  return {.name = "main", .source = source, .target = "file:///srv/backup", .credentials = ""};
}

std::string complaint(ErrorKind kind, const Scratch& scratch, const NewProfile& profile) {
  try {
    create_profile(scratch.places, profile);
  } catch (const base::Error& error) {
    CHECK(error.kind() == kind);
    return error.what();
  }
  return "accepted";
}

unsigned mode(const std::string& path) {
  struct stat st {};
  REQUIRE(::stat(path.c_str(), &st) == 0);
  return st.st_mode & 07777;
}

std::vector<std::string> rules(const std::string& text) {
  std::vector<std::string> list;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    REQUIRE(end != std::string::npos);
    if (end > at && text[at] != '#') list.push_back(text.substr(at, end - at));
    CHECK(end - at <= 100);
    at = end + 1;
  }
  return list;
}

}  // namespace

TEST_CASE("a new profile loads with the reference settings", "[profile]") {
  const Scratch scratch;
  create_profile(scratch.places, wanted());
  CHECK(list_profiles(scratch.places) == std::vector<std::string>{"main"});
  const Profile profile = load_profile(scratch.places, "main");
  CHECK(profile.source == "/");
  CHECK(profile.target == "file:///srv/backup");
  CHECK(profile.credentials.empty());
  CHECK_FALSE(profile.one_file_system);
  CHECK(profile.exclude_caches);
  CHECK(profile.exclude_if_present.empty());
  CHECK(profile.max_age == base::Span{.years = 2});
  CHECK(profile.max_fulls_with_incrs == 2);
  CHECK(profile.max_full_age == base::Span{.months = 3});
  CHECK(profile.compression_level == 3);
}

TEST_CASE("a new profile shows the reference settings and explains every key", "[profile]") {
  const Scratch scratch;
  create_profile(scratch.places, wanted());
  const std::string text = test::read(scratch.file("profile.toml"));
  CHECK(rules(text) == std::vector<std::string>{"source = \"/\"", "target = \"file:///srv/backup\"",
                                                "max_age = \"2Y\"", "max_fulls_with_incrs = 2",
                                                "max_full_age = \"3M\""});
  for (const char* line :
       {"\n#credentials = ", "\n#one_file_system = false\n", "\n#exclude_caches = true\n",
        "\n#exclude_if_present = []\n", "\n#compression_level = 3\n"}) {
    CHECK_THAT(text, Catch::Contains(line));
  }
}

TEST_CASE("the files of a new profile are for its owner alone", "[profile]") {
  const Scratch scratch;
  create_profile(scratch.places, wanted());
  CHECK(mode(scratch.places.config + "/main") == 0700);
  CHECK(mode(scratch.file("profile.toml")) == 0600);
  CHECK(mode(scratch.file("exclude")) == 0600);
  CHECK(std::distance(std::filesystem::directory_iterator(scratch.places.config + "/main"), {}) ==
        2);
}

TEST_CASE("a new profile of the whole server has the default excludes", "[profile]") {
  const Scratch scratch;
  create_profile(scratch.places, wanted());
  const std::string text = load_profile(scratch.places, "main").exclude_text;
  CHECK(rules(text) == std::vector<std::string>{"- /dev",
                                                "- /proc",
                                                "- /sys",
                                                "- /run",
                                                "- /var/lock",
                                                "- /var/run",
                                                "- /lost+found",
                                                "- /boot",
                                                "- /tmp",
                                                "- /var/tmp",
                                                "- /media",
                                                "- /mnt",
                                                "- /var/cache",
                                                "- /var/crash",
                                                "- /var/swap",
                                                "- /var/swapfile",
                                                "- /var/swap.img",
                                                "- /var/lib/mysql",
                                                "- /var/lib/postgresql",
                                                "- /var/lib/lxcfs"});
  CHECK_THAT(text, Catch::Contains("MUST BE DUMPED"));
}

TEST_CASE("no default exclude leaves out the source itself", "[profile]") {
  const Scratch scratch;
  const std::string source = GENERATE("/var/tmp/demo", "/var/tmp", "/var/tmp/");
  create_profile(scratch.places, wanted(source));
  const std::string text = test::read(scratch.file("exclude"));
  const std::vector<std::string> list = rules(text);
  CHECK(list.size() == 19);
  CHECK(std::ranges::find(list, "- /var/tmp") == list.end());
  CHECK(std::ranges::find(list, "- /tmp") != list.end());
  CHECK_THAT(text, Catch::Contains("# (not /var/tmp: the source lies there)\n"));
}

TEST_CASE("a source that only looks like a default exclude keeps the rule", "[profile]") {
  const Scratch scratch;
  create_profile(scratch.places, wanted("/mnt2"));
  CHECK(rules(test::read(scratch.file("exclude"))).size() == 20);
}

TEST_CASE("any text comes back from a new profile as it was given", "[profile]") {
  const Scratch scratch;
  NewProfile odd = wanted("//srv/a \"b\" \\n 'c' \n \t \x1b \x7f # \xc3\xa4/");
  odd.target = "sftp://h/\"\\x\"";
  odd.credentials = "/etc/\\rota//\"key\"";
  create_profile(scratch.places, odd);
  const Profile profile = load_profile(scratch.places, "main");
  CHECK(profile.source == "/srv/a \"b\" \\n 'c' \n \t \x1b \x7f # \xc3\xa4");
  CHECK(profile.target == "sftp://h/\"\\x\"");
  CHECK(profile.credentials == "/etc/\\rota/\"key\"");
}

TEST_CASE("a path that TOML cannot hold is a usage error", "[profile]") {
  const Scratch scratch;
  CHECK(complaint(ErrorKind::usage, scratch, wanted("/srv/\xff")) ==
        "the source \"/srv/\\xff\" is not UTF-8, which is all that profile.toml can hold; use a "
        "symlink with another name");
  CHECK_FALSE(base::exists(scratch.places.config));
}

TEST_CASE("what cannot be a profile is a usage error and writes nothing", "[profile]") {
  const Scratch scratch;
  NewProfile profile = wanted("srv");
  CHECK(complaint(ErrorKind::usage, scratch, profile) ==
        "the source is \"srv\"; it must be an absolute path without \"..\"");
  profile = wanted();
  profile.credentials = "key";
  CHECK(complaint(ErrorKind::usage, scratch, profile) ==
        "the credentials file is \"key\"; it must be an absolute path without \"..\"");
  profile = wanted();
  profile.target = "";
  CHECK(complaint(ErrorKind::usage, scratch, profile) ==
        "the new profile has no target; name one, such as file:///srv/backup");
  CHECK(complaint(ErrorKind::usage, scratch, wanted("/srv/backup/")) ==
        "the target is the source itself, /srv/backup; a backup needs a place of its own");
  profile = wanted();
  profile.name = "../x";
  CHECK_THAT(complaint(ErrorKind::usage, scratch, profile),
             Catch::StartsWith("\"../x\" cannot name a profile"));
  CHECK_FALSE(base::exists(scratch.places.config));
}

TEST_CASE("an existing profile is never overwritten", "[profile]") {
  const Scratch scratch;
  test::write(scratch.file("profile.toml"), "mine");
  CHECK(complaint(ErrorKind::refused, scratch, wanted()) ==
        "the profile \"main\" exists already; edit " + scratch.file("profile.toml") +
            ", or remove the directory " + scratch.places.config + "/main to start afresh");
  CHECK(test::read(scratch.file("profile.toml")) == "mine");
  CHECK_FALSE(base::exists(scratch.file("exclude")));
  CHECK(base::exit_code(ErrorKind::refused) == 5);
}

TEST_CASE("somebody's exclude list is never overwritten", "[profile]") {
  const Scratch scratch;
  test::write(scratch.file("exclude"), "- /mine\n");
  CHECK(complaint(ErrorKind::refused, scratch, wanted()) ==
        scratch.file("exclude") +
            " exists already without a profile.toml beside it; move it away, run this again and "
            "then put it back");
  CHECK(test::read(scratch.file("exclude")) == "- /mine\n");
}

TEST_CASE("a profile whose making was interrupted can be made again", "[profile]") {
  const Scratch scratch;
  create_profile(scratch.places, wanted());
  std::filesystem::remove(scratch.file("profile.toml"));
  CHECK(list_profiles(scratch.places).empty());
  create_profile(scratch.places, wanted());
  CHECK(only_profile(scratch.places) == "main");
}

}  // namespace rota::profile
