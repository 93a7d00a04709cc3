#include "job/examine.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "chain/names.h"
#include "job/server.h"
#include "job/store_settings.h"
#include "job/usable.h"
#include "store/open.h"
#include "store/target.h"

namespace rota::job {

namespace {

namespace fs = std::filesystem;

/// The filesystem that holds, or will hold, `path`. Nothing when it cannot be asked.
std::optional<std::uint64_t> free_below(fs::path path) {
  std::error_code error;
  while (!fs::exists(path, error) && path.has_relative_path()) path = path.parent_path();
  const fs::space_info space = fs::space(path, error);
  if (error) return std::nullopt;
  return space.available;
}

std::vector<Room> look_for_room(const profile::Places& places, const profile::Profile& profile) {
  std::vector<Room> rooms{{"the state", places.state, 0}, {"the cache", places.cache, 0}};
  // As base::open_temporary() does.
  const char* temporary = std::getenv("TMPDIR");
  rooms.push_back(
      {"temporary files", temporary != nullptr && *temporary != '\0' ? temporary : "/var/tmp", 0});
  if (const auto target = profile::local_target(profile.target)) {
    rooms.push_back({"the store", *target, 0});
  }
  std::vector<Room> known;
  for (Room& room : rooms) {
    const auto free = free_below(room.path);
    if (!free) continue;
    room.free = *free;
    known.push_back(std::move(room));
  }
  return known;
}

void look_at_store(Seen& seen, const std::stop_token& stop) {
  seen.store = store::without_password(seen.profile.target);
  try {
    const auto store = store::open_store(store_settings(seen.profile, stop));
    seen.store = store->description();
    if (auto* inspectable = dynamic_cast<store::InspectableStore*>(store.get())) {
      seen.powers = inspectable->inspect();
      if (seen.powers->free_bytes) {
        seen.rooms.push_back({"the store", seen.store, *seen.powers->free_bytes});
      }
    }
    seen.store_empty = store->list(std::string(chain::kRecordPrefix), "", 1).objects.empty();
    // To tell its clock an SFTP store makes a file, and its directory.
    if (!seen.store_empty) seen.store_time = store->now();
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::interrupted) throw;
    seen.store_problem = error.what();
  }
}

std::string user_name() {
  const passwd* user = ::getpwuid(::geteuid());
  return user != nullptr ? user->pw_name : "root";
}

/// Where a program of that name lies by custom: hier(7), and the Linux Standard Base.
std::string find_sendmail(const std::string& root) {
  for (const char* path : {"/usr/sbin/sendmail", "/usr/lib/sendmail"}) {
    if (::access((root + path).c_str(), X_OK) == 0) return path;
  }
  return "";
}

}  // namespace

Seen examine(const profile::Places& places, const std::string& name, base::Clock& clock,
             const std::stop_token& stop, const Outlook& outlook) {
  Seen seen;
  seen.profile = profile::load_profile(places, name);
  for (const std::string& path : seen.profile.canaries) {
    if (!base::exists(path)) seen.missing_canaries.push_back(path);
  }
  seen.rooms = look_for_room(places, seen.profile);
  seen.schedules = find_schedules(outlook.root, user_name(), name);
  seen.sendmail = find_sendmail(outlook.root);
  try {
    check_usable(seen.profile);
  } catch (const base::Error& error) {
    seen.unusable = error.what();
  }
  seen.wrote = base::exists(places.state + "/" + name + "/last");
  ledger::Ledger ledger(places.ledger(), ledger::Ledger::Access::read);
  seen.runs = ledger.runs(name);
  seen.verifications = ledger.last_verifications(name);
  look_at_store(seen, stop);
  seen.now = clock.now();  // after what may have taken long
  return seen;
}

}  // namespace rota::job
