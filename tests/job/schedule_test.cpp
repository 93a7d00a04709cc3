#include "job/schedule.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "support/files.h"

using namespace rota;
using job::runs_rota;
using job::Schedule;

namespace {

/// A directory that stands for "/".
class Root {
 public:
  void put(const std::string& path, const std::string& text, bool executable = false) {
    test::write(root() + path, text);
    ::chmod((root() + path).c_str(), executable ? 0755 : 0644);
  }
  std::string root() const { return directory_.path(); }
  std::vector<Schedule> schedules() const { return job::find_schedules(root(), "root", "main"); }

 private:
  test::TempDir directory_;
};

}  // namespace

TEST_CASE("a line that runs rota for the profile, or for the only one, is found", "[schedule]") {
  CHECK(runs_rota("17 3 * * *  root  rota cron", "main"));
  CHECK(runs_rota("17 3 * * *  root  /usr/bin/rota cron main", "main"));
  CHECK(runs_rota("@daily nice -n 10 rota -v backup --full main 2>&1 | logger", "main"));
  CHECK(runs_rota("0 3 * * * root rota cron 2>/dev/null", "main"));
  CHECK(runs_rota("exec \"/usr/bin/rota\" cron", "main"));
  CHECK(runs_rota("rota cron other; rota cron main", "main"));
}

TEST_CASE("a line that does something else is not", "[schedule]") {
  CHECK_FALSE(runs_rota("# 17 3 * * * root rota cron", "main"));
  CHECK_FALSE(runs_rota("17 3 * * * root rota cron other", "main"));
  CHECK_FALSE(runs_rota("17 3 * * * root rota verify main", "main"));
  CHECK_FALSE(runs_rota("17 3 * * * root rota-old cron main", "main"));
  CHECK_FALSE(runs_rota("17 3 * * * root echo done # rota", "main"));
  CHECK_FALSE(runs_rota("", "main"));
}

TEST_CASE("cron's files are read as cron reads them", "[schedule]") {
  Root root;
  CHECK(root.schedules().empty());
  root.put("/etc/cron.d/rota.dpkg-old", "1 1 * * * root rota cron\n");
  root.put("/etc/cron.daily/rota", "#!/bin/sh\nrota cron main\n");  // not executable
  CHECK(root.schedules().empty());
  root.put("/etc/cron.d/rota", "MAILTO = \"me@example.org\"\n\n17 3 * * * root rota cron\n");
  root.put("/etc/cron.weekly/rota", "#!/bin/sh\nrota backup main\n", true);
  root.put("/var/spool/cron/crontabs/root", "MAILTO=\n0 3 * * * rota cron main\n");
  const auto found = root.schedules();
  REQUIRE(found.size() == 3);
  CHECK(found[0].place == root.root() + "/etc/cron.d/rota");
  CHECK(found[0].mail_to == "me@example.org");
  CHECK(found[1].mail_to == "");
  CHECK_FALSE(found[2].mail_to);
}

TEST_CASE("a timer counts when it is enabled and its service runs rota", "[schedule]") {
  Root root;
  root.put("/usr/lib/systemd/system/rota@.timer", "[Timer]\nOnCalendar=daily\n");
  root.put("/usr/lib/systemd/system/rota@.service",
           "[Unit]\nOnFailure=mail@%n.service\n[Service]\nExecStart=/usr/bin/rota cron %i\n");
  CHECK(root.schedules().empty());  // not enabled
  root.put("/etc/systemd/system/timers.target.wants/rota@other.timer", "");
  CHECK(root.schedules().empty());  // enabled for another profile
  root.put("/etc/systemd/system/timers.target.wants/rota@main.timer", "");
  root.put("/usr/lib/systemd/system/timers.target.wants/rota@main.timer", "");
  auto found = root.schedules();
  REQUIRE(found.size() == 1);  // once, though it is wanted twice
  CHECK(found[0].kind == Schedule::Kind::timer);
  CHECK(found[0].tells_failure);
  root.put("/etc/systemd/system/night.timer", "[Timer]\nUnit=work.service\n");
  root.put("/etc/systemd/system/work.service", "[Service]\nExecStart=rota backup main\n");
  root.put("/etc/systemd/system/timers.target.wants/night.timer", "");
  found = root.schedules();
  REQUIRE(found.size() == 2);
  CHECK_FALSE(found[0].tells_failure);
}
