#include "store/time_travel.h"

#include <fmt/core.h>

#include <ranges>
#include <vector>

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

bool TimeTravelStore::decides(const ObjectVersion& version) const {
  const auto expected = expected_.find(version.name);
  if (expected != expected_.end()) return !version.marker && version.hash == expected->second;
  return std::chrono::floor<std::chrono::seconds>(version.since) <= at_;
}

/// With the mutex held.
void TimeTravelStore::remember(const ObjectVersion& version) {
  if (found_.size() >= kMaxRemembered) found_.clear();
  found_.insert_or_assign(version.name, version);
}

void TimeTravelStore::search(const std::string& name) {
  // Who reads one object of a run mostly reads the next ones too.
  const std::string folder = name.substr(0, name.find_last_of('/') + 1);
  VersionPosition from{name, ""};
  for (;;) {
    const VersionPage page = versions_.versions(folder, from, kPage);
    std::string decided;
    const std::lock_guard lock(mutex_);
    // Backwards, so that `name` itself is what is remembered last.
    std::vector<const ObjectVersion*> standing;
    for (const ObjectVersion& version : page.versions) {
      if (version.name < name || version.name <= decided || !decides(version)) continue;
      decided = version.name;
      if (!version.marker) standing.push_back(&version);
    }
    for (const ObjectVersion* version : standing | std::views::reverse) remember(*version);
    if (!decided.empty() || !page.next || page.next->name > name) return;
    from = *page.next;
  }
}

ObjectVersion TimeTravelStore::find(const std::string& name) {
  check_name(name);
  for (bool searched = false;; searched = true) {
    bool known = false;
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = found_.find(name); found != found_.end()) return found->second;
      known = expected_.contains(name);
    }
    if (searched) {
      throw Error(ErrorKind::not_found,
                  known
                      ? fmt::format("no version of the object {} in the store {} has the content "
                                    "that it must have",
                                    name, description())
                      : fmt::format("there is no object {} in the store {}", name, description()));
    }
    search(name);
  }
}

std::optional<base::Bytes> TimeTravelStore::choose(
    const std::string& name, std::uint64_t limit,
    const std::function<bool(const base::Bytes&)>& right) {
  const auto try_version = [&](const ObjectVersion& version) -> std::optional<base::Bytes> {
    if (version.name != name || version.marker || version.size > limit) return std::nullopt;
    try {
      base::Bytes content = versions_.get_version(version, limit);
      if (!right(content)) return std::nullopt;
      expect(name, version.hash);
      const std::lock_guard lock(mutex_);
      remember(version);
      return content;
    } catch (const Error& error) {  // this one is lost; another may be right
      if (error.kind() != ErrorKind::not_found && error.kind() != ErrorKind::corrupt) throw;
      return std::nullopt;
    }
  };
  try {
    if (auto content = try_version(find(name))) return content;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
  }
  VersionPosition from{name, ""};
  for (;;) {
    const VersionPage page = versions_.versions(name, from, kPage);
    for (const ObjectVersion& version : page.versions) {
      if (auto content = try_version(version)) return content;
    }
    if (!page.next || page.next->name > name) return std::nullopt;
    from = *page.next;
  }
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
    const std::lock_guard lock(mutex_);
    for (const ObjectVersion& version : versions.versions) {
      if (version.name <= decided || !decides(version)) continue;
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
