// Every byte of every object of a small store is damaged, every object is cut and removed: after
// each, verification finds it, and every run gives what is right, names what is not, and gives
// nothing wrong.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "chain/chain_fixture.h"
#include "chain/chain_source.h"
#include "chain/damage_checks.h"
#include "chain/frame.h"
#include "chain/verify.h"
#include "tree/local_source.h"

namespace rota::test {

using base::ErrorKind;
using tree::Entry;

namespace {

namespace fs = std::filesystem;

/// One file of a tree as it must come back.
struct Known {
  Entry entry;
  std::string content;
};
using Tree = std::map<std::string, Known>;

std::string content_of(tree::Source& source, Entry& entry) {
  std::string text;
  const auto content = source.open(entry);
  if (!content) throw std::runtime_error("cannot open " + entry.path);
  std::vector<std::byte> buffer(64 << 10);
  while (const auto segment = content->next_segment()) {
    if (segment->hole) text.append(static_cast<std::size_t>(segment->length), '\0');
    while (const std::size_t n = segment->hole ? 0 : content->read(buffer)) {
      text += base::as_text(std::span(buffer).first(n));
    }
  }
  return text;
}

/// A full and three increments of which one merges two pieces, in a few kilobytes: a file that
/// changes, one that is stored in parts, hard links, a symlink, one that is removed, one that
/// becomes a directory.
struct Tiny {
  Tiny() : backups(store) {
    write(backups.path("a"), "first");
    write(backups.path("d/edited"), noise(2'100, 1));
    write(backups.path("d/kept"), "kept as it is");
    fs::create_hard_link(backups.path("d/kept"), backups.path("hard"));
    fs::create_symlink("d/kept", backups.path("link"));
    write(backups.path("removed"), "there at first");
    write(backups.path("turned"), "a file at first");
    backups.run();
    write(backups.path("a"), "second");
    write(backups.path("d/edited"), noise(2'100, 1) + "more");
    backups.run();
    fs::remove(backups.path("removed"));
    fs::remove(backups.path("turned"));
    write(backups.path("turned/below"), "a directory now");
    backups.run();
    write(backups.path("a"), "fourth");
    write(backups.path("z"), "new");
    backups.run();
    runs = backups.runs();
    for (const std::string& run : runs) trees[run] = tree_of(backups.kept(run));
    good = store.objects;
  }

  static Tree tree_of(const std::string& directory) {
    Tree known;
    base::CollectedWarnings ignored;
    tree::LocalSource source(directory, {}, ignored);
    Entry entry;
    while (source.next(entry)) {
      Known& one = known[entry.path];
      if (entry.is_file()) {
        one.content = content_of(source, entry);
      } else if (entry.kind != tree::EntryKind::hard_link) {
        source.complete(entry);
      }
      one.entry = entry;
      one.entry.handle.reset();
    }
    return known;
  }

  MemoryStore store;
  Backups backups;
  std::vector<std::string> runs;
  std::map<std::string, Tree> trees;
  std::map<std::string, base::Bytes> good;
};

bool is_same(const Known& known, const Entry& entry) {
  const Entry& then = known.entry;
  return then.kind == entry.kind && then.target == entry.target &&
         (entry.kind == tree::EntryKind::hard_link ||
          (then.mode == entry.mode && then.uid == entry.uid && then.gid == entry.gid &&
           then.mtime == entry.mtime && then.size == entry.size));
}

/// Reads all of a run without writing it, as restore_checked() does with writing.
Outcome read_checked(Tiny& tiny, const chain::RunRecord& record) {
  const Tree& known = tiny.trees.at(record.run);
  std::vector<chain::LostRange> lost;
  std::map<std::string, bool> seen;  // whether it came whole
  chain::ChainSource source(tiny.store, record, "", {},
                            [&](const chain::LostRange& range) { lost.push_back(range); });
  Entry entry;
  while (source.next(entry)) {
    const auto found = known.find(entry.path);
    if (found == known.end()) FAIL(entry.path << " was not in the tree");
    bool whole = true;
    if (entry.is_file()) {
      try {
        const std::string content = content_of(source, entry);
        // Whoever writes it compares it with the digest.
        whole = base::sha256(base::as_bytes(content)) == entry.digest;
        if (whole && content != found->second.content) FAIL(entry.path << " has wrong content");
      } catch (const base::Error& error) {
        if (error.kind() != ErrorKind::corrupt) throw;
        whole = false;
      }
    }
    if (whole && !is_same(found->second, entry)) FAIL(entry.path << " is not what it was");
    if (!seen.emplace(entry.path, whole).second) FAIL(entry.path << " came twice");
  }
  bool all = lost.empty();
  for (const auto& [path, one] : known) {
    const auto came = seen.find(path);
    if (came != seen.end()) {
      all = all && came->second;
      continue;
    }
    const auto covers = [&name = path](const chain::LostRange& range) {
      return range.contains(name);
    };
    if (std::ranges::none_of(lost, covers)) FAIL(path << " is missing and not named");
  }
  return all ? Outcome::whole : Outcome::partly;
}

/// Looks at a damaged store. written: restore to a directory too.
std::map<std::string, Outcome> look(Tiny& tiny, bool written) {
  bool found = false;
  try {
    base::Progress progress;
    found = !chain::verify(tiny.store, tiny.backups.state.get(), true, progress, {}).good();
  } catch (const base::Error& error) {
    // A record that claims to be of a newer version cannot be judged.
    if (error.kind() != ErrorKind::config) throw;
    found = true;
  }
  if (!found) FAIL("the verification found nothing");
  std::map<std::string, Outcome> outcomes;
  for (const std::string& run : tiny.runs) {
    try {
      const chain::Catalog catalog(tiny.store, nullptr);
      const chain::RunInfo* info = catalog.find(run);
      outcomes[run] = info == nullptr ? Outcome::failed : read_checked(tiny, catalog.record(*info));
    } catch (const base::Error& error) {
      if (error.kind() != ErrorKind::corrupt && error.kind() != ErrorKind::config) throw;
      outcomes[run] = Outcome::failed;
    }
    if (written && restore_checked(tiny.backups, run) != outcomes[run]) {
      FAIL("writing run " << run << " went another way than reading it");
    }
  }
  return outcomes;
}

/// What damage to this object may do: never stop the restore of a run whose record is whole, never
/// touch a run that was there before.
void expect(const Tiny& tiny, const std::string& name, bool removed,
            const std::map<std::string, Outcome>& outcomes) {
  const auto record = chain::parse_record_name(name);
  const auto owner = std::ranges::find_if(tiny.runs, [&](const std::string& run) {
    return record ? record->run == run : name.find("/" + run + "/") != std::string::npos;
  });
  REQUIRE(owner != tiny.runs.end());
  for (auto run = tiny.runs.begin(); run != tiny.runs.end(); ++run) {
    const Outcome outcome = outcomes.at(*run);
    if (run < owner && outcome != Outcome::whole) FAIL("the earlier run " << *run << " is harmed");
    if (!record && outcome == Outcome::failed) FAIL("the restore of " << *run << " stopped");
    // Without a record there is no run; what is built on it needs its data only.
    if (record && removed && run == owner && outcome != Outcome::failed) FAIL("it is still there");
    if (record && run != owner && outcome != Outcome::whole) {
      FAIL("the record of " << *owner << " is damaged or gone, and " << *run << " is harmed");
    }
  }
}

constexpr std::size_t kVersionAt = 13;  // docs/format.md, "Objects"

bool is_long() { return std::getenv("ROTA_TEST_LONG") != nullptr; }

struct Tally {
  std::uint64_t done = 0;
  std::map<Outcome, std::uint64_t> outcomes;
  void add(const std::map<std::string, Outcome>& more) {
    ++done;
    for (const auto& [run, outcome] : more) ++outcomes[outcome];
  }
  void show(const char* what, std::size_t bytes) {
    WARN(done << " " << what << " in a store of " << bytes << " bytes: restores whole "
              << outcomes[Outcome::whole] << ", partly " << outcomes[Outcome::partly] << ", failed "
              << outcomes[Outcome::failed]);
    CHECK(outcomes[Outcome::whole] > done / 10);
    CHECK(outcomes[Outcome::partly] > done / 10);
    CHECK(outcomes[Outcome::failed] > done / 20);
  }
};

std::size_t size_of(const Tiny& tiny) {
  std::size_t size = 0;
  for (const auto& [name, bytes] : tiny.good) size += bytes.size();
  return size;
}

}  // namespace

TEST_CASE("whichever byte of a store is damaged, it is found, and what is restored is right",
          "[chain][sweep]") {
  Tiny tiny;
  Tally tally;
  for (const auto& [name, bytes] : tiny.good) {
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (const unsigned pattern : {0x01U << (at % 8), 0xffU}) {
        if (pattern == 0xff && !is_long()) continue;
        INFO(name << " byte " << at << " pattern " << pattern);
        tiny.store.objects[name][at] ^= static_cast<std::byte>(pattern);
        const auto outcomes = look(tiny, is_long() || tally.done % 64 == 0);
        // A store in which one record claims to be of a newer version is left to a newer rota.
        const bool newer = chain::parse_record_name(name) && at == kVersionAt &&
                           tiny.store.objects[name][at] > std::byte{chain::kFormatVersion};
        if (!newer) expect(tiny, name, false, outcomes);
        tally.add(outcomes);
        tiny.store.objects[name] = bytes;
      }
    }
  }
  tally.show("flips", size_of(tiny));
}

TEST_CASE("wherever an object is cut off or gone, it is found, and what is restored is right",
          "[chain][sweep]") {
  Tiny tiny;
  Tally tally;
  for (const auto& [name, bytes] : tiny.good) {
    for (std::size_t size = 0; size < bytes.size(); size += is_long() || size < 20 ? 1 : 7) {
      INFO(name << " cut to " << size << " bytes");
      tiny.store.objects[name].resize(size);
      const auto outcomes = look(tiny, is_long() || tally.done % 64 == 0);
      expect(tiny, name, false, outcomes);
      tally.add(outcomes);
      tiny.store.objects[name] = bytes;
    }
    INFO(name << " is gone");
    tiny.store.objects.erase(name);
    const auto outcomes = look(tiny, true);
    expect(tiny, name, true, outcomes);
    tally.add(outcomes);
    tiny.store.objects[name] = bytes;
  }
  tally.show("cuts", size_of(tiny));
}

}  // namespace rota::test
