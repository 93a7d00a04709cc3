#include "store/time_travel.h"

#include <fmt/core.h>

#include <vector>

#include "base/error.h"
#include "base/hash.h"

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

void TimeTravelStore::expect(const std::string& name, Expected content) {
  const std::lock_guard lock(mutex_);
  expected_.insert_or_assign(name, std::move(content));
  found_.erase(name);
}

VersionChoice TimeTravelStore::choice_of(const std::string& name) const {
  const auto expected = expected_.find(name);
  return {expected != expected_.end() ? &expected->second : nullptr, store_->hash_kind(), at_};
}

/// With the mutex held, as the next one.
void TimeTravelStore::remember(const ObjectVersion& version) {
  if (found_.size() >= kMaxRemembered) found_.clear();
  found_.insert_or_assign(version.name, version);
}

void TimeTravelStore::remember(const VersionChoice& choice) {
  if (choice.sure()) {
    if (!choice.sure()->marker) remember(*choice.sure());
  } else if (choice.likely() && !choice.needs_reading()) {
    remember(*choice.likely());
  }
}

VersionChoice TimeTravelStore::search(const std::string& name) {
  // Who reads one object of a run mostly reads the next ones too.
  const std::string folder = name.substr(0, name.find_last_of('/') + 1);
  std::unique_lock lock(mutex_);
  VersionChoice own = choice_of(name);
  VersionPosition from{name, ""};
  for (;;) {
    lock.unlock();
    const VersionPage page = versions_.versions(folder, from, kPage);
    lock.lock();
    std::map<std::string, VersionChoice> others;
    for (const ObjectVersion& version : page.versions) {
      if (version.name == name) own.add(version);
      if (version.name <= name) continue;
      others.try_emplace(version.name, choice_of(version.name)).first->second.add(version);
    }
    for (const auto& [other, choice] : others) {
      const bool may_go_on = page.next && page.next->name == other;
      if (choice.sure() || !may_go_on) remember(choice);
    }
    // Last, so that nothing makes room by forgetting it.
    const bool is_all = !page.next || page.next->name > name;
    if (own.sure() || is_all) remember(own);
    if (own.sure() || is_all) return own;
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
    const VersionChoice choice = search(name);
    if (choice.needs_reading()) find_by_content(name, *choice.likely());
  }
}

template <typename Use>
void TimeTravelStore::each_version(const std::string& name, Use use) {
  VersionPosition from{name, ""};
  for (;;) {
    const VersionPage page = versions_.versions(name, from, kPage);
    for (const ObjectVersion& version : page.versions) {
      if (version.name == name && use(version)) return;
    }
    if (!page.next || page.next->name > name) return;
    from = *page.next;
  }
}

std::optional<base::Bytes> TimeTravelStore::try_to_read(const ObjectVersion& version,
                                                        std::uint64_t limit) {
  if (version.marker || version.size > limit) return std::nullopt;
  try {
    return versions_.get_version(version, limit);
  } catch (const Error& error) {  // this one is lost; another may be right
    if (error.kind() != ErrorKind::not_found && error.kind() != ErrorKind::corrupt) throw;
    return std::nullopt;
  }
}

void TimeTravelStore::find_by_content(const std::string& name, const ObjectVersion& likely) {
  Expected expected;
  {
    const std::lock_guard lock(mutex_);
    expected = expected_.at(name);
  }
  if (expected.size > kMaxObject) {  // none of rota's; whoever reads it sees what is wrong
    const std::lock_guard lock(mutex_);
    return remember(likely);
  }
  const VersionChoice choice(&expected, store_->hash_kind(), at_);
  const auto is_right = [&](const ObjectVersion& version) {
    const auto content = try_to_read(version, expected.size);
    if (!content || base::sha256(*content) != expected.sha256) return false;
    const std::lock_guard lock(mutex_);
    expected_.at(name).id = version.id;
    remember(version);
    return true;
  };
  if (is_right(likely)) return;
  each_version(name, [&](const ObjectVersion& version) {
    return version.id != likely.id && choice.may_be(version) && is_right(version);
  });
}

std::optional<base::Bytes> TimeTravelStore::choose(
    const std::string& name, std::uint64_t limit,
    const std::function<bool(const base::Bytes&)>& right) {
  std::optional<base::Bytes> chosen;
  const auto is_right = [&](const ObjectVersion& version) {
    auto content = try_to_read(version, limit);
    if (!content || !right(*content)) return false;
    expect(name, {version.hash, version.size, base::sha256(*content), version.id});
    const std::lock_guard lock(mutex_);
    remember(version);
    chosen = std::move(content);
    return true;
  };
  try {
    if (is_right(find(name))) return chosen;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
  }
  each_version(name, is_right);
  return chosen;
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
  std::string current = after;  // whose older versions do not matter
  std::optional<VersionChoice> choice;
  // False when the page is full.
  const auto conclude = [&] {
    if (!choice) return true;
    const bool is_sure = choice->sure().has_value();
    const std::optional<ObjectVersion>& version = is_sure ? choice->sure() : choice->likely();
    if (!version || version->marker) return true;
    // What only its content can tell from others is listed by its size; of another hash than the
    // right one, not.
    const bool is_other = !is_sure && !version->hash.empty() && choice->needs_reading();
    if (is_other) return true;
    page.more = page.objects.size() == limit;
    if (page.more) return false;
    page.objects.push_back({version->name, version->size, version->hash});
    remember(*choice);
    return true;
  };
  for (;;) {
    const VersionPage versions = versions_.versions(prefix, from, kPage);
    const std::lock_guard lock(mutex_);
    for (const ObjectVersion& version : versions.versions) {
      if (version.name < current || (version.name == current && !choice)) continue;
      if (version.name != current) {
        if (!conclude()) return page;
        choice.emplace(choice_of(version.name));
        current = version.name;
      }
      choice->add(version);
    }
    if (!versions.next) {
      conclude();
      return page;
    }
    from = *versions.next;
  }
}

void TimeTravelStore::put(const std::string&, std::span<const std::byte>) {
  only_for_reading(description());
}

Removal TimeTravelStore::remove(const std::string&) { only_for_reading(description()); }

}  // namespace rota::store
