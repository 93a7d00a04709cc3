#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "profile/places.h"

namespace rota::profile {

/// One server's settings: <config>/<name>/profile.toml and the files beside it.
struct Profile {
  std::string name;
  std::string directory;     ///< <config>/<name>
  std::string source = "/";  ///< absolute, no trailing slash (but "/")
  std::string target;        ///< a URL or a directory, as written; src/store says what exists
  std::string credentials;   ///< absolute path of a file or name of a systemd credential (see
                             ///< profile/credentials.h); empty: none are needed
  std::vector<std::string> encrypt_to;  ///< texts of recipients (chain/key.h); empty: no encryption
  std::string key;                      ///< absolute path of a secret key file; empty: none
  bool one_file_system = false;         ///< do not enter other mounted filesystems
  bool exclude_caches = true;           ///< leave out what CACHEDIR.TAG marks as a cache
  std::vector<std::string> exclude_if_present;  ///< a directory that holds such a name is left out
  std::vector<std::string> canaries;            ///< files that nothing ever touches; absolute
  base::Span max_age{.years = 2};
  int max_fulls_with_incrs = 2;
  base::Span max_full_age{.months = 3};
  /// How long every run stays locked against deletion at least, where the store can; 0: not at all.
  int lock_days = 0;
  bool lock_compliance = false;  ///< nobody can lift the lock, not even the account's owner
  int compression_level = 3;     ///< 1 to 19
  std::uint64_t rate = 0;        ///< bytes a second to and from the target; 0: no limit
  struct B2 {
    std::string api_url;  ///< where to log in; empty: at Backblaze
  } b2;
  struct S3 {
    std::string endpoint;            ///< "https://host[:port]"; empty: Amazon's
    std::string region;              ///< empty: as the endpoint's name says, or Amazon itself
    std::optional<bool> path_style;  ///< nothing: only off on Amazon
  } s3;
  struct Sftp {
    std::string known_hosts;  ///< absolute path of a file; empty: the user's own
  } sftp;
  /// How what was restored to try it is checked, and where: `rota drill`.
  struct Drill {
    std::string scratch = "/var/tmp";          ///< absolute: where there is room for it
    std::string check;                         ///< absolute path of a program; empty: none
    std::chrono::seconds check_timeout{3600};  ///< after which it has failed
  } drill;
  /// What the store charges, for `rota cost`. At first: Backblaze B2's prices for pay-as-you-go.
  struct Cost {
    std::string currency = "USD";
    std::string as_of = "2026-05-01";   ///< when the prices held; shown, not reckoned with
    double storage_gb_month = 0.00695;  ///< for a GB (10^9 bytes) over 30 days
    double free_storage_gb = 10;
    double download_gb = 0.01;
    double free_download = 3;  ///< downloads in a month up to so many times its mean storage
    double class_b_10000 = 0;  ///< for 10,000 calls that fetch data
    double class_c_1000 = 0;   ///< for 1,000 calls that list and log in
    int kept_after_purge = 0;  ///< for so many days what was purged stays there and is charged
    int drills = 4;            ///< full restores a year
    int disk_copies = 12;      ///< copies onto rotation disks a year
  } cost;
  std::string exclude_path;  ///< <directory>/exclude, whether it is there or not
  std::string exclude_text;  ///< its content; empty when it is absent
  std::string pre;           ///< executable to run before; empty: none
  std::string post;          ///< executable to run afterwards; empty: none
};

/// Throws Error(usage) unless `name` is [A-Za-z0-9][A-Za-z0-9._-]{0,63} and not "keys", which is
/// the directory of the disk keys.
void check_profile_name(std::string_view name);

/// The names of the directories in places.config that hold a profile.toml, sorted.
std::vector<std::string> list_profiles(const Places& places);

/// The one profile, when there is just one. Throws Error(config) when there is none and
/// Error(usage), naming them all, when there are several.
std::string only_profile(const Places& places);

/// Throws Error(usage) for a name that cannot be one and Error(config), with file and line, for
/// anything in the profile that cannot be used. That includes `pre` and `post` that are not
/// executable or that someone else could change: rota runs them with its own rights.
Profile load_profile(const Places& places, const std::string& name);

/// The directory that `target` means, when it is one on this machine: "file:///srv/backup" or
/// "/srv/backup".
std::optional<std::string> local_target(std::string_view target);

/// Absolute paths strictly within the source that are always left out because they are rota's own:
/// the cache, a local target, and what opens stores, chains and disks: credentials and secret keys
/// of all profiles, as far as these can be read, the disk keys, and the journals of unfinished
/// runs. Where the way to one leads through a symlink, the place where it really lies is left out
/// as well. Looks at the filesystem; what does not exist yet is fine.
std::vector<std::string> implied_excludes(const Profile& profile, const Places& places);

}  // namespace rota::profile
