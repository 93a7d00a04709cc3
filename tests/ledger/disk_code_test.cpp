#include "ledger/disk_code.h"

#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "base/error.h"

using namespace rota;
using namespace rota::ledger;

TEST_CASE("the printed id has a check digit that finds one wrong digit", "[code]") {
  CHECK(printed_id("B") == "ROTA-B-7");
  CHECK(printed_id("A") == "ROTA-A-9");
  CHECK_THROWS_AS(printed_id("b"), base::Error);
  const std::string name = "12A4567";
  for (std::size_t at = 0; at < name.size(); ++at) {
    for (char digit = '0'; digit <= '9'; ++digit) {
      std::string other = name;
      other[at] = digit;
      if (other != name && name[at] != 'A') CHECK(check_digit(other) != check_digit(name));
    }
  }
}

TEST_CASE("what a scanner reads from a label names the disk again", "[code]") {
  DiskCode code{"B", "monthly", base::parse_iso("2026-10-24T03:00:00Z"), "1a2b3c4d"};
  CHECK(code_text(code) == "ROTA:B:monthly:20261024T0300Z:1a2b3c4d");
  CHECK(parse_scan(code_text(code)) == code);
  CHECK(parse_scan(code_text(code) + "\r\n") == code);
  code = {"ABCDEF7", "", std::nullopt, ""};
  CHECK(code_text(code) == "ROTA:ABCDEF7:::");
  CHECK(parse_scan(code_text(code)) == code);
  CHECK(parse_scan("ROTA-B-7")->name == "B");
  CHECK(parse_scan("rota-b-7\n")->name == "B");
  CHECK(parse_scan("ROTA-B")->name == "B");
}

TEST_CASE("what is no label of a disk is not taken for one", "[code]") {
  for (const char* text :
       {"", "ROTA", "ROTA-", "ROTA-B-8", "ROTA-B-77", "ROTA-B-", "ROTA-B7-x-1", "ROTA:B",
        "ROTA:B::::", "ROTA:b:::", "ROTA:ABCDEFGH:::", "ROTA:B:monthly:2026:",
        "ROTA:B:monthly:20261324T0300Z:", "ROTA:B:monthly::1A2B", "ROTA:B:monthly::1a2b3c4d5",
        "ROTA:../x:::", "5901234123457"}) {
    INFO(text);
    CHECK_FALSE(parse_scan(text));
  }
  CHECK_FALSE(parse_scan("ROTA:B:" + std::string(300, 'x') + "::"));
}
