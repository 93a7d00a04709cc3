#include "chain/key_file.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/kind_of.h"
#include "support/faulty_files.h"
#include "support/files.h"

namespace rota::chain {

namespace {

using base::ErrorKind;
using test::kind_of;
using test::message_of;

void write_with_mode(const std::string& path, std::string_view text, mode_t mode) {
  test::write(path, text);
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

}  // namespace

TEST_CASE("a key file is read back, its owner's alone", "[chain][key]") {
  const test::TempDir dir;
  const SecretKey key = SecretKey::generate();
  const mode_t before = ::umask(0);
  write_key_file(dir / "key", key);
  ::umask(before);
  CHECK(read_key_file(dir / "key").bytes() == key.bytes());
  struct stat st {};
  REQUIRE(::stat((dir / "key").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0600);
  CHECK(test::read(dir / "key").find(Recipient(key).text()) != std::string::npos);
}

TEST_CASE("a key typed from paper over several lines is read", "[chain][key]") {
  const test::TempDir dir;
  const SecretKey key = SecretKey::generate();
  std::string text = key.text();
  for (std::size_t i = 17; i < text.size(); i += 20) text[i] = '\n';
  write_with_mode(dir / "key", "# from the safe\r\n" + text + "\r\n#\n\n", 0400);
  CHECK(read_key_file(dir / "key").bytes() == key.bytes());
}

TEST_CASE("a key file that others can read or change is refused", "[chain][key]") {
  const test::TempDir dir;
  const std::string text = SecretKey::generate().text() + "\n";
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0666U}) {
    CAPTURE(mode);
    write_with_mode(dir / "key", text, mode);
    CHECK(kind_of([&] { read_key_file(dir / "key"); }) == ErrorKind::config);
    CHECK_THAT(message_of([&] { read_key_file(dir / "key"); }), Catch::Contains("chmod 600"));
    CHECK(kind_of([&] { read_passphrase_file(dir / "key"); }) == ErrorKind::config);
  }
  for (const mode_t mode : {0600U, 0400U, 0700U}) {
    write_with_mode(dir / "key", text, mode);
    CHECK_NOTHROW(read_key_file(dir / "key"));
  }
  CHECK(kind_of([&] { read_key_file(dir / "none"); }) == ErrorKind::not_found);
}

TEST_CASE("a file that holds no key is named, and its content is not shown", "[chain][key]") {
  const test::TempDir dir;
  for (const std::string& text : {std::string("hunter2 is my secret"), std::string(),
                                  std::string(100'000, 'A'), "#" + SecretKey::generate().text()}) {
    write_with_mode(dir / "key", text, 0600);
    const std::string message = message_of([&] { read_key_file(dir / "key"); });
    CHECK(kind_of([&] { read_key_file(dir / "key"); }) == ErrorKind::config);
    CHECK_THAT(message, Catch::Contains(dir / "key") && !Catch::Contains("hunter2"));
  }
}

TEST_CASE("a passphrase file is its first line", "[chain][key]") {
  const test::TempDir dir;
  const auto read = [&](const std::string& text) {
    write_with_mode(dir / "pass", text, 0600);
    return read_passphrase_file(dir / "pass");
  };
  CHECK(read("correct horse\n") == "correct horse");
  CHECK(read("correct horse") == "correct horse");
  CHECK(read(" correct horse \r\nsecond\n") == " correct horse ");
  CHECK(read("# no comment\n") == "# no comment");
  CHECK(kind_of([&] { read(""); }) == ErrorKind::config);
  CHECK(kind_of([&] { read("\nsecond\n"); }) == ErrorKind::config);
}

TEST_CASE("nothing that exists is replaced by a key", "[chain][key]") {
  const test::TempDir dir;
  test::write(dir / "file", "precious");
  std::filesystem::create_directory(dir / "directory");
  std::filesystem::create_symlink("nowhere", dir / "link");
  for (const char* name : {"file", "directory", "link"}) {
    CAPTURE(name);
    CHECK(kind_of([&] { write_key_file(dir / name, SecretKey::generate()); }) ==
          ErrorKind::refused);
  }
  CHECK(test::read(dir / "file") == "precious");
  CHECK_FALSE(std::filesystem::exists(dir / "nowhere"));
}

TEST_CASE("a key file that cannot be written is not there", "[chain][key]") {
  const SecretKey key = SecretKey::generate();
  std::uint64_t failures = 0;
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(n);
    const test::TempDir dir;
    test::FaultyFiles files;
    files.fail_at(n);
    const auto kind = kind_of([&] { write_key_file(dir / "key", key, files); });
    if (!files.fired()) {
      CHECK(read_key_file(dir / "key").bytes() == key.bytes());
      break;
    }
    CHECK(kind == ErrorKind::io);
    CHECK(std::filesystem::is_empty(dir.path()));
    ++failures;
  }
  CHECK(failures >= 6);
}

}  // namespace rota::chain
