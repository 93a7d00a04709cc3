// What an SFTP account could destroy, tried against OpenSSH's own server.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "store/sftp_store.h"
#include "support/sftp_server.h"
#include "support/skip.h"

namespace rota::test {

namespace {

using store::SftpStore;
using store::StorePowers;
using Answer = store::Right::Answer;

/// What is below a directory, its own temporary one included.
std::vector<std::string> files_below(const std::string& directory) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) files.push_back(entry.path().filename());
  }
  std::ranges::sort(files);
  return files;
}

/// With one object in the store already, put there without the server.
StorePowers inspect(const SftpServer& server) {
  write(server.root() + "/runs/x", "content");
  std::filesystem::create_directories(server.root() + "/.tmp");
  SftpStore store(server.target(server.root()), server.settings());
  return store.inspect();
}

using Files = std::vector<std::string>;

}  // namespace

TEST_CASE("an ordinary account may do everything, and trying it leaves nothing", "[store][sftp]") {
  if (const auto reason = SftpServer::missing()) return skip(*reason);
  const SftpServer server;
  const StorePowers powers = inspect(server);
  CHECK(powers.nature == StorePowers::Nature::account);
  CHECK(powers.may_delete.yes());
  CHECK(powers.may_overwrite.yes());
  CHECK_FALSE(powers.read_only);
  REQUIRE(powers.free_bytes);
  const auto space = std::filesystem::space(server.root());
  CHECK(*powers.free_bytes > space.available / 2);
  CHECK(*powers.free_bytes < space.capacity);
  CHECK(files_below(server.root()) == Files{"x"});
}

TEST_CASE("an account that may only add still writes into what is there", "[store][sftp]") {
  if (const auto reason = SftpServer::missing()) return skip(*reason);
  const SftpServer server({.arguments = "-P remove,rmdir,rename,posix-rename", .lines = {}});
  for (int times = 0; times < 2; ++times) {  // the second time the probe of the first is there
    const StorePowers powers = inspect(server);
    CHECK(powers.may_delete.no());
    CHECK(powers.may_overwrite.yes());
    CHECK(files_below(server.root()) == Files{"doctor-probe", "x"});
  }
}

TEST_CASE("an account that only reads destroys nothing", "[store][sftp]") {
  if (const auto reason = SftpServer::missing()) return skip(*reason);
  const SftpServer server({.arguments = "-R", .lines = {}});
  const StorePowers powers = inspect(server);
  CHECK(powers.may_delete.no());
  CHECK(powers.may_overwrite.no());
  CHECK(files_below(server.root()) == Files{"x"});
}

TEST_CASE("where there is no store yet, nothing is tried and nothing made", "[store][sftp]") {
  if (const auto reason = SftpServer::missing()) return skip(*reason);
  const SftpServer server;
  SftpStore store(server.target(server.root() + "/none"), server.settings());
  const StorePowers powers = store.inspect();
  CHECK(powers.nature == StorePowers::Nature::account);
  CHECK(powers.may_delete.answer == Answer::unknown);
  CHECK(powers.may_overwrite.answer == Answer::unknown);
  CHECK_FALSE(powers.free_bytes);
  CHECK_FALSE(std::filesystem::exists(server.root() + "/none"));
}

}  // namespace rota::test
