#include "store/open.h"

#include <fmt/core.h>

#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "store/b2_store.h"
#include "store/curl_client.h"
#include "store/directory_store.h"
#include "store/s3_store.h"
#include "store/sftp_store.h"
#include "store/target.h"

namespace rota::store {

namespace {

std::unique_ptr<Store> open_directory(const StoreSettings& settings) {
  constexpr std::string_view kScheme = "file://";
  std::string path = settings.target;
  if (path.starts_with(kScheme)) path.erase(0, kScheme.size());
  // A zero byte would end the path for the operating system only. And "/" itself is a slip of the
  // keyboard, never a place for backups.
  const bool usable = path.starts_with('/') && path.find_first_not_of('/') != std::string::npos &&
                      path.find('\0') == std::string::npos;
  if (!usable) {
    throw base::Error(
        base::ErrorKind::config,
        fmt::format("'{}' is not a store that rota can open: give b2://bucket/prefix, "
                    "s3://bucket/prefix, sftp://user@host/path or a directory, as "
                    "file:///srv/backup or /srv/backup",
                    without_password(settings.target)));
  }
  return std::make_unique<DirectoryStore>(
      path, base::real_files(), DirectoryStore::Pace{settings.rate, settings.clock, settings.stop});
}

std::unique_ptr<Store> open_sftp(const StoreSettings& settings) {
  SftpSettings sftp;
  sftp.key = settings.sftp.key_file;
  sftp.known_hosts = settings.sftp.known_hosts;
  sftp.rate = settings.rate;
  sftp.stop = settings.stop;
  sftp.clock = settings.clock;
  return std::make_unique<SftpStore>(parse_sftp_target(settings.target), std::move(sftp));
}

/// store: its description.
const Credentials& key_of(const StoreSettings& settings, const std::string& store) {
  if (settings.credentials) return *settings.credentials;
  throw base::Error(base::ErrorKind::config,
                    fmt::format("the store {} needs an access key: put key_id = \"...\" and key = "
                                "\"...\" into a file of mode 600 and name it, with `credentials` "
                                "in the profile or --credentials",
                                store));
}

std::unique_ptr<HttpClient> network(const StoreSettings& settings) {
  return std::make_unique<CurlClient>(settings.rate, settings.stop);
}

std::unique_ptr<Store> open_b2(const StoreSettings& settings) {
  BucketTarget target = parse_bucket_target("b2", settings.target);
  const Credentials& key = key_of(settings, target.description("b2"));
  return std::make_unique<B2Store>(network(settings),
                                   B2Session::Settings{std::move(target), key, settings.b2_api_url,
                                                       *settings.clock, settings.stop});
}

std::unique_ptr<Store> open_s3(const StoreSettings& settings) {
  BucketTarget target = parse_bucket_target("s3", settings.target);
  S3Place place = s3_place(target.bucket, settings.s3);
  const Credentials& key = key_of(settings, target.description("s3"));
  return std::make_unique<S3Store>(std::move(target), std::move(place), key, network(settings),
                                   *settings.clock, settings.stop);
}

}  // namespace

std::unique_ptr<Store> open_store(const StoreSettings& settings) {
  if (settings.target.starts_with("b2://")) return open_b2(settings);
  if (settings.target.starts_with("s3://")) return open_s3(settings);
  if (settings.target.starts_with(kSftpScheme)) return open_sftp(settings);
  return open_directory(settings);
}

}  // namespace rota::store
