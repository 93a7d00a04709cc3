#include "store/time_travel.h"

#include <fmt/core.h>

#include "base/error.h"

namespace rota::store {

namespace {

using base::Error;
using base::ErrorKind;

/// Of about 300 bytes each: 2 MB. A page of a listing asks no more of the store.
constexpr std::size_t kMaxRemembered = 8192;
constexpr std::size_t kPage = 1000;

VersionedStore& versioned(Store* store) {
  auto* versions = dynamic_cast<VersionedStore*>(store);
  if (versions == nullptr) {
    throw Error(
        ErrorKind::config,
        fmt::format("the store {} keeps no old versions of its objects: it can only be read "
                    "as it is now",
                    store->description()));
  }
  return *versions;
}

[[noreturn]] void only_for_reading(const std::string& store) {
  throw Error(ErrorKind::refused,
              fmt::format("{} can only be read: the past is not changed", store));
}

}  // namespace

TimeTravelStore::TimeTravelStore(std::unique_ptr<Store> store, base::Instant at)
    : store_(std::move(store)), versions_(versioned(store_.get())), at_(at) {}

std::string TimeTravelStore::description() const {
  return fmt::format("{} as of {}", store_->description(), base::iso(at_));
}

void TimeTravelStore::expect(const std::string& name, const std::string& hash) {
  if (hash.empty()) return;
  const std::lock_guard lock(mutex_);
  expected_[name] = hash;
  found_.erase(name);
}

bool TimeTravelStore::counts(const ObjectVersion& version) const {
  return std::chrono::floor<std::chrono::seconds>(version.since) <= at_;
}

void TimeTravelStore::remember(const ObjectVersion& version) {
  const std::lock_guard lock(mutex_);
  if (expected_.contains(version.name)) return;
  if (found_.size() >= kMaxRemembered) found_.clear();
  found_.insert_or_assign(version.name, version);
}

std::optional<ObjectVersion> TimeTravelStore::search(const std::string& name,
                                                     const std::string& hash) {
  VersionPosition from{name, ""};
  for (;;) {
    const VersionPage page = versions_.versions(name, from, kPage);
    for (const ObjectVersion& version : page.versions) {
      if (version.name < name) continue;
      if (version.name > name) return std::nullopt;
      if (hash.empty() ? counts(version) : !version.marker && version.hash == hash) {
        if (version.marker) return std::nullopt;
        return version;
      }
    }
    if (!page.next || page.next->name > name) return std::nullopt;
    from = *page.next;
  }
}

ObjectVersion TimeTravelStore::find(const std::string& name) {
  check_name(name);
  std::string hash;
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = found_.find(name); known != found_.end()) return known->second;
    if (const auto known = expected_.find(name); known != expected_.end()) hash = known->second;
  }
  const std::optional<ObjectVersion> version = search(name, hash);
  if (!version) {
    throw Error(
        ErrorKind::not_found,
        hash.empty()
            ? fmt::format("there is no object {} in the store {}", name, description())
            : fmt::format("no version of the object {} in the store {} has the content that "
                          "it must have",
                          name, description()));
  }
  const std::lock_guard lock(mutex_);
  if (found_.size() >= kMaxRemembered) found_.clear();
  return found_.insert_or_assign(name, *version).first->second;
}

base::Bytes TimeTravelStore::get(const std::string& name, std::uint64_t limit) {
  return versions_.get_version(find(name), limit);
}

std::size_t TimeTravelStore::read_some(const std::string& name, std::uint64_t offset,
                                       std::span<std::byte> buffer) {
  return versions_.read_version(find(name), offset, buffer);
}

Page TimeTravelStore::list(const std::string& prefix, const std::string& after, std::size_t limit) {
  Page page;
  VersionPosition from{after, ""};
  std::string decided = after;  // of this name no older version matters any more
  for (;;) {
    const VersionPage versions = versions_.versions(prefix, from, kPage);
    for (const ObjectVersion& version : versions.versions) {
      if (version.name <= decided || !counts(version)) continue;
      decided = version.name;
      if (version.marker) continue;
      if (page.objects.size() == limit) {
        page.more = true;
        return page;
      }
      page.objects.push_back({version.name, version.size, version.hash});
      remember(version);
    }
    if (!versions.next) return page;
    from = *versions.next;
  }
}

void TimeTravelStore::put(const std::string&, std::span<const std::byte>) {
  only_for_reading(description());
}

Removal TimeTravelStore::remove(const std::string&) { only_for_reading(description()); }

}  // namespace rota::store
