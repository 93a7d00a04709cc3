#include "job/disk_key.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/kind_of.h"
#include "support/files.h"

using namespace rota;
using namespace rota::test;

namespace {

struct Fixture {
  TempDir dir;
  profile::Places places{dir / "config", dir / "state", dir / "cache", dir / "run"};
  const std::string passphrase = disk::new_recovery_passphrase();
  std::string asked;

  job::DiskKey key(const std::string& file, std::optional<std::string> answer = std::nullopt) {
    return {file, [this, answer](const std::string& question) {
              asked = question;
              return answer;
            }};
  }
};

}  // namespace

TEST_CASE("a disk opens with the file that was named, or else that of this machine", "[disk_key]") {
  Fixture f;
  std::filesystem::create_directories(f.places.config + "/keys");
  write(f.places.config + "/keys/B.key", "random bytes");
  write(f.dir / "other", "others");
  CHECK(opener_of(f.places, "B", f.key("")).key_file == f.places.config + "/keys/B.key");
  CHECK(opener_of(f.places, "B", f.key(f.dir / "other")).key_file == f.dir / "other");
  CHECK(f.asked.empty());
  CHECK(kind_of([&] { opener_of(f.places, "B", f.key(f.dir / "none")); }) ==
        base::ErrorKind::not_found);
  CHECK(f.asked.empty());
}

TEST_CASE("without a key file the recovery passphrase is asked for", "[disk_key]") {
  Fixture f;
  const disk::LuksSecrets opener = opener_of(f.places, "B", f.key("", f.passphrase));
  CHECK(opener.key_file.empty());
  CHECK(opener.recovery_passphrase == f.passphrase);
  CHECK(f.asked == "Recovery passphrase of ROTA-B: ");
}

TEST_CASE("where nobody can be asked, it says which option to give", "[disk_key]") {
  Fixture f;
  for (const job::DiskKey& key : {f.key(""), job::DiskKey{}}) {
    CHECK(kind_of([&] { opener_of(f.places, "B", key); }) == base::ErrorKind::not_found);
    CHECK_THAT(message_of([&] { opener_of(f.places, "B", key); }),
               Catch::Contains("ROTA-B") && Catch::Contains("keys/B.key") &&
                   Catch::Contains("recovery passphrase, with --disk-key FILE"));
  }
}

TEST_CASE("a file with the recovery passphrase may end with a line feed", "[disk_key]") {
  Fixture f;
  for (const char* end : {"", "\n", "\r\n"}) {
    write(f.dir / "sheet", f.passphrase + end);
    CHECK(opener_of(f.places, "B", f.key(f.dir / "sheet")).recovery_passphrase == f.passphrase);
  }
  write(f.dir / "sheet", f.passphrase + "x");  // then it is a key of its own
  CHECK(opener_of(f.places, "B", f.key(f.dir / "sheet")).key_file == f.dir / "sheet");
}
