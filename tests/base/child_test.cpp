#include "base/child.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "base/kind_of.h"

using namespace rota::base;
using rota::test::kind_of;

TEST_CASE("a child runs beside this process and its end is seen", "[child]") {
  Child child({"sh", "-c", "exit 7"});
  CHECK(child.wait() == 7);
  CHECK(child.status() == 7);
  child.stop();  // too late, and no harm
  CHECK(kind_of([] { Child({"/nothing/here"}); }) == ErrorKind::io);
}

TEST_CASE("a child is asked to end once", "[child]") {
  Child child({"sh", "-c", "trap 'kill $!; exit 5' TERM; sleep 60 >&- 2>&- & wait"});
  CHECK_FALSE(child.status().has_value());
  child.stop();
  child.stop();
  const int status = child.wait();
  CHECK((status == 5 || status == 128 + 15));  // before the trap was set
}

TEST_CASE("a child with an open input sees its end when nobody holds it any more", "[child]") {
  // It ends because the object goes, not because of a signal.
  char done[] = "/tmp/rota-child-XXXXXX";
  const int fd = ::mkstemp(done);
  REQUIRE(fd >= 0);
  ::close(fd);
  {
    Child child({"sh", "-c", std::string("cat; rm ") + done}, Child::Input::open);
    CHECK_FALSE(child.status().has_value());
  }
  while (exists(done)) ::usleep(1000);  // or this test hangs
}
