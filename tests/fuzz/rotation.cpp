// A rotation.toml.
#include "profile/rotation.h"
#include "base/bytes.h"
#include "base/text.h"
#include "fuzz/fuzz.h"

using namespace rota;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(base::as_text(fuzz::Input(data, size).rest()));
  profile::Rotation rotation;
  std::string message;
  if (!fuzz::accepted([&] { rotation = profile::read_rotation(text, "fuzz"); },
                      {base::ErrorKind::config}, &message)) {
    fuzz::require(message.starts_with("fuzz:"), "a message names the file: " + message);
    fuzz::require(base::is_utf8(message), "a message is UTF-8");
    for (const char c : message) {
      fuzz::require(static_cast<unsigned char>(c) >= ' ' && c != 0x7f,
                    "a message is one line that any terminal can show: " + message);
    }
    return 0;
  }
  fuzz::require(!rotation.sets.empty(), "there is a set");
  for (const profile::DiskSet& set : rotation.sets) {
    fuzz::require(!set.name.empty() && set.keep >= 0 && set.interval != base::Span{},
                  "a set can be used");
    for (const std::string& disk : set.disks) {
      fuzz::require(rotation.set_of(disk) == &set, "a disk belongs to the set that names it");
      fuzz::require(disk.size() <= 7 && disk.find('/') == std::string::npos, "names of disks");
    }
  }
  const base::Instant now = *base::parse_iso("2026-10-24T03:00:00Z");
  fuzz::require(base::after(now, rotation.drill_every) >= now, "drills do not come before today");
  const std::string& mail = rotation.notify.mail;
  fuzz::require(!mail.starts_with('-') && mail.find_first_of(" \r\n,;<>|") == std::string::npos,
                "an address of mail is one, and no option of sendmail's");
  fuzz::require(rotation.notify.on_event.empty() || rotation.notify.on_event.starts_with('/'),
                "a program is named by an absolute path");
  fuzz::require(rotation.notify.heartbeat.find_first_of("@ \r\n") == std::string::npos,
                "a heartbeat's address holds no password and is one line");
  return 0;
}
