#include "job/notify.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "base/text.h"
#include "support/files.h"
#include "support/scripted_http.h"

using namespace rota;
using namespace rota::test;
using job::Message;
using rotation::Level;

namespace {

/// A machine whose programs are fakes that write down what they are given.
struct Told {
  TempDir dir;
  profile::NotifySettings settings;
  ScriptedHttp http;
  base::CollectedWarnings warnings;
  std::string path = ::getenv("PATH");

  Told() {
    for (const char* name : {"wall", "sendmail", "mine"})
      program(name, "cat > \"$0.in\"; echo \"$@\" > \"$0.args\"");
    ::setenv("PATH", (dir.path() + ":/sbin:" + path).c_str(), 1);
  }
  ~Told() { ::setenv("PATH", path.c_str(), 1); }

  void program(const std::string& name, const std::string& script) const {
    write(dir / name, "#!/bin/sh\n" + script + "\n");
    ::chmod((dir / name).c_str(), 0700);
  }
  bool tell(const Message& message, bool at_terminal = false) {
    return job::Notifier(settings, base::real_processes(), http, warnings)
        .tell(message, at_terminal);
  }
  /// What a program was given; empty when it did not run.
  std::string given(const std::string& name) const {
    const std::string file = dir / (name + ".in");
    return base::exists(file) ? read(file) : "";
  }
};

Message held() {
  return {*base::parse_iso("2026-06-01T12:00:00Z"),
          Level::alarm,
          "held",
          "B",
          "The copy is held.",
          {"many changed"}};
}

}  // namespace

TEST_CASE("a server in a cupboard tells the console and root", "[notify]") {
  Told told;
  told.tell(held());
  CHECK_THAT(told.given("wall"), Catch::Contains("disk B: held\nThe copy is held.\n"));
  const std::string mail = told.given("sendmail");
  CHECK(mail.starts_with("To: root\nSubject: ALARM: rota on "));
  CHECK_THAT(mail, Catch::Contains("\n\nThe copy is held.\n\nmany changed\n"));
  CHECK(read(told.dir / "sendmail.args") == "-i -t\n");
  CHECK(told.warnings.count() == 0);
}

TEST_CASE("a person at the terminal is not told a second time there", "[notify]") {
  Told told;
  told.tell(held(), true);
  CHECK(told.given("wall").empty());
  CHECK_FALSE(told.given("sendmail").empty());
}

TEST_CASE("every way of telling can be left out", "[notify]") {
  Told told;
  told.settings.console = false;
  told.settings.mail = "";
  told.tell(held());
  CHECK(told.given("wall").empty());
  CHECK(told.given("sendmail").empty());
}

TEST_CASE("a program of the operator's reads the event as JSON", "[notify]") {
  Told told;
  told.settings.on_event = told.dir / "mine";
  Message message = held();
  message.text = "no \xff UTF-8\n\"quoted\"";
  told.tell(message);
  const auto event = nlohmann::json::parse(told.given("mine"));
  CHECK(event["event"] == "held");
  CHECK(event["level"] == "alarm");
  CHECK(event["disk"] == "B");
  CHECK(event["time"] == "2026-06-01T12:00:00Z");
  CHECK(event["more"] == nlohmann::json{"many changed"});
  CHECK(told.warnings.count() == 0);
}

TEST_CASE("a program that somebody else could change is not run", "[notify]") {
  Told told;
  told.settings.on_event = told.dir / "mine";
  ::chmod(told.settings.on_event.c_str(), 0777);
  told.tell(held());
  CHECK(told.given("mine").empty());
  REQUIRE(told.warnings.count() == 1);
  CHECK_THAT(told.warnings.list[0].second, Catch::Contains("can be written by others"));
}

TEST_CASE("what fails is warned about, and the other ways are tried", "[notify]") {
  Told told;
  told.program("wall", "exit 1");
  told.program("sendmail", "exit 75");
  told.settings.on_event = told.dir / "mine";
  SECTION("nobody asked for mail: many machines send none") {
    told.tell(held());
    CHECK(told.warnings.count() == 0);
  }
  SECTION("somebody did") {
    told.settings.mail_written = true;
    told.tell(held());
    REQUIRE(told.warnings.count() == 1);
    CHECK_THAT(told.warnings.list[0].second, Catch::Contains("status 75"));
  }
  CHECK_FALSE(told.given("mine").empty());
}

