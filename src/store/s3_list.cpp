// Listings of an S3 store: of objects and of their versions.
#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "store/s3_store.h"

namespace rota::store {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t kMaxPage = 1000;  // of every store

/// For an answer that is no list, or none that leads to an end.
[[noreturn]] void no_list(const S3Call& call) {
  throw Error(ErrorKind::unavailable,
              fmt::format("{}: what is answered is no list by name; see that s3.endpoint is an S3 "
                          "store and that no proxy is in between",
                          call.attempt.doing));
}

/// True when names of objects can begin so; not every store can be asked for others.
bool is_name_prefix(const std::string& prefix) {
  return prefix.empty() || is_name(prefix) || is_name(prefix + "x");
}

/// A key behind which `name` comes first of all names: nothing that is_name() lies between.
std::string just_before(std::string name) {
  if (name.empty()) return name;
  name.back() = static_cast<char>(name.back() - 1);
  return name + '~';  // sorts behind all that names are made of
}

}  // namespace

S3Listing S3Store::list_once(const std::string& prefix, const std::string& after, std::size_t limit,
                             const std::string& token) {
  S3Call call = make_call("GET", "", "cannot list what is", "s3:ListBucket");
  call.query = {{"list-type", "2"},
                {"encoding-type", "url"},
                {"max-keys", fmt::format("{}", std::min(limit, kMaxPage))},
                {"prefix", target_.prefix + prefix}};
  if (!token.empty()) {
    call.query.emplace_back("continuation-token", token);
  } else if (!after.empty()) {
    call.query.emplace_back("start-after", target_.prefix + after);
  }
  const HttpResponse response = client_.call(call);
  auto listing = read_s3_listing(base::as_text(response.body));
  if (!listing || response.cut || listing->objects.size() > limit) no_list(call);
  // Else a server that goes in circles would keep us for ever.
  std::string last = target_.prefix + after;
  for (const S3Object& object : listing->objects) {
    if (!object.key.starts_with(target_.prefix + prefix) || object.key <= last) no_list(call);
    last = object.key;
  }
  if (listing->truncated && listing->objects.empty() && listing->next_token.empty()) no_list(call);
  return std::move(*listing);
}

bool S3Store::etags_are_md5(const S3Object* object, const std::string& version) {
  if (etag_ != Etag::unknown) return etag_ == Etag::md5;
  if (object == nullptr) return false;
  // A listing does not tell how objects are encrypted; the object itself does.
  S3Call call = make_call("HEAD", "", "cannot look at an object", "s3:GetObject", version);
  call.key = object->key;
  call.also = 404;  // removed meanwhile
  try {
    note_encryption(client_.call(call));
  } catch (const S3Refusal& refusal) {
    if (!refusal.denied()) throw;
    etag_ = Etag::other;  // a key that may only put and list
  }
  return etag_ == Etag::md5;
}

Page S3Store::list(const std::string& prefix, const std::string& after, std::size_t limit) {
  Page page;
  if (!is_name_prefix(prefix)) return page;
  std::string last = after;
  std::string token;
  bool more = true;
  while (more && page.objects.size() < limit) {
    const S3Listing listing = list_once(prefix, last, limit - page.objects.size(), token);
    // Names hold times: the last one is of the newest, which are as the bucket is set now.
    const auto newest = std::find_if(listing.objects.rbegin(), listing.objects.rend(),
                                     [](const S3Object& object) { return !object.md5.empty(); });
    const bool hashes = etags_are_md5(newest == listing.objects.rend() ? nullptr : &*newest, "");
    for (const S3Object& object : listing.objects) {
      last = object.key.substr(target_.prefix.size());
      if (!is_name(last)) continue;  // somebody else's
      page.objects.push_back({last, object.size, hashes ? object.md5 : ""});
    }
    token = listing.next_token;
    more = listing.truncated;
  }
  page.more = more;
  return page;
}

std::optional<S3Versions> S3Store::list_versions_once(const std::string& prefix,
                                                      const std::string& key, const std::string& id,
                                                      std::size_t limit) {
  S3Call call =
      make_call("GET", "", "cannot list the versions of what is", "s3:ListBucketVersions");
  call.query = {{"versions", ""},
                {"encoding-type", "url"},
                {"max-keys", fmt::format("{}", std::min(limit, kMaxPage))},
                {"prefix", target_.prefix + prefix}};
  if (!key.empty()) call.query.emplace_back("key-marker", key);
  if (!id.empty()) call.query.emplace_back("version-id-marker", id);
  const HttpResponse response = client_.call(call);
  auto page = read_s3_versions(base::as_text(response.body));
  if (!page || response.cut) return std::nullopt;
  for (const S3Version& version : page->versions) {
    if (!version.object.key.starts_with(target_.prefix + prefix)) no_list(call);
  }
  // OpenStack Swift gives "null", which is no version of the object, instead of the last one's id.
  if (page->next_id == "null" && !page->versions.empty() &&
      page->versions.back().object.key == page->next_key) {
    page->next_id = page->versions.back().id;
  }
  const bool goes_on = page->next_key > key || (page->next_key == key && page->next_id != id);
  if (page->truncated && (!goes_on || !page->next_key.starts_with(target_.prefix))) no_list(call);
  // Amazon mixes versions and markers in the order of time; others list markers apart.
  std::ranges::stable_sort(page->versions, [](const S3Version& one, const S3Version& other) {
    if (one.object.key != other.object.key) return one.object.key < other.object.key;
    if (one.latest != other.latest) return one.latest;
    return one.modified > other.modified;
  });
  return page;
}

VersionPage S3Store::versions(const std::string& prefix, const VersionPosition& from,
                              std::size_t limit) {
  VersionPage page;
  if (!is_name_prefix(prefix)) return page;
  // S3 begins behind what it is given, where `from` is what to begin with; with an id it comes from
  // the last page, and is already what S3 wants.
  std::string key;
  if (!from.name.empty()) {
    key = target_.prefix + (from.id.empty() ? just_before(from.name) : from.name);
  }
  const auto answer = list_versions_once(prefix, key, from.id, limit);
  if (!answer) {
    throw Error(ErrorKind::unavailable,
                fmt::format("the store {} does not list versions of objects in a way that rota can "
                            "read: it can only be read as it is now",
                            description()));
  }
  const S3Versions& listed = *answer;
  const auto with_md5 = std::ranges::find_if(
      listed.versions, [](const S3Version& version) { return !version.object.md5.empty(); });
  const bool found = with_md5 != listed.versions.end();
  const bool hashes = etags_are_md5(found ? &with_md5->object : nullptr, found ? with_md5->id : "");
  for (const S3Version& version : listed.versions) {
    const std::string name = version.object.key.substr(target_.prefix.size());
    if (!is_name(name) || (from.id.empty() && name < from.name)) continue;
    page.versions.push_back({name, version.id, version.object.size,
                             hashes ? version.object.md5 : "", version.modified, version.marker});
  }
  if (listed.truncated) {
    page.next = {listed.next_key.substr(target_.prefix.size()), listed.next_id};
    // Without an id the key is done: '!' sorts before all that names are made of.
    if (listed.next_id.empty()) page.next->name += '!';
  }
  return page;
}

}  // namespace rota::store
