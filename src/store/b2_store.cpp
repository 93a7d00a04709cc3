#include "store/b2_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <ranges>

#include "base/error.h"
#include "store/b2_downloads.h"
#include "store/b2_powers.h"

namespace rota::store {

using base::Error;
using base::ErrorKind;
using nlohmann::json;

namespace {

/// What one class C transaction pays for.
constexpr std::size_t kPage = 1000;

/// Whether a name that is_name() takes can begin like this.
bool can_begin_name(std::string_view prefix) {
  return prefix.empty() || is_name(prefix) ||
         (prefix.ends_with('/') && is_name(prefix.substr(0, prefix.size() - 1)));
}

/// A position for a listing from which no name behind `after` is left out. Only what can stand in a
/// name goes to the server: '-' is the least of these characters.
std::string first_behind(std::string_view after) {
  if (after.empty()) return "";
  if (is_name(after)) return std::string(after) + "-";
  std::size_t good = after.size();
  while (good > 0 && !can_begin_name(after.substr(0, good))) --good;
  return std::string(after.substr(0, good));
}

bool is_code(const B2Error& error, std::string_view code) { return error.refusal().code == code; }

}  // namespace

B2Store::B2Store(std::unique_ptr<HttpClient> http, B2Session::Settings settings)
    : http_(std::move(http)), session_(*http_, std::move(settings)), uploads_(session_) {}

void B2Store::put(const std::string& name, std::span<const std::byte> data) {
  check_name(name);
  check_size(name, data.size(), description());
  uploads_.put(path_of(name), data, object_hash(HashKind::sha1, data), lock_);
}

base::Bytes B2Store::get(const std::string& name, std::uint64_t limit) {
  check_name(name);
  return download(session_, file_by_name(session_, name), limit);
}

std::size_t B2Store::read_some(const std::string& name, std::uint64_t offset,
                               std::span<std::byte> buffer) {
  check_name(name);
  return download_range(session_, file_by_name(session_, name), offset, buffer);
}

Page B2Store::list(const std::string& prefix, const std::string& after, std::size_t limit) {
  Page page;
  if (!can_begin_name(prefix) || limit == 0) return page;
  const std::string& root = session_.target().prefix;
  json arguments{{"bucketId", session_.account()->bucket_id}, {"prefix", root + prefix}};
  if (!after.empty()) arguments["startFileName"] = root + first_behind(after);
  for (;;) {
    arguments["maxFileCount"] = std::min(kPage, limit - page.objects.size());
    const json answer = session_.call("b2_list_file_names", arguments, "a listing");
    for (const json& file : array_of(answer, "files")) {
      if (!file.is_object() || text_of(file, "action") != "upload") continue;
      const std::string path = text_of(file, "fileName");
      const auto size = number_of(file, "contentLength");
      if (!path.starts_with(root + prefix) || !size) continue;
      std::string name = path.substr(root.size());
      // Whatever the server says: in order, and only what can be an object.
      const std::string& last = page.objects.empty() ? after : page.objects.back().name;
      if (!is_name(name) || name <= last || page.objects.size() == limit) continue;
      page.objects.push_back({std::move(name), *size, sha1_of(text_of(file, "contentSha1"))});
    }
    const std::string next = text_of(answer, "nextFileName");
    page.more = !next.empty();
    if (!page.more || page.objects.size() == limit) return page;
    if (next <= arguments.value("startFileName", "")) {
      throw Error(ErrorKind::corrupt,
                  fmt::format("the listing of {} does not come to an end", description()));
    }
    arguments["startFileName"] = next;
  }
}

Removal B2Store::remove(const std::string& name) {
  check_name(name);
  const auto account = session_.account();
  const bool may_delete = account->can("deleteFiles") && account->can("listFiles");
  return may_delete ? delete_versions(path_of(name), *account) : hide(path_of(name), *account);
}

Removal B2Store::delete_versions(const std::string& path, const B2Account& account) {
  Removal result = Removal::gone;
  json arguments{{"bucketId", account.bucket_id},
                 {"prefix", path},
                 {"startFileName", path},
                 {"maxFileCount", 100}};
  for (;;) {
    const json answer = session_.call("b2_list_file_versions", arguments, "a listing");
    // The oldest first: no older version comes to light in between.
    const json& files = array_of(answer, "files");
    for (auto file = files.rbegin(); file != files.rend(); ++file) {
      if (!file->is_object() || text_of(*file, "fileName") != path) continue;
      try {
        session_.call("b2_delete_file_version",
                      {{"fileName", path}, {"fileId", text_of(*file, "fileId")}},
                      "the removal of " + path);
      } catch (const B2Error& error) {
        if (is_code(error, "access_denied") || is_code(error, "unauthorized")) {
          result = Removal::later;
        } else if (!is_code(error,
                            "file_not_present")) {  // an answer was lost, or another was here
          throw;
        }
      }
    }
    const std::string next = text_of(answer, "nextFileName");
    const std::string next_id = text_of(answer, "nextFileId");
    if (next != path || next_id.empty() || next_id == arguments.value("startFileId", "")) {
      return result;
    }
    arguments["startFileId"] = next_id;
  }
}

Removal B2Store::hide(const std::string& path, const B2Account& account) {
  if (!hidden_is_deleted(path, account)) {
    const std::string name = path.substr(session_.target().prefix.size());
    const Page page = list(name, "", 1);
    const bool there = !page.objects.empty() && page.objects.front().name == name;
    return there ? Removal::later : Removal::gone;
  }
  try {
    session_.call("b2_hide_file", {{"bucketId", account.bucket_id}, {"fileName", path}},
                  "the hiding of " + path);
  } catch (const B2Error& error) {
    if (is_code(error, "no_such_file")) return Removal::gone;
    if (is_code(error, "unauthorized") || is_code(error, "access_denied")) return Removal::later;
    if (!is_code(error, "already_hidden")) throw;
  }
  return Removal::hidden;
}

std::optional<json> B2Store::bucket_settings(const B2Account& account) {
  try {
    const json answer = session_.call(
        "b2_list_buckets", {{"accountId", account.account_id}, {"bucketId", account.bucket_id}},
        "the look at the bucket's rules");
    for (const json& bucket : array_of(answer, "buckets")) {
      if (bucket.is_object() && text_of(bucket, "bucketId") == account.bucket_id) return bucket;
    }
  } catch (const B2Error& error) {
    if (error.kind() != ErrorKind::refused) throw;  // else: a key that may not know
  }
  return std::nullopt;
}

StorePowers B2Store::inspect() {
  const auto account = session_.account();
  const std::optional<json> bucket = bucket_settings(*account);
  return b2_powers(*account, bucket ? &*bucket : nullptr, session_.target().prefix);
}

bool B2Store::hidden_is_deleted(const std::string& path, const B2Account& account) {
  const std::lock_guard lock(rules_mutex_);
  if (!rules_) {
    const std::optional<json> bucket = bucket_settings(account);
    rules_ = bucket ? array_of(*bucket, "lifecycleRules") : json::array();
  }
  return std::ranges::any_of(*rules_, [&](const json& rule) {
    return rule.is_object() && path.starts_with(text_of(rule, "fileNamePrefix")) &&
           number_of(rule, "daysFromHidingToDeleting").value_or(0) > 0;
  });
}

VersionPage B2Store::versions(const std::string& prefix, const VersionPosition& from,
                              std::size_t limit) {
  VersionPage page;
  if (!can_begin_name(prefix)) return page;
  const std::string& root = session_.target().prefix;
  json arguments{{"bucketId", session_.account()->bucket_id},
                 {"prefix", root + prefix},
                 {"maxFileCount", std::clamp<std::size_t>(limit, 1, kPage)}};
  if (!from.id.empty()) {
    arguments["startFileName"] = root + from.name;
    arguments["startFileId"] = from.id;
  } else if (!from.name.empty()) {
    arguments["startFileName"] = root + (is_name(from.name) ? from.name : first_behind(from.name));
  }
  const json answer = session_.call("b2_list_file_versions", arguments, "a listing");
  for (const json& file : array_of(answer, "files")) {
    if (!file.is_object()) continue;
    const std::string path = text_of(file, "fileName");
    const std::string action = text_of(file, "action");
    const auto time = number_of(file, "uploadTimestamp");
    if (!path.starts_with(root + prefix) || !time || *time > 1ULL << 53) continue;
    ObjectVersion version;
    version.name = path.substr(root.size());
    version.id = text_of(file, "fileId");
    version.since =
        decltype(version.since)(std::chrono::milliseconds(static_cast<std::int64_t>(*time)));
    version.size = number_of(file, "contentLength").value_or(0);
    version.hash = sha1_of(text_of(file, "contentSha1"));
    version.marker = action == "hide";
    if (!is_name(version.name) || (action != "upload" && action != "hide")) continue;
    page.versions.push_back(std::move(version));
  }
  const std::string next = text_of(answer, "nextFileName");
  if (next.starts_with(root) && !next.empty()) {
    page.next = {next.substr(root.size()), text_of(answer, "nextFileId")};
  }
  return page;
}

base::Bytes B2Store::get_version(const ObjectVersion& version, std::uint64_t limit) {
  return download(session_, file_by_id(version.name, version.id), limit);
}

std::size_t B2Store::read_version(const ObjectVersion& version, std::uint64_t offset,
                                  std::span<std::byte> buffer) {
  return download_range(session_, file_by_id(version.name, version.id), offset, buffer);
}

}  // namespace rota::store
