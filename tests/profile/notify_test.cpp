#include "profile/notify.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "profile/rotation.h"

using namespace rota;

namespace {

profile::NotifySettings settings(const std::string& text) {
  return profile::read_rotation("[notify]\n" + text, "r.toml").notify;
}

std::string why(const std::string& text) {
  try {
    settings(text);
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::config);
    return error.what();
  }
  FAIL("nothing was thrown for: " << text);
  return "";
}

}  // namespace

TEST_CASE("every key of [notify] is read", "[notify]") {
  const auto all = settings(R"(
console = false
mail = "admin@example.org"
desktop = true
on_event = "/etc/rota/told"
heartbeat = "https://hc.example/ping/1?a=b"
)");
  CHECK_FALSE(all.console);
  CHECK(all.mail == "admin@example.org");
  CHECK(all.mail_written);
  CHECK(all.desktop);
  CHECK(all.on_event == "/etc/rota/told");
  CHECK(all.heartbeat == "https://hc.example/ping/1?a=b");
}

TEST_CASE("without [notify] the console and root are told", "[notify]") {
  const auto defaults = profile::read_rotation("", "r.toml").notify;
  CHECK(defaults.console);
  CHECK(defaults.mail == "root");
  CHECK_FALSE(defaults.mail_written);
  CHECK_FALSE(defaults.desktop);
  CHECK(defaults.on_event.empty());
  CHECK(defaults.heartbeat.empty());
  CHECK(settings("mail = \"\"").mail.empty());
}

TEST_CASE("what cannot be used in [notify] is refused, without showing a secret", "[notify]") {
  CHECK_THAT(why("heartbeet = \"x\""),
             Catch::Contains("r.toml:2") && Catch::Contains("\"heartbeat\"?"));
  for (const char* address : {"-oQ/tmp", "a b", "a,b", "a\\nBcc: b", "<a@b>"}) {
    CHECK_THAT(why(std::string("mail = \"") + address + "\""), Catch::Contains("mail must be"));
  }
  CHECK_THAT(why("on_event = \"told\""), Catch::Contains("on_event"));
  for (const char* address :
       {"ftp://x/secret", "https://", "https://u:secret@x/", "https://x/se cret"}) {
    const std::string reason = why(std::string("heartbeat = \"") + address + "\"");
    CHECK_THAT(reason, Catch::Contains("heartbeat must be") && !Catch::Contains("secret"));
  }
}
