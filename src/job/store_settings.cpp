#include "job/store_settings.h"

#include "profile/credentials.h"

namespace rota::job {

store::StoreSettings store_settings(const std::string& target, const std::string& credentials,
                                    const std::stop_token& stop) {
  store::StoreSettings settings{.target = target, .stop = stop};
  // A directory needs none, and takes no notice of a file that is named all the same.
  if (!credentials.empty() && !profile::local_target(target)) {
    profile::KeyPair pair = profile::read_credentials(credentials);
    settings.credentials.emplace(std::move(pair.id), std::move(pair.key));
  }
  return settings;
}

store::StoreSettings store_settings(const profile::Profile& profile, const std::stop_token& stop) {
  store::StoreSettings settings = store_settings(profile.target, profile.credentials, stop);
  settings.rate = profile.rate;
  settings.b2_api_url = profile.b2.api_url;
  settings.s3 = {profile.s3.endpoint, profile.s3.region, profile.s3.path_style};
  return settings;
}

}  // namespace rota::job
