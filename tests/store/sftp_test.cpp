// What is special to the SFTP store, against OpenSSH's own server: keys, denied operations, broken
// connections. What every store promises is in contract.cpp.
#include <fmt/core.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/kind_of.h"
#include "base/pipeline.h"
#include "store/open.h"
#include "store/sftp_store.h"
#include "support/sftp_server.h"
#include "support/skip.h"

namespace rota::test {

namespace {

using base::Bytes;
using base::ErrorKind;
using store::SftpSettings;
using store::SftpStore;

Bytes pattern(std::size_t size, std::uint32_t seed = 1) {
  Bytes data(size);
  for (std::byte& b : data) {
    seed = seed * 1664525 + 1013904223;
    b = static_cast<std::byte>(seed >> 24);
  }
  return data;
}

std::vector<std::string> names_of(store::Store& store) {
  std::vector<std::string> names;
  store::for_each_object(store, "",
                         [&](const store::ObjectInfo& object) { names.push_back(object.name); });
  return names;
}

std::size_t files_in(const std::string& directory) {
  if (!std::filesystem::exists(directory)) return 0;
  const std::filesystem::directory_iterator entries(directory);
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

/// What stands behind `marker` in a message: the command that it advises.
std::string advice(const std::string& message, const std::string& marker) {
  const std::size_t at = message.find(marker);
  REQUIRE(at != std::string::npos);
  return message.substr(at + marker.size());
}

/// An ssh-agent that this process knows, until the end.
class Agent {
 public:
  explicit Agent(const std::string& socket) {
    const std::string shown = run_program({"/usr/bin/ssh-agent", "-a", socket});
    const std::string marker = "SSH_AGENT_PID=";
    pid_ = std::stoi(shown.substr(shown.find(marker) + marker.size()));
    ::setenv("SSH_AUTH_SOCK", socket.c_str(), 1);
  }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent() {
    ::unsetenv("SSH_AUTH_SOCK");
    ::kill(pid_, SIGTERM);
  }

 private:
  pid_t pid_;
};

#define NEEDS_SFTP_SERVER() \
  if (const auto reason = SftpServer::missing()) return skip(*reason)

}  // namespace

TEST_CASE("a server that is not known is refused, with the command that adds it", "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  const SftpServer server;
  SftpSettings settings = server.settings();
  SECTION("when the file is empty") { write(server.known_hosts(), ""); }
  SECTION("when there is no file") { ::unlink(server.known_hosts().c_str()); }
  SECTION("also when the configuration says not to look") {
    write(server.known_hosts(), "");
    settings.config = server.file("config");
    write(settings.config, "StrictHostKeyChecking no\n");
  }
  SECTION("when only another port of the host is known") {
    write(server.known_hosts(), "[127.0.0.1]:1 " + read(server.file("host.pub")));
  }
  SftpStore store(server.target(server.root()), settings);
  CHECK(kind_of([&] { store.list("", "", 1); }) == ErrorKind::refused);
  const std::string message = message_of([&] { store.put("a", {}); });
  const std::string print =
      run_program({"/usr/bin/ssh-keygen", "-l", "-f", server.file("host.pub")});
  CHECK_THAT(message, Catch::Contains(print.substr(4, 50)));  // "256 SHA256:… comment"
  CHECK(server.logins() == 0);

  run_program({"/bin/sh", "-c", advice(message, "then add it: ")});
  store.put("a", {});
  CHECK(names_of(store) == std::vector<std::string>{"a"});
}

TEST_CASE("a server whose key changed is refused, with the command that replaces it",
          "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  const SftpServer server;
  make_ssh_key(server.file("other"));
  write(server.known_hosts(),
        fmt::format("[127.0.0.1]:{} {}", server.port(), read(server.file("other.pub"))));
  SftpStore store(server.target(server.root()), server.settings());
  CHECK(kind_of([&] { store.list("", "", 1); }) == ErrorKind::refused);
  const std::string message = message_of([&] { store.list("", "", 1); });
  CHECK_THAT(message, Catch::Contains("another key") && Catch::Contains("SHA256:"));
  CHECK(server.logins() == 0);

  run_program({"/bin/sh", "-c", advice(message, "and to this one: ")});
  CHECK(names_of(store).empty());
}

TEST_CASE("only a key that is safe and right opens an SFTP store", "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  const SftpServer server;
  SftpSettings settings = server.settings();
  const auto message = [&] {
    SftpStore store(server.target(server.root()), settings);
    return message_of([&] { store.list("", "", 1); });
  };
  SECTION("the right one") { CHECK(message().empty()); }
  SECTION("one that the server does not know") {
    settings.key = server.file("wrong");
    make_ssh_key(settings.key);
    CHECK_THAT(message(), Catch::Contains("authorized_keys"));
  }
  SECTION("one that is locked") {
    settings.key = server.file("locked");
    make_ssh_key(settings.key, "passphrase");
    CHECK_THAT(message(), Catch::Contains("ssh-add") && !Catch::Contains("passphrase\n"));
  }
  SECTION("one that others can read") {
    ::chmod(server.key().c_str(), 0640);
    CHECK_THAT(message(), Catch::Contains("chmod 600"));
  }
  SECTION("one that is not there") {
    settings.key = server.file("absent");
    CHECK_THAT(message(), Catch::Contains("no such file"));
  }
  SECTION("a file that is no key") {
    settings.key = server.file("sshd_config");
    ::chmod(settings.key.c_str(), 0600);
    CHECK_THAT(message(), Catch::Contains("no private SSH key"));
  }
}

TEST_CASE("without a key file, the agent and the configuration's identities are tried",
          "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  const SftpServer server;
  SftpSettings settings = server.settings();
  settings.key = "";
  settings.config = server.file("config");
  write(settings.config, "IdentityFile " + server.key() + "\n");
  const auto message = [&] {
    SftpStore store(server.target(server.root()), settings);
    return message_of([&] { store.list("", "", 1); });
  };
  const auto lock_key = [&] {
    run_program({"/usr/bin/ssh-keygen", "-q", "-p", "-N", "secret", "-f", server.key()});
  };
  SECTION("an identity of the configuration") { CHECK(message().empty()); }
  SECTION("one that is locked") {
    lock_key();
    CHECK_THAT(message(), Catch::Contains("ssh-add"));
  }
  SECTION("one that the server does not know") {
    make_ssh_key(server.file("other"));
    write(settings.config, "IdentityFile " + server.file("other") + "\n");
    CHECK_THAT(message(), Catch::Contains("authorized_keys"));
  }
  SECTION("one that the agent has, while its file is locked") {
    const Agent agent(server.file("agent"));
    run_program({"/usr/bin/ssh-add", "-q", server.key()});
    lock_key();
    CHECK(message().empty());
    settings.key = server.key();
    CHECK(message().empty());
  }
}

TEST_CASE("an SFTP store opens by its target, below a path or the user's directory",
          "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  TempDir home;
  // "-d" is where relative paths begin; else that is the home of the tester.
  const SftpServer server({.arguments = "-d " + home.path(), .lines = {}});
  store::StoreSettings settings{.target = server.url("/~/backups/here")};
  settings.sftp = {server.key(), server.known_hosts()};
  const auto relative = store::open_store(settings);
  relative->put("runs/1", pattern(10));
  CHECK(relative->description() == settings.target);
  CHECK(std::filesystem::exists(home / "backups/here/runs/1"));

  settings.target = server.url(home.path() + "/backups/here/");
  CHECK(store::open_store(settings)->get("runs/1", 10) == pattern(10));
  settings.target = "file://" + (home / "backups/here");
  CHECK(store::open_store(settings)->get("runs/1", 10) == pattern(10));
}

TEST_CASE("the largest object survives a change of keys in its midst", "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  const SftpServer server({.arguments = "", .lines = {"RekeyLimit 3M"}});
  SftpStore store(server.target(server.root()), server.settings());
  const Bytes data = pattern(store::kMaxObject);
  store.put("x", data);
  CHECK(store.get("x", store::kMaxObject) == data);
}

TEST_CASE("many threads share four connections", "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  const SftpServer server;
  SftpStore store(server.target(server.root()), server.settings());
  base::Pipeline threads;
  for (std::uint32_t t = 0; t < 12; ++t) {
    threads.add([&, t] {
      for (std::uint32_t i = 0; i < 5; ++i) {
        const std::string name = fmt::format("o/{}/{}", t, i);
        store.put(name, pattern(100'000 + t, i));
        if (store.get(name, 200'000) != pattern(100'000 + t, i)) {
          throw std::runtime_error("other bytes came back");
        }
      }
    });
  }
  REQUIRE_NOTHROW(threads.join());
  CHECK(server.logins() == SftpStore::kConnections);
  CHECK(files_in(server.root() + "/.tmp") == 0);
}

TEST_CASE("a read-only SFTP server is read and not written", "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  const SftpServer server({.arguments = "-R", .lines = {}});
  write(server.root() + "/runs/1", "hello");
  SftpStore store(server.target(server.root()), server.settings());
  CHECK(store.get("runs/1", 10).size() == 5);
  CHECK(kind_of([&] { store.put("x", pattern(10)); }) == ErrorKind::refused);
  CHECK(store.remove("runs/1") == store::Removal::later);
  CHECK_FALSE(store.now());  // which is told by a file that is made
  CHECK(names_of(store) == std::vector<std::string>{"runs/1"});
}

TEST_CASE("an SFTP account that may only add takes new objects and keeps old ones",
          "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  const std::string denied = GENERATE("remove,rmdir,rename,posix-rename", "rename,posix-rename");
  const SftpServer server({.arguments = "-P " + denied, .lines = {}});
  SftpStore store(server.target(server.root()), server.settings());
  store.put("runs/1", pattern(1000));
  CHECK(store.get("runs/1", 1000) == pattern(1000));
  CHECK_NOTHROW(store.put("runs/1", pattern(1000)));  // as after a lost reply
  CHECK(kind_of([&] { store.put("runs/1", pattern(1000, 2)); }) == ErrorKind::refused);
  CHECK(store.get("runs/1", 1000) == pattern(1000));
  CHECK(names_of(store) == std::vector<std::string>{"runs/1"});
  if (denied.starts_with("remove")) {
    CHECK(store.remove("runs/1") == store::Removal::later);
    CHECK(names_of(store) == std::vector<std::string>{"runs/1"});
  }
}

TEST_CASE("an SFTP server that denies every way to place an object is refused", "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  const SftpServer server({.arguments = "-P rename,posix-rename,hardlink", .lines = {}});
  SftpStore store(server.target(server.root()), server.settings());
  CHECK(kind_of([&] { store.put("x", pattern(10)); }) == ErrorKind::refused);
  CHECK(names_of(store).empty());
  CHECK(files_in(server.root() + "/.tmp") == 0);
}

TEST_CASE("without posix-rename an older object is replaced all the same", "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  const SftpServer server({.arguments = "-P posix-rename,fsync,statvfs,limits", .lines = {}});
  SftpStore store(server.target(server.root()), server.settings());
  store.put("dir/x", pattern(500'000));
  store.put("dir/x", pattern(400'000, 2));
  CHECK(store.get("dir/x", 500'000) == pattern(400'000, 2));
  CHECK(names_of(store) == std::vector<std::string>{"dir/x"});
  CHECK(files_in(server.root() + "/.tmp") == 0);
}

TEST_CASE("a full SFTP server says how much room there is, and keeps what it has",
          "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  struct Small {
    TempDir dir;
    bool mounted;
    Small() : mounted(::mount("tmpfs", dir.path().c_str(), "tmpfs", 0, "size=4m") == 0) {}
    ~Small() {
      if (mounted) ::umount2(dir.path().c_str(), MNT_DETACH);
    }
  } small;
  if (!small.mounted) return skip("needs root to mount a small file system");
  const SftpServer server;
  SftpStore store(server.target(small.dir.path()), server.settings());
  store.put("old", pattern(1 << 20));
  CHECK(kind_of([&] { store.put("new", pattern(8 << 20)); }) == ErrorKind::io);
  CHECK_THAT(message_of([&] { store.put("old", pattern(8 << 20)); }),
             Catch::Contains("is full") && Catch::Contains("make room"));
  CHECK(store.get("old", 1 << 20) == pattern(1 << 20));
  CHECK(names_of(store) == std::vector<std::string>{"old"});
  store.put("new", pattern(2 << 20));
  CHECK(server.logins() == 1);  // a full disk does not cost the connection
}

TEST_CASE("what is no object is not read through SFTP", "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  const SftpServer server;
  const std::string root = server.root();
  write(root + "/runs/1", "hello");
  REQUIRE(::mkfifo((root + "/fifo").c_str(), 0600) == 0);
  std::filesystem::create_symlink("runs/1", root + "/link");
  std::filesystem::create_directory_symlink("runs", root + "/linked");
  write(root + "/odd name", "x");
  write(root + "/.hidden/x", "x");
  SftpSettings settings = server.settings();
  settings.patience = std::chrono::seconds(600);  // who waits for a FIFO, or keeps who did, hangs
  SftpStore store(server.target(root), settings);
  CHECK(names_of(store) == std::vector<std::string>{"runs/1"});
  CHECK(store.list("linked/", "", 10).objects.empty());
  CHECK(kind_of([&] { store.get("fifo", 10); }) == ErrorKind::corrupt);
  CHECK(kind_of([&] { store.get("link", 10); }) == ErrorKind::corrupt);
  CHECK(store.get("runs/1", 10).size() == 5);
}

TEST_CASE("an SFTP store tells its server's clock and leaves nothing behind", "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  const SftpServer server;
  SftpStore store(server.target(server.root()), server.settings());
  const auto now = store.now();
  REQUIRE(now);
  CHECK(std::chrono::abs(*now - base::real_clock().now()) < std::chrono::minutes(1));
  for (int times = 0; times < 50; ++times) {  // and not only soon after
    REQUIRE(store.now());
    REQUIRE(std::filesystem::is_empty(server.root() + "/.tmp"));
  }
}

TEST_CASE("temporary files of dead writers are removed after a day", "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  const SftpServer server;
  const std::string old = server.root() + "/.tmp/old";
  const std::string young = server.root() + "/.tmp/young";
  write(old, "x");
  write(young, "x");
  const auto now = std::filesystem::last_write_time(young);
  std::filesystem::last_write_time(old, now - std::chrono::hours(25));
  std::filesystem::last_write_time(young, now - std::chrono::hours(23));
  SftpStore store(server.target(server.root()), server.settings());
  store.put("x", pattern(10));
  CHECK_FALSE(std::filesystem::exists(old));
  CHECK(std::filesystem::exists(young));
}

TEST_CASE("an SFTP target is read or refused", "[store][sftp]") {
  const store::SftpTarget full = store::parse_sftp_target("sftp://me@host.example:2222/srv/b/");
  CHECK(full.user == "me");
  CHECK(full.host == "host.example");
  CHECK(full.port == 2222);
  CHECK(full.path == "/srv/b");
  CHECK(full.url() == "sftp://me@host.example:2222/srv/b");
  CHECK(store::parse_sftp_target("sftp://[fe80::1]/x").host == "fe80::1");
  CHECK(store::parse_sftp_target("sftp://[fe80::1]:1/x").url() == "sftp://[fe80::1]:1/x");
  CHECK(store::parse_sftp_target("sftp://me@corp@host/~/x/y").path == "x/y");
  CHECK(store::parse_sftp_target("sftp://me@corp@host/~/x/y").user == "me@corp");
  for (const std::string target :
       {"sftp://", "sftp://host", "sftp://host/", "sftp://host//", "sftp:///srv", "sftp://@host/x",
        "sftp://host:/x", "sftp://host:0/x", "sftp://host:65536/x", "sftp://host:22x/x",
        "sftp://-oProxyCommand=x/x", "sftp://ho st/x", "sftp://a;b/x", "sftp://[::1/x",
        "sftp://host/~", "sftp://host/~/", "sftp://me:secret@host/x", "sftp://me:se/cret@host/x",
        "sftp://me:@host/x"}) {
    INFO(target);
    CHECK(kind_of([&] { store::parse_sftp_target(target); }) == ErrorKind::config);
    CHECK_THAT(message_of([&] { store::parse_sftp_target(target); }),
               !Catch::Contains("secret") && !Catch::Contains("cret@"));
  }
}

}  // namespace rota::test
