// The SFTP store while its server is killed, stopped and restarted; and a server that lies.
#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstring>
#include <deque>
#include <functional>
#include <thread>

#include "base/kind_of.h"
#include "base/pipeline.h"
#include "store/open.h"
#include "store/sftp_files.h"
#include "store/sftp_store.h"
#include "support/quick_clock.h"
#include "support/sftp_server.h"
#include "support/skip.h"

namespace rota::test {

namespace {

using base::Bytes;
using base::ErrorKind;
using store::SftpSettings;
using store::SftpStore;

Bytes pattern(std::size_t size, std::uint32_t seed) {
  Bytes data(size);
  for (std::byte& b : data) {
    seed = seed * 1664525 + 1013904223;
    b = static_cast<std::byte>(seed >> 24);
  }
  return data;
}

/// A clock on which pauses take no time, and the Nth of them lets something happen. With a rate
/// limit, a store pauses before each piece that it sends and behind each that it receives: so the
/// Nth step of a transfer can be hit exactly.
class StepClock final : public base::Clock {
 public:
  base::Instant now() override { return {}; }
  void sleep(std::chrono::milliseconds, const std::stop_token&) override {
    if (++steps_ == at_) event_();
  }
  void at(int step, std::function<void()> event) {
    steps_ = 0;
    at_ = step;
    event_ = std::move(event);
  }
  int steps() const { return steps_; }

