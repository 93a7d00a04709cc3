#include "store/target.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "store/store.h"

namespace rota::store {

namespace {

/// What B2 and S3 both allow, old names included.
bool is_bucket_name(std::string_view name) {
  return name.size() >= 3 && name.size() <= 63 && std::ranges::all_of(name, [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_';
         });
}

}  // namespace

std::string without_password(std::string_view target) {
  // A password may itself hold '/', ':' and '@', so all up to the last '@' counts as the user part.
  const std::size_t scheme = target.find("://");
  const std::size_t user = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t at = target.rfind('@');
  const std::size_t colon = target.find(':', user);
  if (at == std::string_view::npos || colon == std::string_view::npos || at < colon) {
    return base::printable(target);
  }
  return base::printable(target.substr(0, colon + 1)) + "***" + base::printable(target.substr(at));
}

std::string BucketTarget::description(std::string_view scheme) const {
  std::string text = fmt::format("{}://{}", scheme, bucket);
  if (!prefix.empty()) text += "/" + prefix.substr(0, prefix.size() - 1);
  return text;
}

BucketTarget parse_bucket_target(std::string_view scheme, std::string_view target) {
  const auto fail = [&](const std::string& reason) {
    throw base::Error(
        base::ErrorKind::config,
        fmt::format("'{}' is not a store that rota can open: {}; write {}://BUCKET or "
                    "{}://BUCKET/PREFIX",
                    without_password(target), reason, scheme, scheme));
  };
  std::string_view rest = target.substr(scheme.size() + 3);
  if (rest.find('@') != std::string_view::npos) {
    fail("the access key does not belong into it, but into the file that `credentials` names");
  }
  BucketTarget parsed;
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  parsed.bucket = rest.substr(0, slash);
  if (!is_bucket_name(parsed.bucket)) {
    fail(fmt::format("\"{}\" cannot be the name of a bucket", base::printable(parsed.bucket)));
  }
  rest.remove_prefix(slash);
  while (rest.starts_with('/')) rest.remove_prefix(1);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.empty()) return parsed;
  // Names of objects come behind it, 512 bytes at most; B2 and S3 take 1,024 in all.
  if (!is_name(rest) || rest.size() > 500) {
    fail(
        "a prefix is made of letters, digits and . _ - in parts joined by /, none of which starts "
        "with a dot, and is at most 500 bytes long");
  }
  parsed.prefix = std::string(rest) + "/";
  return parsed;
}

}  // namespace rota::store
