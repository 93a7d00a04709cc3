#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "store/b2_session.h"
#include "store/powers.h"

namespace rota::store {

/// What a key may do in a bucket.
///
/// bucket: as b2_list_buckets shows it; null when the key may not see it. root: the target's
/// prefix: rules for other names do not count. Pure; every field is taken as hostile.
/// Sources: backblaze.com/docs/cloud-storage-application-key-capabilities,
/// backblaze.com/docs/cloud-storage-lifecycle-rules,
/// backblaze.com/docs/cloud-storage-enable-object-lock-with-the-native-api
StorePowers b2_powers(const B2Account& account, const nlohmann::json* bucket,
                      const std::string& root);

}  // namespace rota::store
