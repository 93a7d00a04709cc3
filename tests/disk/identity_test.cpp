#include "disk/identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/file.h"
#include "base/kind_of.h"
#include "support/files.h"

using namespace rota;
using namespace rota::test;
using disk::Identity;

namespace {

Identity sample() {
  return {"B", "main", "0a1b2c3d-0000-4000-8000-0123456789ab", base::Instant{}, disk::new_token()};
}

struct Root {
  TempDir dir;
  base::Fd fd{::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
};

}  // namespace

TEST_CASE("an identity is read as it was written", "[identity]") {
  Root root;
  CHECK_FALSE(disk::read_identity(root.fd.get()));
  Identity identity = sample();
  disk::write_identity(root.fd.get(), identity);
  CHECK(disk::read_identity(root.fd.get()) == identity);
  const Identity before = identity;
  disk::replace_token(root.fd.get(), identity, disk::new_token());
  CHECK(identity.token != before.token);
  CHECK(disk::read_identity(root.fd.get()) == identity);
  CHECK(::access((root.dir / "rota/disk.json.tmp").c_str(), F_OK) != 0);
  struct stat st {};
  REQUIRE(::stat((root.dir / "rota/disk.json").c_str(), &st) == 0);
  CHECK((st.st_mode & 0777) == 0600);
}

TEST_CASE("what a killed process left beside the identity is in nobody's way", "[identity]") {
  Root root;
  const Identity identity = sample();
  write(root.dir / "rota/disk.json.tmp", "half");
  disk::write_identity(root.fd.get(), identity);
  CHECK(disk::read_identity(root.fd.get()) == identity);
}

TEST_CASE("no symlink, fifo or directory is taken for an identity", "[identity]") {
  Root root;
  TempDir elsewhere;
  write(elsewhere / "disk.json", disk::encode_identity(sample()));
  const auto reading = [&] { disk::read_identity(root.fd.get()); };
  SECTION("the directory is a symlink") {
    REQUIRE(::symlink(elsewhere.path().c_str(), (root.dir / "rota").c_str()) == 0);
    CHECK(kind_of([&] { disk::write_identity(root.fd.get(), sample()); }) == base::ErrorKind::io);
  }
  SECTION("the file is a symlink") {
    ::mkdir((root.dir / "rota").c_str(), 0755);
    REQUIRE(::symlink((elsewhere / "disk.json").c_str(), (root.dir / "rota/disk.json").c_str()) ==
            0);
  }
  SECTION("the file is a fifo") {
    ::mkdir((root.dir / "rota").c_str(), 0755);
    REQUIRE(::mkfifo((root.dir / "rota/disk.json").c_str(), 0600) == 0);
  }
  SECTION("the file is a directory") {
    base::real_files().make_directories(root.dir / "rota/disk.json", 0755);
  }
  SECTION("the file is huge") { write(root.dir / "rota/disk.json", std::string(1 << 20, '{')); }
  CHECK(kind_of(reading) == base::ErrorKind::corrupt);
}

TEST_CASE("every broken member of an identity is refused", "[identity]") {
  const std::string good = disk::encode_identity(sample());
  CHECK_NOTHROW(disk::decode_identity(good));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  CHECK_NOTHROW(disk::decode_identity(with("\"name\"", "\"later\": [1], \"name\"")));
  CHECK(disk::decode_identity(with("\"main\"", "\"\"")).set.empty());
  for (const std::string& bad :
       {std::string(), std::string("[]"), with("\"format\": 1", "\"format\": 0"),
        with("\"format\": 1", "\"format\": -1"), with("\"format\": 1", "\"format\": 1.0"),
        with("\"format\": 1", "\"format\": \"1\""), with("\"B\"", "\"b\""), with("\"B\"", "66"),
        with("\"B\"", "\"ABCDEFGH\""), with("\"main\"", "\"../x\""), with("0a1b2c3d", "\\u0000zz"),
        with("\"token\": \"", "\"token\": \"0"), with("1970-01-01", "1970-13-01"),
        with("\"set\"", "\"sett\""), good.substr(1), good + std::string(16 << 10, ' '),
        with("\"name\"", "\"deep\": [[[[[[[[1]]]]]]]], \"name\""), good.substr(0, good.size() - 3),
        std::string(9000, '[')}) {
    INFO(bad);
    CHECK(kind_of([&] { disk::decode_identity(bad); }) == base::ErrorKind::corrupt);
  }
  CHECK(kind_of([&] { disk::decode_identity(with("\"format\": 1", "\"format\": 2")); }) ==
        base::ErrorKind::config);
}

TEST_CASE("names of disks fit into the label of every filesystem", "[identity]") {
  for (const char* name : {"B", "7", "BANK2", "1234567"}) CHECK(disk::is_disk_name(name));
  for (const char* name : {"", "b", "12345678", "A-B", "A B", "Ä", "A/B"}) {
    CHECK_FALSE(disk::is_disk_name(name));
  }
  CHECK(disk::name_of_label("ROTA-B") == "B");
  for (const char* label : {"ROTA-", "ROTA-b", "rota-B", "ROTA-12345678", "XROTA-B", ""}) {
    CHECK_FALSE(disk::name_of_label(label));
  }
  CHECK(disk::disk_label("1234567").size() == 12);
}

TEST_CASE("a token cannot be read from what the ledger keeps of it", "[identity]") {
  const std::string token = disk::new_token();
  CHECK(token.size() == 64);
  CHECK(disk::new_token() != token);
  CHECK(disk::token_hash("abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