TEST_CASE("trouble that nobody at all was told of is a warning", "[notify]") {
  Told told;
  told.program("sendmail", "exit 75");
  told.program("who", "exit 0");  // wall is content with that
  SECTION("nobody is logged in, and there is no mail") {
    CHECK_FALSE(told.tell(held()));
    REQUIRE(told.warnings.count() == 1);
    CHECK_THAT(told.warnings.list[0].second, Catch::Contains("on_event"));
  }
  SECTION("somebody is logged in") {
    told.program("who", "echo jo tty1");
    CHECK(told.tell(held()));
    CHECK(told.warnings.count() == 0);
  }
  SECTION("somebody sits at the terminal") {
    CHECK(told.tell(held(), true));
    CHECK(told.warnings.count() == 0);
  }
  SECTION("it is no trouble") {
    Message message = held();
    message.level = Level::good;
    CHECK(told.tell(message));
    CHECK(told.warnings.count() == 0);
  }
}

TEST_CASE("a mail has one line for each header, whatever a label says", "[notify]") {
  Message message = held();
  message.disk = "B\nBcc: all@example.org\xc3\xa4";
  message.text = "one\nBcc: two";
  const std::string mail = job::mail_text(message, "root", "host");
  const std::string head = mail.substr(0, mail.find("\n\n"));
  CHECK(head.find("\nBcc") == std::string::npos);
  CHECK(std::ranges::all_of(head, [](char c) { return c == '\n' || (c >= ' ' && c < 0x7f); }));
  CHECK_THAT(mail, Catch::Contains("\n\none\\x0aBcc: two\n"));
}

TEST_CASE("a mail's lines are as long as people read them, and never too long for a mail",
          "[notify]") {
  Message message = held();
  message.text.clear();
  for (int i = 0; i < 500; ++i) message.text += "word" + std::to_string(i) + (i % 7 ? " " : "ü ");
  std::string path = "/";
  for (int i = 0; i < 1000; ++i) path += "äbc";
  message.text += path + " " + std::string(500, 'x') + " end";
  message.more = {std::string(998, 'y'), path, "many changed " + std::string(80, 'z')};
  const std::string mail = job::mail_text(message, "root", "host");
  std::istringstream body(mail.substr(mail.find("\n\n") + 2));
  std::string words;  // without what lies between them
  for (std::string line; std::getline(body, line);) {
    INFO(line);
    CHECK(line.size() <= 998);
    CHECK((line.size() <= 76 || line.find(' ') == std::string::npos));
    CHECK(base::is_utf8(line));
    words += line;
  }
  std::string given = message.text;
  for (const std::string& one : message.more) given += one;
  const auto no_spaces = [](std::string text) {
    std::erase(text, ' ');
    return text;
  };
  CHECK(no_spaces(words) == no_spaces(given));
  CHECK_THAT(mail, Catch::Contains("\n" + std::string(500, 'x') + "\nend\n"));
}

TEST_CASE("a heartbeat that fails is a warning without the address", "[notify]") {
  Told told;
  told.settings.heartbeat = "https://hc.example/ping/secret";
  job::Notifier notifier(told.settings, base::real_processes(), told.http, told.warnings);
  told.http.then(200);
  notifier.heartbeat();
  CHECK(told.warnings.count() == 0);
  REQUIRE(told.http.asked().size() == 1);
  CHECK(told.http.asked()[0].method == "GET");
  CHECK(told.http.asked()[0].url == "https://hc.example/ping/secret");
  // Whatever answers there must not keep a job from its end.
  CHECK(told.http.asked()[0].limit == std::chrono::seconds(30));
  CHECK(told.http.asked()[0].max_response <= 4096);
  told.http.then(404);
  told.http.then_break();
  notifier.heartbeat();
  notifier.heartbeat();
  REQUIRE(told.warnings.count() == 2);
  for (const auto& [what, text] : told.warnings.list) {
    CHECK_THAT(text, !Catch::Contains("secret"));
  }
}
