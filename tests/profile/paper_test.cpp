#include <catch2/catch.hpp>

#include "base/error.h"
#include "profile/rotation.h"

using namespace rota;

namespace {

profile::Paper paper(const std::string& text) {
  return profile::read_rotation(text, "rotation.toml").paper;
}

}  // namespace

TEST_CASE("rotation.toml says what stands on paper", "[rotation]") {
  const profile::Paper read = paper(R"(
contacts = ["Jo Doe, +49 30 1234", "北京"]
owner = "Example Ltd"
if_found = "call +49 30 1234"
if_found_discreet = "+49 30 1234"
label_stock = "99014"
print_after_copy = "Dymo_450"
[set.monthly]
)");
  CHECK(read.contacts == std::vector<std::string>{"Jo Doe, +49 30 1234", "北京"});
  CHECK(read.owner == "Example Ltd");
  CHECK(read.if_found == "call +49 30 1234");
  CHECK(read.if_found_discreet == "+49 30 1234");
  CHECK(read.label_stock == "99014");
  CHECK(read.print_after_copy == "Dymo_450");
  CHECK(paper("").label_stock == "L7163");
  CHECK(paper("").print_after_copy.empty());
}

TEST_CASE("what cannot stand on paper, and what is no printer, is refused with its line",
          "[rotation]") {
  for (const char* text : {"owner = \"\"", "owner = \"a\\nb\"", "contacts = \"Jo\"",
                           "contacts = [\"\"]", "print_after_copy = \"-o x\"",
                           "print_after_copy = \"--help\"", "print_after_copy = \"../x\"",
                           "print_after_copy = \"\"", "label_stock = \"a/b\"", "if_found = 3"}) {
    INFO(text);
    CHECK_THROWS_WITH(paper(text), Catch::StartsWith("rotation.toml:1: "));
  }
  CHECK_THROWS_AS(paper("owner = \"" + std::string(201, 'x') + "\""), base::Error);
}
