#include "base/error.h"

#include <catch2/catch.hpp>
#include <cerrno>

#include "base/kind_of.h"

using namespace rota::base;
using rota::test::kind_of;
using rota::test::message_of;

TEST_CASE("each kind of error has the exit status that the manual promises", "[error]") {
  CHECK(exit_code(ErrorKind::not_found) == 1);
  CHECK(exit_code(ErrorKind::unavailable) == 1);
  CHECK(exit_code(ErrorKind::io) == 1);
  CHECK(exit_code(ErrorKind::usage) == 2);
  CHECK(exit_code(ErrorKind::config) == 2);
  CHECK(exit_code(ErrorKind::corrupt) == 4);
  CHECK(exit_code(ErrorKind::refused) == 5);
  CHECK(exit_code(ErrorKind::locked) == 11);
  CHECK(exit_code(ErrorKind::interrupted) == 130);
}

TEST_CASE("only what is unavailable is worth another try", "[error]") {
  CHECK(is_retryable(ErrorKind::unavailable));
  for (const ErrorKind kind :
       {ErrorKind::usage, ErrorKind::config, ErrorKind::not_found, ErrorKind::locked,
        ErrorKind::refused, ErrorKind::corrupt, ErrorKind::io, ErrorKind::interrupted}) {
    CHECK_FALSE(is_retryable(kind));
  }
}

TEST_CASE("a failed system call says what was done, to what, and why", "[error]") {
  CHECK(os_reason(ENOSPC) == "no space left on device");
  CHECK(message_of([] { throw_os("cannot open", "a.txt", EACCES); }) ==
        "cannot open a.txt: permission denied");
  CHECK(kind_of([] { throw_os("cannot open", "a.txt", EACCES); }) == ErrorKind::io);
  CHECK(kind_of([] { throw_os("cannot open", "a.txt", ENOENT); }) == ErrorKind::not_found);
}
