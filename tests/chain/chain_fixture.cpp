#include "chain/chain_fixture.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <random>
#include <set>

#include "base/error.h"
#include "base/process.h"
#include "base/text.h"
#include "chain/chain_source.h"
#include "chain/names.h"
#include "store/directory_store.h"
#include "support/random_tree.h"
#include "tree/compare.h"
#include "tree/local_source.h"

namespace rota::test {

using base::Error;
using base::ErrorKind;

void MemoryStore::put(const std::string& name, std::span<const std::byte> data) {
  store::check_name(name);
  const std::lock_guard lock(mutex_);
  objects[name] = base::Bytes(data.begin(), data.end());
}

base::Bytes MemoryStore::get(const std::string& name, std::uint64_t limit) {
  const std::lock_guard lock(mutex_);
  const auto found = objects.find(name);
  if (found == objects.end()) throw Error(ErrorKind::not_found, "there is no object " + name);
  if (found->second.size() > limit) throw Error(ErrorKind::corrupt, name + " is too large");
  return found->second;
}

std::size_t MemoryStore::read_some(const std::string& name, std::uint64_t offset,
                                   std::span<std::byte> buffer) {
  const std::lock_guard lock(mutex_);
  const auto found = objects.find(name);
  if (found == objects.end()) throw Error(ErrorKind::not_found, "there is no object " + name);
  const base::Bytes& object = found->second;
  const std::size_t start = std::min<std::uint64_t>(offset, object.size());
  const std::size_t size = std::min(buffer.size(), object.size() - start);
  std::memcpy(buffer.data(), object.data() + start, size);
  return size;
}

store::Page MemoryStore::list(const std::string& prefix, const std::string& after,
                              std::size_t limit) {
  const std::lock_guard lock(mutex_);
  store::Page page;
  for (auto object = objects.lower_bound(prefix);
       object != objects.end() && object->first.starts_with(prefix); ++object) {
    if (object->first <= after) continue;
    if (page.objects.size() == limit) {
      page.more = true;
      break;
    }
    page.objects.push_back({object->first, object->second.size(), ""});
  }
  return page;
}

store::Removal MemoryStore::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  objects.erase(name);
  return store::Removal::gone;
}

FaultyStore::Rule Calls::rule() {
  return [this](const StoreCall& call) {
    switch (call.kind) {
      case StoreCall::Kind::put:
        ++puts;
        break;
      case StoreCall::Kind::get:
        ++gets;
        break;
      case StoreCall::Kind::read:
        ++reads;
        break;
      case StoreCall::Kind::list:
        ++lists;
        break;
      case StoreCall::Kind::remove:
        ++removes;
    }
    return Fault::none;
  };
}

bool WatchedSource::next(tree::Entry& entry) {
  while (inner_.next(entry)) {
    if (!on_next || on_next(entry)) return true;
  }
  return false;
}

bool WatchedSource::complete(tree::Entry& entry) {
  if (on_complete && !on_complete(entry)) return false;
  return inner_.complete(entry);
}

std::unique_ptr<tree::Content> WatchedSource::open(tree::Entry& entry) {
  ++opened;
  if (on_open && !on_open(entry)) return nullptr;
  auto content = inner_.open(entry);
  if (content && on_content) return on_content(entry, std::move(content));
  return content;
}

namespace {

std::unique_ptr<store::Store> store_below(const TempDir& temp, store::Store* given) {
  if (given != nullptr) return nullptr;
  return std::make_unique<store::DirectoryStore>(temp / "store");
}

}  // namespace

Backups::Backups(store::Store* given)
    : temp(given != nullptr ? TempDir(fast_directory()) : TempDir()),
      tree(temp / "tree"),
      own_store(store_below(temp, given)),
      store(given != nullptr ? *given : *own_store),
      // A day ahead of the files' times, which the kernel sets: nothing is read again because it
      // might have changed in the same tick.
      clock(base::real_clock().now() + std::chrono::hours(24)) {
  base::real_files().make_directories(tree, 0755);
  settings.max_full_age.years = 10;
  settings.source = tree;
  settings.host = "host";
  settings.program = "rota test";
  settings.level = 1;
  reopen_state();
}

Backups::Backups() : Backups(nullptr) {}
Backups::Backups(store::Store& given) : Backups(&given) {}

void Backups::encrypt() {
  chain::SecretKey key = chain::SecretKey::generate();
  settings.recipients = {chain::Recipient(key)};
  keys.add(std::move(key));
}

void Backups::reopen_state() {
  state = std::make_unique<chain::LocalState>(temp / "state", cache());
}

chain::RunRecord Backups::backup(store::Store& through, tree::Source& source,
                                 const std::stop_token& stop) {
  base::CollectedWarnings collected;
  base::Progress progress;
  const auto keep_warnings = [&] { warnings = collected.list; };
  try {
    chain::RunRecord record =
        chain::backup(through, *state, source, settings, *used_clock, collected, progress, stop);
    keep_warnings();
    return record;
  } catch (...) {
    keep_warnings();
    throw;
  }
}

chain::RunRecord Backups::backup(store::Store& through) {
  base::CollectedWarnings ignored;
  tree::LocalSource source(tree, {}, ignored);
  chain::RunRecord record = backup(through, source);
  warnings.insert(warnings.end(), ignored.list.begin(), ignored.list.end());
  return record;
}

chain::RunRecord Backups::run() {
  clock.advance(std::chrono::hours(24));
  chain::RunRecord record = backup(store);
  keep(record.run);
  return record;
}

chain::RunRecord Backups::full() {
  settings.force_full = true;
  chain::RunRecord record = run();
  settings.force_full = false;
  return record;
}

