#include "support/skip.h"

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>

namespace rota::test {

void skip(const std::string& reason) {
  const std::string line =
      "SKIPPED: " + Catch::getResultCapture().getCurrentTestName() + ": " + reason + "\n";
  std::fputs(line.c_str(), stderr);
  if (const char* log = std::getenv("ROTA_SKIP_LOG")) {
    if (std::FILE* file = std::fopen(log, "a")) {
      std::fputs(line.c_str(), file);
      std::fclose(file);
    }
  }
  SUCCEED("skipped");
}

}  // namespace rota::test
