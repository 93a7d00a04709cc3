#include "job/remind.h"

#include <catch2/catch.hpp>

using namespace rota;
using rotation::Level;
using rotation::Said;

TEST_CASE("what was said is remembered, and any text is taken for a memory", "[remind]") {
  const std::map<std::string, Said> said{
      {"transit/monthly/B/",
       {Level::alarm, *base::parse_iso("2026-06-01T12:00:00Z"),
        *base::parse_iso("2026-06-03T12:00:00Z"), 3}},
      {"due/\"\n/\xc3\xa4/", {Level::good, base::Instant{}, base::Instant{}, 1}}};
  CHECK(job::read_said(job::said_json(said)) == said);
  for (const char* text : {"", "[]", "{", "{\"a\":1}", "{\"a\":{\"first\":1}}",
                           R"({"a":{"first":"x","last":"y","level":"alarm","times":1}})",
                           R"({"a":{"first":"2026-06-01T12:00:00Z","last":"2026-06-01T12:00:00Z",)"
                           R"("level":"alarm","times":"many"}})"}) {
    CHECK(job::read_said(text).empty());
  }
}
