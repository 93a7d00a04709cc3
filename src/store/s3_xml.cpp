#include "store/s3_xml.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <pugixml.hpp>

#include "base/time.h"

namespace rota::store {

namespace {

constexpr int kMaxDepth = 16;  // the answers have at most seven levels

// pugixml expands only the five entities that XML itself has, and numbered characters.
constexpr unsigned kParse = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol;

/// True when there may be a document type: "<!" that begins neither a comment nor CDATA. No S3
/// answer has one.
bool has_doctype(std::string_view xml) {
  for (std::size_t at = xml.find("<!"); at != std::string_view::npos; at = xml.find("<!", at + 2)) {
    const std::string_view rest = xml.substr(at + 2);
    if (!rest.starts_with("--") && !rest.starts_with("[CDATA[")) return true;
  }
  return false;
}

struct DepthCheck final : pugi::xml_tree_walker {
  bool for_each(pugi::xml_node&) override { return depth() < kMaxDepth; }
};

/// An answer and the one element that it must be.
class Answer {
 public:
  Answer(std::string_view xml, std::string_view root) {
    // A zero byte would end the document for pugixml.
    const bool cut = xml.find('\0') != std::string_view::npos;
    if (xml.size() > kMaxS3Answer || cut || has_doctype(xml)) return;
    if (!document_.load_buffer(xml.data(), xml.size(), kParse, pugi::encoding_utf8)) return;
    DepthCheck depth;
    if (!document_.traverse(depth)) return;
    const pugi::xml_node element = document_.document_element();
    if (root != element.name() || element.next_sibling()) return;
    root_ = element;
  }
  explicit operator bool() const { return !root_.empty(); }
  const pugi::xml_node& root() const { return root_; }

 private:
  pugi::xml_document document_;
  pugi::xml_node root_;
};

std::string text(const pugi::xml_node& node, const char* child) { return node.child_value(child); }

/// A whole number up to `most`; nothing when there is none.
template <typename Number>
std::optional<Number> number(std::string_view digits,
                             Number most = std::numeric_limits<Number>::max()) {
  Number value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc() || stop != end || value > most || digits.starts_with('-')) return {};
  return value;
}

std::optional<bool> truth(std::string_view word) {
  if (word == "true") return true;
  if (word == "false" || word.empty()) return false;
  return std::nullopt;
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

/// Undoes encoding-type=url: %XX, and + for a space.
std::optional<std::string> url_decoded(std::string_view encoded) {
  std::string raw;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] == '+') {
      raw += ' ';
    } else if (encoded[i] == '%') {
      if (encoded.size() - i < 3) return std::nullopt;
      const auto high = hex_digit(encoded[i + 1]);
      const auto low = hex_digit(encoded[i + 2]);
      if (!high || !low) return std::nullopt;
      raw += static_cast<char>(*high << 4 | *low);
      i += 2;
    } else {
      raw += encoded[i];
    }
  }
  return raw;
}

/// Not every store takes notice of encoding-type=url; one that does says so in its answer.
class Names {
 public:
  explicit Names(const pugi::xml_node& root) : encoded_(text(root, "EncodingType") == "url") {}
  std::optional<std::string> read(const pugi::xml_node& node, const char* child) const {
    const std::string name = text(node, child);
    return encoded_ ? url_decoded(name) : name;
  }

 private:
  bool encoded_;
};

std::optional<S3Object> read_object(const pugi::xml_node& node, const Names& names) {
  const auto key = names.read(node, "Key");
  const auto size = number<std::uint64_t>(text(node, "Size"));
  if (!key || key->empty() || !size) return std::nullopt;
  return S3Object{*key, *size, md5_of_etag(text(node, "ETag"))};
}

/// "2026-01-04T03:00:00.000Z", with or without the fraction.
std::optional<std::chrono::sys_time<std::chrono::milliseconds>> read_time(std::string time) {
  int milliseconds = 0;
  if (const std::size_t dot = time.find('.'); dot != std::string::npos) {
    std::string digits = time.substr(dot + 1);
    if (!digits.ends_with('Z') || digits.size() > 10) return std::nullopt;
    digits.pop_back();
    digits.resize(3, '0');
    const auto value = number<int>(digits);
    if (!value) return std::nullopt;
    milliseconds = *value;
    time = time.substr(0, dot) + "Z";
  }
  const auto second = base::parse_iso(time);
  if (!second) return std::nullopt;
  return *second + std::chrono::milliseconds(milliseconds);
}

std::optional<S3Version> read_version(const pugi::xml_node& node, const Names& names, bool marker) {
  S3Version version;
  version.marker = marker;
  if (marker) {
    const auto key = names.read(node, "Key");
    if (!key || key->empty()) return std::nullopt;
    version.object.key = *key;
  } else {
    const auto object = read_object(node, names);
    if (!object) return std::nullopt;
    version.object = *object;
  }
  const auto modified = read_time(text(node, "LastModified"));
  const auto latest = truth(text(node, "IsLatest"));
  version.id = text(node, "VersionId");
  if (!modified || !latest || version.id.empty()) return std::nullopt;
  version.modified = *modified;
  version.latest = *latest;
  return version;
}

/// Days in `<Days>` or `<Years>`; nothing when neither is there.
std::optional<int> read_days(const pugi::xml_node& node, const char* days, const char* years) {
  constexpr int kMost = 36500;
  const auto value = number<int>(text(node, days), kMost);
  if (years == nullptr || value.value_or(0) > 0) return value;  // some write a 0 beside the years
  if (const auto count = number<int>(text(node, years), kMost / 365)) return *count * 365;
  return value;
}

}  // namespace

