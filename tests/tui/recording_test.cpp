#include "tui/recording.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "tui/follow.h"
#include "tui/screens.h"

using namespace rota;

TEST_CASE("a recording shows the same screen as what was recorded", "[recording]") {
  tui::Rows rows = test::two_disks();
  tui::Job job;
  job.disk = "A";
  job.step = "copy";
  job.state = "begins";
  job.done = {"mount"};
  rows.jobs = {job};
  rows.facts.connected = std::vector<std::string>{"A"};
  rows.facts.servers = {"mail", "web"};
  rows.facts.unusable = {{"mail", "line 3 is none"}};
  const std::string text = tui::recording(rows);
  const tui::Rows again = tui::read_recording(text, "x");
  CHECK(tui::recording(again) == text);
  CHECK(test::Screen(again).text() == test::Screen(rows).text());
}

TEST_CASE("a recording that is none is refused with a sentence", "[recording]") {
  const std::string good = tui::recording(test::two_disks());
  const auto refused = [](const std::string& text) {
    try {
      tui::read_recording(text, "file");
      return std::string();
    } catch (const base::Error& error) {
      CHECK(error.kind() == base::ErrorKind::corrupt);
      return std::string(error.what());
    }
  };
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    REQUIRE(text.find(from) != std::string::npos);
    text.replace(text.find(from), from.size(), to);
    return refused(text);
  };
  CHECK(refused("") == "file cannot be shown: it is no JSON");
  CHECK(refused("[]") == "file cannot be shown: it is no recording of this version of rota-tui");
  CHECK(refused(std::string(100, '[')) != "");
  CHECK(changed("\"rota_screen\":2", "\"rota_screen\":1") != "");
  CHECK(changed("\"interval\":\"1M\"", "\"interval\":\"\"") != "");
  CHECK(changed("\"interval\":\"1M\"", "\"interval\":\"99999999Y\"") != "");
  CHECK(changed("\"now\":\"2026", "\"now\":\"x026") ==
        "file cannot be shown: its \"now\" is no time");
  CHECK(changed("\"profile\":\"web\"", "\"profile\":\"../web\"") != "");
  CHECK(changed("\"written\":false", "\"written\":0") != "");
}

namespace {

tui::Job of_disk(const std::string& disk) {
  tui::Job job;
  job.disk = disk;
  return job;
}

}  // namespace

TEST_CASE("progress is taken in by pieces, and what is no progress passed over", "[follow]") {
  tui::ProgressReader reader(of_disk("B"));
  const std::string text =
      "{\"job\":\"disk B\",\"pid\":812,\"started\":\"2026-10-24T03:00:00Z\"}\n"
      "{\"disk\":\"B\",\"state\":\"done\",\"step\":\"mount\",\"time\":\"2026-10-24T03:00:00Z\"}\n"
      "rubbish\n[[[[1]]]]\n"
      "{\"disk\":\"B\",\"server\":\"web\",\"state\":\"begins\",\"step\":\"copy\"}\n"
      "{\"activity\":\"copy "
      "web\",\"bytes\":0,\"files\":0,\"time\":\"2026-10-24T03:00:00Z\",\"total_bytes\":100}\n"
      "{\"activity\":\"copy "
      "web\",\"bytes\":50,\"files\":3,\"time\":\"2026-10-24T03:00:10Z\",\"total_bytes\":100}\n";
  for (std::size_t at = 0; at < text.size(); at += 7)
    reader.feed(std::string_view(text).substr(at, 7));
  const tui::Job& job = reader.job();
  CHECK(job.pid == 812);
  CHECK(job.step == "copy");
  CHECK(job.server == "web");
  CHECK(job.files == 3);
  CHECK(job.bytes == 50);
  CHECK(job.rate == 5);
  CHECK(job.done == std::vector<std::string>{"mount"});
  reader.feed(std::string(1U << 20, 'x') +
              "\n{\"disk\":\"B\",\"state\":\"begins\",\"step\":\"seal\"}\n");
  CHECK(reader.job().step == "seal");
}
