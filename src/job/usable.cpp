#include "job/usable.h"

#include <cstdlib>

#include "chain/key_file.h"
#include "job/recipients.h"
#include "job/store_settings.h"
#include "profile/credentials.h"

namespace rota::job {

void check_usable(const profile::Profile& profile) {
  recipients_of(profile);
  if (!profile.key.empty()) chain::read_key_file(profile.key);
  const bool elsewhere = profile::is_credential_name(profile.credentials) &&
                         std::getenv("CREDENTIALS_DIRECTORY") == nullptr;
  store::StoreSettings settings;
  if (elsewhere) {
    settings = store_settings(profile.target, "", {});
    settings.credentials.emplace("id", "key");
    settings.s3 = {profile.s3.endpoint, profile.s3.region, profile.s3.path_style};
  } else {
    settings = store_settings(profile, {});
  }
  store::open_store(settings);
}

}  // namespace rota::job
