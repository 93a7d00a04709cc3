#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/powers.h"
#include "store/s3_xml.h"

namespace rota::store {

/// What a store says when it is asked for one setting of a bucket.
struct S3Setting {
  enum class Answer {
    told,
    none,    ///< the bucket has none such, or the store has not
    unknown  ///< the key may not ask
  };
  Answer answer = Answer::unknown;
  std::string xml{};  ///< where it was told
};

/// All that is asked.
struct S3Settings {
  S3Setting versioning{};
  S3Setting lifecycle{};
  S3Setting lock{};
  S3Setting location{};
  Right may_delete{};
};

/// What a key may do in a bucket, as far as it can be told.
///
/// root: the target's prefix: rules for other names do not count. Pure; every answer is taken as
/// hostile, and one that cannot be read says nothing.
/// Sources: AWS, "Managing your storage lifecycle", "How S3 Object Lock works", "How S3 Versioning
/// works".
StorePowers s3_powers(const S3Settings& settings, const std::string& root);

/// The status of versioning; nothing when it is not known.
std::optional<std::string> s3_versioning(const S3Setting& setting);

}  // namespace rota::store
