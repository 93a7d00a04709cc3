#include "profile/profile.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.h"
#include "support/files.h"
#include "support/skip.h"

namespace rota::profile {

namespace {

using base::ErrorKind;
using test::write;

/// Places in a scratch directory, without any profile.
struct Scratch {
  test::TempDir dir;
  Places places{dir / "config", dir / "state", dir / "cache", dir / "run"};

  std::string file(const std::string& name) const { return places.config + "/main/" + name; }
  void make_main() const {
    write(file("profile.toml"), "target = \"file:///srv/backup\"\n");
    ::chmod((places.config + "/main").c_str(), 0700);
  }
  void make_program(const std::string& name, unsigned mode = 0700) const {
    write(file(name), "#!/bin/sh\n");
    ::chmod(file(name).c_str(), mode);
  }
};

template <typename Action>
std::string complaint(ErrorKind kind, Action action) {
  try {
    action();
  } catch (const base::Error& error) {
    CHECK(error.kind() == kind);
    return error.what();
  }
  return "accepted";
}

std::string complaint_of_main(const Scratch& scratch) {
  return complaint(ErrorKind::config, [&] { load_profile(scratch.places, "main"); });
}

}  // namespace

TEST_CASE("profile names are made of letters, digits, dots, hyphens and underscores", "[profile]") {
  CHECK_NOTHROW(check_profile_name("main"));
  CHECK_NOTHROW(check_profile_name("0"));
  CHECK_NOTHROW(check_profile_name("Web_1.example-com"));
  CHECK_NOTHROW(check_profile_name(std::string(64, 'a')));
  const std::string bad =
      GENERATE(std::string(), std::string("."), std::string(".."), std::string(".a"),
               std::string("-a"), std::string("_a"), std::string("a/b"), std::string("a b"),
               std::string("\xc3\xa4"), std::string("a\0", 2), std::string(65, 'a'));
  CHECK(complaint(ErrorKind::usage, [&] { check_profile_name(bad); }) != "accepted");
  CHECK(complaint(ErrorKind::usage, [] { check_profile_name("a/b"); }) ==
        "\"a/b\" cannot name a profile: a name has 1 to 64 of the characters A-Z a-z 0-9 . _ - and "
        "starts with a letter or a digit");
}

TEST_CASE("no profile takes the directory of the disk keys", "[profile]") {
  CHECK(complaint(ErrorKind::usage, [] { check_profile_name("keys"); }) ==
        "\"keys\" cannot name a profile: the directory of that name holds the disk keys");
}

TEST_CASE("profiles are the directories that hold a profile.toml", "[profile]") {
  const Scratch scratch;
  const std::string& config = scratch.places.config;
  CHECK(list_profiles(scratch.places).empty());
  write(config + "/web/profile.toml", "");
  write(config + "/db/profile.toml", "");
  write(config + "/unfinished/exclude", "");
  write(config + "/keys/profile.toml", "");
  write(config + "/.hidden/profile.toml", "");
  write(config + "/file", "");
  std::filesystem::create_directories(config + "/odd/profile.toml");
  std::filesystem::create_directory_symlink("web", config + "/alias");
  CHECK(list_profiles(scratch.places) == std::vector<std::string>{"alias", "db", "web"});
}

TEST_CASE("the only profile needs no name", "[profile]") {
  const Scratch scratch;
  CHECK(complaint(ErrorKind::config, [&] { only_profile(scratch.places); }) ==
        "no profile yet: run `rota init` to make one in " + scratch.places.config);
  scratch.make_main();
  CHECK(only_profile(scratch.places) == "main");
  write(scratch.places.config + "/db/profile.toml", "");
  CHECK(complaint(ErrorKind::usage, [&] { only_profile(scratch.places); }) ==
        "there are 2 profiles: db, main; say which one is meant");
}

TEST_CASE("a profile is loaded with the files beside it", "[profile]") {
  const Scratch scratch;
  scratch.make_main();
  Profile profile = load_profile(scratch.places, "main");
  CHECK(profile.name == "main");
  CHECK(profile.directory == scratch.places.config + "/main");
  CHECK(profile.target == "file:///srv/backup");
  CHECK(profile.exclude_path == scratch.file("exclude"));
  CHECK(profile.exclude_text.empty());
  CHECK(profile.pre.empty());
  CHECK(profile.post.empty());

  write(scratch.file("exclude"), "- /tmp\n- /a\xff\n");
  scratch.make_program("pre");
  scratch.make_program("post", 0755);
  profile = load_profile(scratch.places, "main");
  CHECK(profile.exclude_text == "- /tmp\n- /a\xff\n");
  CHECK(profile.pre == scratch.file("pre"));
  CHECK(profile.post == scratch.file("post"));
}

TEST_CASE("an error in a profile names its file and line", "[profile]") {
  const Scratch scratch;
  write(scratch.file("profile.toml"), "target = \"/b\"\n\nmax_ful_age = \"3M\"\n");
  CHECK(complaint_of_main(scratch) ==
        scratch.file("profile.toml") +
            ":3: unknown key \"max_ful_age\"; did you mean \"max_full_age\"?");
}

TEST_CASE("a profile that is not there is reported with those that are", "[profile]") {
  const Scratch scratch;
  const std::string missing =
      "there is no profile \"main\": no file " + scratch.file("profile.toml");
  CHECK(complaint_of_main(scratch) == missing + "; run `rota init` to make it");
  write(scratch.places.config + "/web/profile.toml", "");
  write(scratch.places.config + "/db/profile.toml", "");
  CHECK(complaint_of_main(scratch) == missing + "; there are: db, web");
  write(scratch.places.config + "/main2/profile.toml", "");
  CHECK(complaint_of_main(scratch) == missing + "; did you mean \"main2\"?");
}

TEST_CASE("a name that leads out of the directory is never opened", "[profile]") {
  const Scratch scratch;
  scratch.make_main();
  CHECK_THAT(complaint(ErrorKind::usage, [&] { load_profile(scratch.places, "../config/main"); }),
             Catch::StartsWith("\"../config/main\" cannot name a profile"));
}

TEST_CASE("a profile that is too large to be one is a configuration error", "[profile]") {
  const Scratch scratch;
  write(scratch.file("profile.toml"), std::string(5 << 20, '#'));
  CHECK_THAT(complaint_of_main(scratch), Catch::Contains("is larger than"));
}

TEST_CASE("a hook that is not executable is reported with the cure", "[profile]") {
  const Scratch scratch;
  const std::string hook = GENERATE("pre", "post");
  scratch.make_main();
  scratch.make_program(hook, 0600);
  const std::string path = scratch.file(hook);
  CHECK(complaint_of_main(scratch) == path + " is not executable; run `chmod +x '" + path +
                                          "'`, or remove it if it should not run");
}

TEST_CASE("a hook that others can write is refused", "[profile]") {
  const Scratch scratch;
  const unsigned mode = GENERATE(0720U, 0702U, 0777U);
  scratch.make_main();
  scratch.make_program("pre", mode);
  const std::string path = scratch.file("pre");
  CHECK(complaint_of_main(scratch) ==
        path +
            " can be written by others than its owner, who could change what rota runs; run "
            "`chmod go-w '" +
            path + "'` if you trust it");
}

TEST_CASE("a hook in a directory that others can write is refused", "[profile]") {
  const Scratch scratch;
  scratch.make_main();
  scratch.make_program("pre");
  ::chmod((scratch.places.config + "/main").c_str(), 0777);
  CHECK_THAT(
      complaint_of_main(scratch),
      Catch::StartsWith(scratch.places.config + "/main can be written by others than its owner"));
}

TEST_CASE("a hook of another user is refused", "[profile]") {
  if (::geteuid() != 0) return test::skip("needs root to give a file away");
  const Scratch scratch;
  scratch.make_main();
  scratch.make_program("pre");
  const std::string path = scratch.file("pre");
  REQUIRE(::chown(path.c_str(), 12345, 0) == 0);
  CHECK(complaint_of_main(scratch) ==
        path +
            " belongs to another user (uid 12345), who could change what rota runs; run `chown "
            "root '" +
            path + "'` if you trust it");
}

TEST_CASE("a hook behind a symlink is judged by what it leads to", "[profile]") {
  const Scratch scratch;
  scratch.make_main();
  std::filesystem::create_symlink(scratch.dir / "script", scratch.file("pre"));
  CHECK(complaint_of_main(scratch) ==
        scratch.file("pre") + " is a symlink to something that does not exist; mend or remove it");
  write(scratch.dir / "script", "#!/bin/sh\n");
  ::chmod((scratch.dir / "script").c_str(), 0722);
  CHECK_THAT(complaint_of_main(scratch), Catch::Contains("can be written by others"));
  ::chmod((scratch.dir / "script").c_str(), 0700);
  CHECK(load_profile(scratch.places, "main").pre == scratch.file("pre"));
}

TEST_CASE("a directory is no hook", "[profile]") {
  const Scratch scratch;
  scratch.make_main();
  std::filesystem::create_directory(scratch.file("post"));
  CHECK(complaint_of_main(scratch) ==
        scratch.file("post") + " must be a program or a script, but is no regular file");
}

TEST_CASE("local targets are directories, as a path or as a file URL", "[profile]") {
  CHECK(local_target("/srv/backup/") == "/srv/backup");
  CHECK(local_target("file:///srv/backup") == "/srv/backup");
  CHECK_FALSE(local_target("file://host/srv"));
  CHECK_FALSE(local_target("b2:bucket"));
  CHECK_FALSE(local_target("sftp://host/srv"));
}

TEST_CASE("rota's own files are left out of the backup of the whole server", "[profile]") {
  Profile profile;
  profile.target = "file:///srv/backup/";
  profile.credentials = "/etc/rota/main/credentials";
  profile.key = "/root/rota.key";
  const Places places{"/nowhere/config", "/nowhere/state", "/var/cache/rota", "/run/rota"};
  CHECK(implied_excludes(profile, places) ==
        std::vector<std::string>{"/etc/rota/main/credentials", "/nowhere/config/keys",
                                 "/root/rota.key", "/srv/backup", "/var/cache/rota"});
  profile.target = "b2:bucket";
  profile.key = "";
  profile.credentials = "";
  CHECK(implied_excludes(profile, places) ==
        std::vector<std::string>{"/nowhere/config/keys", "/var/cache/rota"});
}

TEST_CASE("what lies beside or above the source is not left out", "[profile]") {
  Profile profile;
  profile.source = "/srv/data";
  profile.target = "/srv";
  profile.credentials = "/srv/data/key";
  CHECK(implied_excludes(profile, {"/nowhere/config", "/nowhere/state", "/srv/data",
                                   "/run/rota"}) == std::vector<std::string>{"/srv/data/key"});
}

TEST_CASE("rota's own files are left out where they really lie", "[profile]") {
  const test::TempDir dir;
  const std::string top = std::filesystem::canonical(dir.path()).string();
  std::filesystem::create_directories(top + "/data/real/backup");
  std::filesystem::create_directory_symlink("real", top + "/data/link");
  std::filesystem::create_directory_symlink("data", top + "/source");
  const Places places{"/nowhere/config", "/nowhere/state", "/var/cache/rota", "/run/rota"};

  Profile profile;
  profile.source = top + "/data";
  profile.target = "file://" + top + "/data/link/backup";
  CHECK(implied_excludes(profile, places) ==
        std::vector<std::string>{top + "/data/link/backup", top + "/data/real/backup"});

  profile.source = top + "/source";  // named as the walk of the source will name it
  CHECK(implied_excludes(profile, places) == std::vector<std::string>{top + "/source/real/backup"});
}

TEST_CASE("the secrets of all profiles and disks are left out", "[profile]") {
  const test::TempDir dir;
  const std::string top = std::filesystem::canonical(dir.path()).string();
  const Places places{top + "/etc", top + "/state", top + "/cache", top + "/run"};
  const auto put = [&](const std::string& name, const std::string& text) {
    write(top + "/" + name, text);
  };
  put("etc/good/profile.toml",
      "credentials = \"" + top + "/b2\"\nkey = \"" + top + "/good.key\"\n");
  // Neither a wrong value nor what is no TOML puts its secrets into another's backup.
  put("etc/wrong/profile.toml", "max_age = \"soon\"\ncredentials = \"" + top + "/s3\"\n");
  put("etc/torn/profile.toml", "source = [\nkey = \"" + top + "/torn.key\"\n");
  put("etc/rotation.toml", "[set.main]\nkey_file = \"" + top + "/luks.key\"\nkeep = \"x\"\n");
  put("state/gone/journal", "{}");
  put("state/gone/journal.tmp-1-2", "{}");
  Profile profile;
  profile.source = top;
  profile.target = "b2:bucket";
  const std::vector<std::string> excludes = implied_excludes(profile, places);
  for (const char* name :
       {"/b2", "/good.key", "/s3", "/torn.key", "/luks.key", "/etc/keys", "/state/gone/journal",
        "/state/gone/journal.tmp-1-2", "/state/gone/resume", "/state/gone/resume.new", "/cache"}) {
    INFO(name);
    CHECK(std::ranges::find(excludes, top + name) != excludes.end());
  }
}

}  // namespace rota::profile