chain::RunRecord Backups::watched(const std::function<void(WatchedSource&)>& prepare,
                                  std::uint64_t* opened) {
  clock.advance(std::chrono::hours(24));
  base::CollectedWarnings ignored;
  tree::LocalSource local(tree, {}, ignored);
  WatchedSource source(local);
  prepare(source);
  chain::RunRecord record = backup(store, source);
  if (opened != nullptr) *opened = source.opened;
  keep(record.run);
  return record;
}

void Backups::keep(const std::string& run) {
  // By a stranger's hand, so that no mistake of the tree writer is in both.
  const base::ProcessResult result =
      base::real_processes().run({{"cp", "-a", "-T", tree, kept(run)}, {{"LC_ALL", "C"}}});
  if (result.status != 0) throw std::runtime_error("cp -a failed: " + result.output);
}

void Backups::keep_new() {
  for (const std::string& run : runs()) {
    if (!base::exists(kept(run))) keep(run);
  }
}

std::vector<std::string> Backups::runs() {
  const chain::Catalog catalog(store, nullptr, &keys);
  std::vector<std::string> names;
  for (const chain::ChainInfo& chain : catalog.chains()) {
    for (const chain::RunInfo& run : chain.runs) names.push_back(run.run);
  }
  return names;
}

namespace {

chain::RunRecord record_of(store::Store& store, const std::string& run, chain::KeyRing& keys) {
  const chain::Catalog catalog(store, nullptr, &keys);
  const chain::RunInfo* info = catalog.find(run);
  if (info == nullptr) throw Error(ErrorKind::not_found, "there is no run " + run);
  return catalog.record(*info);
}

}  // namespace

void Backups::restore(const std::string& run, const std::string& target,
                      const std::vector<std::string>& paths, const tree::TreeWriterOptions& how) {
  restore(store, run, target, paths, how);
}

void Backups::restore(store::Store& through, const std::string& run, const std::string& target,
                      const std::vector<std::string>& paths, const tree::TreeWriterOptions& how) {
  lost.clear();
  damaged = 0;
  warnings.clear();
  chain::ChainSource source(
      through, record_of(through, run, keys), "", paths,
      [this](const chain::LostRange& range) { lost.push_back(range); }, &keys);
  base::CollectedWarnings collected;
  base::Progress progress;
  tree::TreeWriterOptions options = how;
  options.make_lost_directories = true;
  tree::TreeWriter writer(target, options, collected, progress, {});
  try {
    writer.consume(source);
  } catch (...) {
    warnings = collected.list;
    damaged = writer.damaged();
    throw;
  }
  warnings = collected.list;
  damaged = writer.damaged();
}

std::string Backups::check(const std::string& run) {
  const std::string target = temp / "restored";
  remove_tree(target);
  restore(run, target);
  std::string found = lines(warnings) + differences(kept(run), target);
  remove_tree(target);
  return found;
}

std::string Backups::quick_check(const std::string& run) { return compare_with(kept(run), run); }

std::string Backups::quick_check_now(const std::string& run) { return compare_with(tree, run); }

std::string Backups::compare_with(const std::string& directory, const std::string& run) {
  chain::ChainSource stored(store, record_of(store, run, keys), "", {}, nullptr, &keys);
  WatchedSource unhashed(stored);
  unhashed.on_next = [](tree::Entry& entry) {
    entry.digest.reset();  // so that the content is read, not believed
    return true;
  };
  base::CollectedWarnings collected;
  tree::LocalSource copy(directory, {}, collected);
  std::string found;
  tree::compare(copy, unhashed, [&](const tree::Difference& difference) {
    static constexpr std::array kChanges = {"added", "removed", "content", "metadata"};
    found +=
        fmt::format("{}: {} {} {}\n", run, kChanges[static_cast<std::size_t>(difference.change)],
                    base::printable(difference.entry.path), difference.what);
  });
  return found + lines(collected.list);
}

std::string Backups::quick_check_all() {
  std::string found;
  for (const std::string& run : runs()) {
    found += base::exists(kept(run)) ? quick_check(run) : run + " has no copy\n";
  }
  return found;
}

std::vector<std::string> orphans(store::Store& store, chain::KeyRing* keys) {
  std::set<std::string> names;
  store::for_each_object(store, "",
                         [&](const store::ObjectInfo& object) { names.insert(object.name); });
  const std::set<std::string> all = names;
  for (const std::string& name : all) {
    const auto id = chain::parse_record_name(name);
    if (!id) continue;
    names.erase(name);
    const chain::Catalog catalog(store, nullptr, keys);
    const chain::RunInfo info{id->run, id->chain, id->kind, {}, 0};
    const chain::RunRecord record =
        catalog.open_record(info, store.get(name, store::kMaxObject)).record;
    for (const chain::ObjectRow& object : record.objects) {
      names.erase(chain::object_name(record.chain, record.run, static_cast<char>(object.type),
                                     object.number));
    }
  }
  return {names.begin(), names.end()};
}

std::size_t volumes(const chain::RunRecord& record) {
  std::size_t count = 0;
  for (const chain::ObjectRow& object : record.objects) {
    count += object.type == chain::ObjectType::volume ? 1 : 0;
  }
  return count;
}

std::string noise(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string data(size, '\0');
  for (std::size_t at = 0; at < size; at += 8) {
    const std::uint64_t number = random();
    std::memcpy(data.data() + at, &number, std::min<std::size_t>(8, size - at));
  }
  return data;
}

std::string lines(const std::vector<std::pair<std::string, std::string>>& warnings) {
  std::string text;
  for (const auto& [path, message] : warnings) {
    text += fmt::format("warning: {}: {}\n", base::printable(path), message);
  }
  return text;
}

}  // namespace rota::test