std::string md5_of_etag(std::string_view etag) {
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"')) {
    etag = etag.substr(1, etag.size() - 2);
  }
  if (etag.size() != 32) return "";
  std::string md5(etag);
  for (char& c : md5) {
    if (!hex_digit(c)) return "";
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return md5;
}

std::optional<S3Error> read_s3_error(std::string_view xml) {
  const Answer answer(xml, "Error");
  if (!answer) return std::nullopt;
  const pugi::xml_node& root = answer.root();
  return S3Error{text(root, "Code"), text(root, "Message"), text(root, "Region"),
                 text(root, "Endpoint")};
}

std::optional<S3Listing> read_s3_listing(std::string_view xml) {
  const Answer answer(xml, "ListBucketResult");
  if (!answer) return std::nullopt;
  const Names names(answer.root());
  S3Listing listing;
  const auto truncated = truth(text(answer.root(), "IsTruncated"));
  if (!truncated) return std::nullopt;
  listing.truncated = *truncated;
  listing.next_token = text(answer.root(), "NextContinuationToken");
  for (const pugi::xml_node& node : answer.root().children("Contents")) {
    auto object = read_object(node, names);
    if (!object) return std::nullopt;
    listing.objects.push_back(std::move(*object));
  }
  return listing;
}

std::optional<S3Versions> read_s3_versions(std::string_view xml) {
  const Answer answer(xml, "ListVersionsResult");
  if (!answer) return std::nullopt;
  const Names names(answer.root());
  S3Versions versions;
  const auto truncated = truth(text(answer.root(), "IsTruncated"));
  const auto next_key = names.read(answer.root(), "NextKeyMarker");
  if (!truncated || !next_key) return std::nullopt;
  versions.truncated = *truncated;
  versions.next_key = *next_key;
  versions.next_id = text(answer.root(), "NextVersionIdMarker");
  for (const pugi::xml_node& node : answer.root().children()) {
    const std::string_view kind = node.name();
    if (kind != "Version" && kind != "DeleteMarker") continue;
    auto version = read_version(node, names, kind == "DeleteMarker");
    if (!version) return std::nullopt;
    versions.versions.push_back(std::move(*version));
  }
  return versions;
}

std::optional<S3Uploads> read_s3_uploads(std::string_view xml) {
  const Answer answer(xml, "ListMultipartUploadsResult");
  if (!answer) return std::nullopt;
  const Names names(answer.root());
  S3Uploads uploads;
  const auto truncated = truth(text(answer.root(), "IsTruncated"));
  // OpenStack Swift says that it is encoded where it is not; at the end that is no matter.
  const auto next_key = names.read(answer.root(), "NextKeyMarker");
  if (!truncated || (*truncated && !next_key)) return std::nullopt;
  uploads.truncated = *truncated;
  uploads.next_key = next_key.value_or("");
  uploads.next_id = text(answer.root(), "NextUploadIdMarker");
  for (const pugi::xml_node& node : answer.root().children("Upload")) {
    const auto key = names.read(node, "Key");
    const auto initiated = read_time(text(node, "Initiated"));
    S3Upload upload{key.value_or(""), text(node, "UploadId"),
                    initiated.value_or(decltype(S3Upload::initiated){})};
    if (upload.key.empty() || upload.id.empty() || !initiated) return std::nullopt;
    uploads.uploads.push_back(std::move(upload));
  }
  return uploads;
}

std::optional<std::string> read_s3_versioning(std::string_view xml) {
  const Answer answer(xml, "VersioningConfiguration");
  if (!answer) return std::nullopt;
  return text(answer.root(), "Status");
}

std::optional<std::string> read_s3_location(std::string_view xml) {
  const Answer answer(xml, "LocationConstraint");
  if (!answer) return std::nullopt;
  return std::string(answer.root().child_value());
}

std::optional<S3BucketLock> read_s3_bucket_lock(std::string_view xml) {
  const Answer answer(xml, "ObjectLockConfiguration");
  if (!answer) return std::nullopt;
  S3BucketLock lock;
  lock.enabled = text(answer.root(), "ObjectLockEnabled") == "Enabled";
  const pugi::xml_node retention = answer.root().child("Rule").child("DefaultRetention");
  lock.mode = text(retention, "Mode");
  lock.days = read_days(retention, "Days", "Years").value_or(0);
  return lock;
}

std::optional<std::vector<S3LifecycleRule>> read_s3_lifecycle(std::string_view xml) {
  const Answer answer(xml, "LifecycleConfiguration");
  if (!answer) return std::nullopt;
  std::vector<S3LifecycleRule> rules;
  for (const pugi::xml_node& node : answer.root().children("Rule")) {
    S3LifecycleRule rule;
    rule.enabled = text(node, "Status") == "Enabled";
    const pugi::xml_node filter = node.child("Filter");
    // The prefix stood in the rule itself first, later in <Filter>, with tags beside it in <And>.
    for (const pugi::xml_node& place : {node, filter, filter.child("And")}) {
      if (rule.prefix.empty()) rule.prefix = text(place, "Prefix");
    }
    rule.expire_days = read_days(node.child("Expiration"), "Days", nullptr);
    rule.expire_noncurrent_days =
        read_days(node.child("NoncurrentVersionExpiration"), "NoncurrentDays", nullptr);
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace rota::store
