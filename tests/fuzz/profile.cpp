// A profile.toml.
#include "base/bytes.h"
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "profile/settings.h"

using namespace rota;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(base::as_text(fuzz::Input(data, size).rest()));
  profile::Profile profile;
  std::string message;
  if (!fuzz::accepted([&] { profile::read_settings(text, "fuzz", profile); },
                      {base::ErrorKind::config}, &message)) {
    fuzz::require(message.starts_with("fuzz:"), "a message names the file: " + message);
    fuzz::require(base::is_utf8(message), "a message is UTF-8");
    for (const char c : message) {
      fuzz::require(static_cast<unsigned char>(c) >= ' ' && c != 0x7f,
                    "a message is one line that any terminal can show: " + message);
    }
    return 0;
  }
  fuzz::require(profile.source.starts_with('/'), "the source is absolute");
  fuzz::require(!profile.target.empty(), "there is a target");
  fuzz::require(profile.compression_level >= 1 && profile.compression_level <= 19, "a level");
  fuzz::require(profile.max_fulls_with_incrs >= 1, "a full keeps its increments");
  fuzz::require(profile.drill.scratch.starts_with('/'), "drills have a place");
  fuzz::require(profile.drill.check.empty() || profile.drill.check.starts_with('/'),
                "a program is named by an absolute path");
  fuzz::require(profile.drill.check_timeout.count() > 0 &&
                    profile.drill.check_timeout <= std::chrono::hours(168),
                "a check ends");
  for (const std::string& name : profile.exclude_if_present) {
    fuzz::require(!name.empty() && name.find('/') == std::string::npos, "names of files");
  }
  return 0;
}
