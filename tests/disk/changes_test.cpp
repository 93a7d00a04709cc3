// What changed against the copy before, for those who judge it.

#include "disk/changes.h"

#include <catch2/catch.hpp>

#include "base/bytes.h"
#include "disk/copy_fixture.h"
#include "tree/local_source.h"
#include "tree/noise.h"

namespace rota::test {

namespace {

std::string text(std::size_t size, char mark) {
  std::string lines;
  for (int i = 0; lines.size() < size; ++i)
    lines += mark + std::string(" line ") + std::to_string(i) + "\n";
  return lines;
}

bool is_noise(const std::string& bytes) {
  tree::NoiseMeter meter;
  meter.add(base::as_bytes(bytes));
  return meter.is_noise();
}

}  // namespace

TEST_CASE("noise is told from other content", "[disk][changes]") {
  CHECK(is_noise(noise(4096, 1)));
  CHECK(is_noise(noise(1 << 20, 2)));
  CHECK_FALSE(is_noise(noise(4095, 3)));  // too little to tell
  CHECK_FALSE(is_noise(text(100'000, 'a')));
  CHECK_FALSE(is_noise(std::string(100'000, '\0')));
}

TEST_CASE("files that turned to noise and names of one new extension are counted",
          "[disk][changes]") {
  TempDir temp(fast_directory());
  const std::string source = temp / "source";
  for (int i = 0; i < 8; ++i) write(source + "/text" + std::to_string(i), text(20'000, 'a'));
  write(source + "/photo", noise(20'000, 1));
  write(source + "/short", "short");
  write(temp / "disk/.keep", "");
  CopyPlace place(temp / "disk");
  const disk::ChangeSummary first = place.copy(source, 0).changes;
  CHECK(first.predecessor == "");
  CHECK(first.added.count == 10);
  CHECK(first.became_noise.count == 0);
  wait_for_another_tick();
  for (int i = 0; i < 3; ++i) write(source + "/text" + std::to_string(i), noise(20'000, 5));
  write(source + "/text3", text(20'000, 'b'));
  write(source + "/photo", noise(20'000, 2));  // it was noise before
  write(source + "/short", "other");
  for (int i = 4; i < 8; ++i) {
    const std::string name = source + "/text" + std::to_string(i);
    REQUIRE(run_program({"mv", name, name + ".locked"}) == "");
  }
  const disk::ChangeSummary second = place.copy(source, 1).changes;
  CHECK(second.predecessor == CopyPlace::name(0));
  CHECK(second.entries_before == 10);
  CHECK(second.entries_now == 10);
  CHECK(second.bytes_before == first.bytes_now);
  CHECK(second.changed.count == 6);
  CHECK(second.plain_before == 4);
  CHECK(second.became_noise.examples == std::vector<std::string>{"text0", "text1", "text2"});
  CHECK(second.added.count == 4);
  CHECK(second.removed.count == 4);
  CHECK(second.removed.bytes == second.added.bytes);
  CHECK(second.added_extensions == std::map<std::string, std::uint64_t>{{"locked", 4}});
  // What was learned of a file is known of its links as well.
  wait_for_another_tick();
  const disk::ChangeSummary third = place.copy(source, 2).changes;
  CHECK(third.same.count == 10);
  wait_for_another_tick();
  write(source + "/text0", noise(20'000, 9));
  const disk::ChangeSummary fourth = place.copy(source, 3).changes;
  CHECK(fourth.changed.count == 1);
  CHECK(fourth.plain_before == 0);
}

}  // namespace rota::test