 private:
  int steps_ = 0;
  int at_ = 0;
  std::function<void()> event_;
};

/// Settings whose transfers pass through `clock`, and which try only so often.
SftpSettings stepping(const SftpServer& server, StepClock& clock, int attempts) {
  SftpSettings settings = server.settings();
  settings.clock = &clock;
  settings.rate = 1'000'000'000;
  settings.retry.attempts = attempts;
  return settings;
}

#define NEEDS_SFTP_SERVER() \
  if (const auto reason = SftpServer::missing()) return skip(*reason)

}  // namespace

TEST_CASE("a put whose server is killed at any step leaves the old or the new object",
          "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  const SftpServer server;
  StepClock clock;
  const Bytes old = pattern(150'000, 1);
  const Bytes fresh = pattern(260'000, 2);
  // What lies on the server's disk, whatever becomes of connections.
  const auto disk = store::open_store({.target = server.root()});
  int failures = 0;
  for (int step = 1;; ++step) {
    INFO("step " << step);
    disk->put("dir/x", old);
    SftpStore store(server.target(server.root()), stepping(server, clock, 1));
    clock.at(step, [&] { server.signal_sessions(SIGKILL); });
    const auto kind = kind_of([&] { store.put("dir/x", fresh); });
    REQUIRE((!kind || kind == ErrorKind::unavailable));
    const Bytes found = disk->get("dir/x", 1'000'000);
    REQUIRE((found == old || found == fresh));
    if (!kind) REQUIRE(found == fresh);
    const store::Page page = disk->list("", "", 10);
    REQUIRE(page.objects.size() == 1);
    REQUIRE(page.objects[0].name == "dir/x");
    if (kind) ++failures;
    if (clock.steps() < step) break;  // done before it could happen
    REQUIRE(step < 100);
  }
  CHECK(failures > 5);
  SftpStore(server.target(server.root()), server.settings()).put("dir/x", fresh);
  CHECK(disk->get("dir/x", 1'000'000) == fresh);
}

TEST_CASE("a get whose server is killed at any step gives the right bytes or none",
          "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  const SftpServer server;
  StepClock clock;
  const Bytes data = pattern(150'000, 1);
  SftpStore(server.target(server.root()), server.settings()).put("x", data);
  const int attempts = GENERATE(1, 3);  // with more than one, it never fails
  int failures = 0;
  for (int step = 1;; ++step) {
    INFO("step " << step);
    SftpStore store(server.target(server.root()), stepping(server, clock, attempts));
    clock.at(step, [&] { server.signal_sessions(SIGKILL); });
    Bytes found;
    const auto kind = kind_of([&] { found = store.get("x", 1'000'000); });
    if (kind) {
      REQUIRE(attempts == 1);
      REQUIRE(kind == ErrorKind::unavailable);
      ++failures;
    } else {
      REQUIRE(found == data);
    }
    if (clock.steps() < step) break;
    REQUIRE(step < 200);
  }
  if (attempts == 1) CHECK(failures > 2);
}

TEST_CASE("an SFTP server that is restarted is found again by all threads", "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  SftpServer server;
  QuickClock clock;
  SftpSettings settings = server.settings();
  settings.clock = &clock;
  SftpStore store(server.target(server.root()), settings);
  const auto put_from_threads = [&](const std::string& prefix) {
    base::Pipeline threads;
    for (int t = 0; t < 6; ++t) {
      threads.add([&, t] { store.put(fmt::format("{}/{}", prefix, t), pattern(1000, 1)); });
    }
    threads.join();
  };
  put_from_threads("before");
  server.stop();
  SECTION("when it is back at the next call") {
    server.start();
    put_from_threads("after");
    CHECK(store.list("", "", 100).objects.size() == 12);
    CHECK(clock.slept().count() == 0);  // old connections cost no pause
  }
  SECTION("when it is not back") {
    CHECK(kind_of([&] { put_from_threads("after"); }) == ErrorKind::unavailable);
    CHECK_THAT(message_of([&] { store.get("before/1", 1000); }),
               Catch::Contains("does not answer") && Catch::Contains("read before/1"));
    CHECK(clock.slept() > std::chrono::seconds(30));
    server.start();
    CHECK(store.get("before/1", 1000) == pattern(1000, 1));
  }
}

TEST_CASE("a silent SFTP server is given up after the time set", "[store][sftp]") {
  NEEDS_SFTP_SERVER();
  const SftpServer server;
  std::stop_source stop;
  StepClock clock;
  SftpSettings settings = stepping(server, clock, 1);
  settings.stop = stop.get_token();
  SECTION("unless a stop is requested before") { settings.patience = std::chrono::seconds(600); }
  SECTION("and another is tried") { settings.patience = std::chrono::seconds(1); }
  const bool stopped = settings.patience > std::chrono::seconds(1);
  SftpStore store(server.target(server.root()), settings);
  store.put("x", pattern(10, 1));
  server.signal_sessions(SIGSTOP);
  std::jthread stopper;
  clock.at(2, [&] {  // the last request before it waits
    if (!stopped) return;
    stopper = std::jthread([&] {
      // Most likely it waits by then; before, it is stopped just as well.
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      stop.request_stop();
    });
  });
  CHECK(kind_of([&] { store.get("x", 10); }) ==
        (stopped ? ErrorKind::interrupted : ErrorKind::unavailable));
}

// ---- a server that lies ----

namespace {

/// Answers each packet with the next of the answers that were laid down.
class CannedStream final : public store::ByteStream {
 public:
  explicit CannedStream(std::deque<Bytes> answers) : answers_(std::move(answers)) {}
  void write(std::span<const std::byte>) override {
    if (answers_.empty()) return;
    pending_.insert(pending_.end(), answers_.front().begin(), answers_.front().end());
    answers_.pop_front();
  }
  std::size_t read(std::span<std::byte> buffer) override {
    if (pending_.empty()) throw store::ConnectionLost("the end of what was laid down");
    const std::size_t size = std::min(buffer.size(), pending_.size());
    std::memcpy(buffer.data(), pending_.data(), size);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(size));
    return size;
  }

 private:
  std::deque<Bytes> answers_;
  Bytes pending_;
};

Bytes packet(store::SftpPacket packet) {
  const auto bytes = packet.finish();
  return {bytes.begin(), bytes.end()};
}

Bytes greeting() { return packet(store::SftpPacket(2).u32(3)); }

Bytes raw(std::string_view text) {
  const auto bytes = base::as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

std::unique_ptr<store::SftpClient> client_of(std::deque<Bytes> answers) {
  return std::make_unique<store::SftpClient>(std::make_unique<CannedStream>(std::move(answers)));
}

}  // namespace

TEST_CASE("a greeting that is none is refused with a hint at login scripts", "[store][sftp]") {
  for (const Bytes& answer : {raw("Welcome to our server!\n"), packet(store::SftpPacket(2).u32(2)),
                              packet(store::SftpPacket(101).u32(3)), raw({"\0\0\0\0\0\0\0\0\0", 9}),
                              packet(store::SftpPacket(2).u32(3).u32(0xffffffff)),
                              packet(store::SftpPacket(2).u32(3).string("half a pair"))}) {
    CHECK(kind_of([&] { client_of({answer}); }) == ErrorKind::io);
    CHECK_THAT(message_of([&] { client_of({answer}); }), Catch::Contains("login script"));
  }
}

TEST_CASE("answers that break the protocol are errors and not believed", "[store][sftp]") {
  Bytes buffer(10);
  const auto read = [&](Bytes answer) {
    const auto client = client_of({greeting(), std::move(answer)});
    return kind_of([&] { client->data(client->read("handle", 0, buffer.size()), buffer); });
  };
  CHECK(read(packet(store::SftpPacket(103).u32(0).string("0123456789"))) == std::nullopt);
  CHECK(read(packet(store::SftpPacket(103).u32(0).string("01234567890"))) == ErrorKind::io);
  CHECK(read(packet(store::SftpPacket(103).u32(0).string(""))) == ErrorKind::io);
  CHECK(read(packet(store::SftpPacket(103).u32(0).u32(0xffffffff))) == ErrorKind::io);
  CHECK(read(packet(store::SftpPacket(103).u32(7).string("x"))) == ErrorKind::io);
  CHECK(read(packet(store::SftpPacket(102).u32(0).string("x"))) == ErrorKind::io);
  CHECK(read(packet(store::SftpPacket(101).u32(0).u32(0).string("ok?"))) == ErrorKind::io);
  CHECK(read(packet(store::SftpPacket(101).u32(0).u32(99).string("\x1b[2J"))) == ErrorKind::io);
  CHECK(read(packet(store::SftpPacket(101).u32(0).u32(2))) == ErrorKind::not_found);
  CHECK(read(raw({"\x7f\xff\xff\xff\x67\0\0\0\0", 9})) == ErrorKind::io);
  CHECK(read(raw({"\0\0\1\0\x67\0\0\0\0", 9})) == ErrorKind::unavailable);  // cut off

  const auto names = [&](Bytes answer) {
    const auto client = client_of({greeting(), std::move(answer)});
    return kind_of([&] { client->names(client->read_directory("handle")); });
  };
  CHECK(names(packet(store::SftpPacket(104).u32(0).u32(0xffffffff))) == ErrorKind::io);
  CHECK(names(packet(store::SftpPacket(104)
                         .u32(0)
                         .u32(1)
                         .string("a")
                         .string("a")
                         .u32(0x80000000)
                         .u32(0xffffffff))) == ErrorKind::io);
}

TEST_CASE("a server that allows fewer connections is served with those", "[store][sftp]") {
  int made = 0;
  store::SftpPool pool(4,
                       [&] {
                         if (++made > 2) throw store::ConnectionLost("too many");
                         return client_of({greeting()});
                       },
                       {});
  std::unique_ptr<store::SftpPool::Lease> first(new store::SftpPool::Lease(pool.take()));
  const store::SftpPool::Lease second = pool.take();
  std::jthread third([&] { pool.take(); });  // waits for one of the two, and does not fail
  first.reset();
  third.join();
  CHECK(made >= 2);
  CHECK(made <= 3);
}

}  // namespace rota::test
