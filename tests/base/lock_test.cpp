#include "base/lock.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <optional>

#include "base/kind_of.h"
#include "support/files.h"
#include "support/quick_clock.h"

using namespace rota::base;
using rota::test::kind_of;
using rota::test::message_of;
using rota::test::TempDir;

namespace {

/// Another process that holds the lock from when the constructor has returned until it is killed.
class Holder {
 public:
  explicit Holder(const std::string& path) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      char answer = 'n';
      std::optional<LockFile> lock;
      try {
        lock.emplace(path, "the test");
        answer = 'y';
      } catch (const Error&) {
        // 'n' tells it.
      }
      if (::write(writer.get(), &answer, 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    writer.reset();
    char answer = 0;
    REQUIRE(::read(reader.get(), &answer, 1) == 1);
    REQUIRE(answer == 'y');
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() { kill(); }

  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

}  // namespace

TEST_CASE("a lock that another process holds is refused and names it", "[lock]") {
  const TempDir dir;
  Holder holder(dir / "lock");
  const auto take = [&] { const LockFile lock(dir / "lock", "the profile main"); };
  CHECK(kind_of(take) == ErrorKind::locked);
  CHECK(message_of(take) == "another rota (process " + std::to_string(holder.pid()) +
                                ") is working on the profile main; try again when it is done");
  // It was not harmed by the attempts.
  CHECK(rota::test::read(dir / "lock") == std::to_string(holder.pid()));
}

TEST_CASE("a lock ends with its process, however that ends", "[lock]") {
  const TempDir dir;
  Holder holder(dir / "lock");
  holder.kill();
  CHECK_NOTHROW(LockFile(dir / "lock", "the test"));
  CHECK(rota::test::read(dir / "lock") == std::to_string(::getpid()));
}

TEST_CASE("a lock excludes this process too, until it is let go", "[lock]") {
  const TempDir dir;
  {
    const LockFile lock(dir / "lock", "the test");
    CHECK(kind_of([&] { LockFile(dir / "lock", "the test"); }) == ErrorKind::locked);
    CHECK_NOTHROW(LockFile(dir / "other", "another thing"));
  }
  CHECK_NOTHROW(LockFile(dir / "lock", "the test"));
}

TEST_CASE("the number of a longer process before leaves no figures behind", "[lock]") {
  const TempDir dir;
  rota::test::write(dir / "lock", "12345678901234567890");
  const LockFile lock(dir / "lock", "the test");
  CHECK(rota::test::read(dir / "lock") == std::to_string(::getpid()));
}

TEST_CASE("a lock in a place that is not there, or through a link, is an error", "[lock]") {
  const TempDir dir;
  CHECK(kind_of([&] { LockFile(dir / "absent/lock", "the test"); }) == ErrorKind::not_found);
  rota::test::write(dir / "victim", "precious");
  REQUIRE(::symlink("victim", (dir / "link").c_str()) == 0);
  CHECK(kind_of([&] { LockFile(dir / "link", "the test"); }) == ErrorKind::io);
  CHECK(rota::test::read(dir / "victim") == "precious");
}

TEST_CASE("a lock is held also where there is no room to write who holds it", "[lock]") {
  const TempDir dir;
  rlimit usual{};
  ::getrlimit(RLIMIT_FSIZE, &usual);
  rlimit none = usual;
  none.rlim_cur = 0;
  ::signal(SIGXFSZ, SIG_IGN);  // the write fails, and does no more
  ::setrlimit(RLIMIT_FSIZE, &none);
  std::optional<LockFile> lock;
  CHECK_NOTHROW(lock.emplace(dir / "lock", "the test"));
  ::setrlimit(RLIMIT_FSIZE, &usual);
  ::signal(SIGXFSZ, SIG_DFL);
  CHECK(rota::test::read(dir / "lock").empty());
  const auto take = [&] { LockFile(dir / "lock", "the profile main"); };
  CHECK(kind_of(take) == ErrorKind::locked);
  CHECK(message_of(take) ==
        "another rota is working on the profile main; try again when it is done");
}

namespace {

/// While somebody pauses on it, something happens.
class BusyClock final : public Clock {
 public:
  explicit BusyClock(std::function<void(int)> pause) : pause_(std::move(pause)) {}
  Instant now() override { return {}; }
  void sleep(std::chrono::milliseconds, const std::stop_token&) override { pause_(++pauses_); }

 private:
  std::function<void(int)> pause_;
  int pauses_ = 0;
};

}  // namespace

TEST_CASE("a lock is waited for until its holder is gone, and that is said once", "[lock]") {
  const TempDir dir;
  Holder holder(dir / "lock");
  BusyClock clock([&](int pause) {
    if (pause == 3) holder.kill();
  });
  int said = 0;
  const LockWait wait{clock, std::chrono::hours(1), {}, [&] { ++said; }};
  CHECK_NOTHROW(LockFile(dir / "lock", "the test", &wait));
  CHECK(said == 1);
  CHECK_NOTHROW(LockFile(dir / "lock", "the test", &wait));
  CHECK(said == 1);
}

TEST_CASE("a lock is not waited for longer than asked, nor when a stop is", "[lock]") {
  const TempDir dir;
  const Holder holder(dir / "lock");
  rota::test::QuickClock clock;
  const LockWait wait{clock, std::chrono::hours(1), {}, nullptr};
  CHECK(kind_of([&] { LockFile(dir / "lock", "the test", &wait); }) == ErrorKind::locked);
  CHECK(clock.slept() == std::chrono::hours(1));
  std::stop_source stop;
  BusyClock stopping([&](int) { stop.request_stop(); });
  const LockWait ended{stopping, std::chrono::hours(1), stop.get_token(), nullptr};
  CHECK(kind_of([&] { LockFile(dir / "lock", "the test", &ended); }) == ErrorKind::interrupted);
}
