#include "profile/credentials.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "support/files.h"
#include "support/skip.h"

namespace rota::profile {

namespace {

const char* no_environment(const char*) { return nullptr; }

constexpr const char* kGood = "key_id = \"0012ab\"\nkey = \"K001hunter2+/x\"\n";

struct Scratch {
  test::TempDir dir;
  std::string file = dir / "b2.toml";

  explicit Scratch(std::string_view text = kGood, mode_t mode = 0600) {
    test::write(file, text);
    REQUIRE(::chmod(file.c_str(), mode) == 0);
  }
};

std::string complaint(const std::string& file, const Environment& environment = no_environment) {
  try {
    read_credentials(file, environment);
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::config);
    CHECK_THAT(error.what(), !Catch::Contains("hunter2"));
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("credentials are two lines in a file of one's own", "[profile]") {
  const Scratch scratch;
  const KeyPair pair = read_credentials(scratch.file);
  CHECK(pair.id == "0012ab");
  CHECK(pair.key == "K001hunter2+/x");
}

TEST_CASE("credentials that others can read are refused with the way out", "[profile]") {
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0644, 0666, 0610, 0601}) {
    const Scratch scratch(kGood, mode);
    CHECK_THAT(complaint(scratch.file), Catch::Contains("chmod 600 '" + scratch.file + "'"));
  }
  for (const mode_t mode : {0600, 0400, 0700})
    CHECK(complaint(Scratch(kGood, mode).file) == "accepted");
}

TEST_CASE("credentials of another user or that are no file are refused", "[profile]") {
  const Scratch scratch;
  CHECK_THAT(complaint(scratch.dir.path()), Catch::Contains("no regular file"));
  REQUIRE(::mkfifo((scratch.dir / "fifo").c_str(), 0600) == 0);
  CHECK_THAT(complaint(scratch.dir / "fifo"), Catch::Contains("no regular file"));
  CHECK_THAT(complaint(scratch.dir / "absent"),
             Catch::Contains("no such file") && Catch::Contains("key_id = "));
  if (::geteuid() != 0) return test::skip("needs root to give a file to another user");
  REQUIRE(::chown(scratch.file.c_str(), 12345, 12345) == 0);
  CHECK_THAT(complaint(scratch.file), Catch::Contains("another user (uid 12345)"));
}

TEST_CASE("whatever is wrong in a credentials file, nothing of it is shown", "[profile]") {
  for (const std::string text :
       {"", "key_id = \"0012ab\"\n", "key = \"hunter2\"\n", "hunter2\n", "hunter2 = 1\n",
        "key_id = \"a\"\nkey = hunter2\n", "key_id = \"a\"\nkey = \"hunter2\n", "[hunter2]\n",
        "key_id = \"a\"\nkey = \"hunter2\"\nkey = \"hunter2\"\n",
        "key_id = \"a\"\nkey = 'hunter2 '\n", "key_id = \"a\"\nkey = [\"hunter2\"]\n",
        "key_id = \"a\"\nkey.hunter2 = \"x\"\n", "key_id = \"a\"\nkey = \"\"\n",
        "key_id = \"a\"\nkey = \"hunter2\"\nhunter2x = \"b\"\n", "[/hunter2]\n",
        "key_id = \"a\"\nkey = \"\"\"\nhunter2\n\"\"\"\n"}) {
    INFO(text);
    const Scratch scratch(text);
    CHECK_THAT(complaint(scratch.file), Catch::Contains("key_id = \"...\" and key = \"...\""));
  }
  CHECK_THAT(complaint(Scratch("\n\nhunter2\n").file), Catch::Contains("b2.toml:3: "));
  CHECK_THAT(complaint(Scratch(std::string(100'000, '#')).file), Catch::Contains("too long"));
}

TEST_CASE("a name without a directory is a systemd credential where there are any", "[profile]") {
  const Scratch scratch(kGood, 0440);  // with an ACL's mask, as systemd makes it
  const std::string directory = scratch.dir.path();
  const auto environment = [&](const char* name) -> const char* {
    return std::string_view(name) == "CREDENTIALS_DIRECTORY" ? directory.c_str() : nullptr;
  };
  CHECK(read_credentials("b2.toml", environment).id == "0012ab");
  CHECK_THAT(complaint("other", environment), Catch::Contains(scratch.dir / "other"));
  CHECK_THAT(complaint(scratch.file, environment), Catch::Contains("chmod 600"));
  REQUIRE(::chmod(scratch.file.c_str(), 0444) == 0);
  CHECK_THAT(complaint("b2.toml", environment), Catch::Contains("chmod 600"));
  CHECK_THAT(complaint("b2.toml"), Catch::Contains("no such file"));
}

}  // namespace rota::profile
