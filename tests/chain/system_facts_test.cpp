#include "chain/system_facts.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/kind_of.h"
#include "chain/chain_fixture.h"
#include "chain/verify.h"

namespace rota::chain {

using base::ErrorKind;
using test::Backups;
using test::kind_of;
using test::MemoryStore;

namespace {

std::string facts_of(Backups& backups, const RunRecord& record) {
  return read_facts(backups.store, record, &backups.keys);
}

bool is_good(Backups& backups) {
  base::Progress progress;
  return verify(backups.store, backups.state.get(), true, progress, {}).good();
}

}  // namespace

TEST_CASE("each run gives the system facts of its time, and stores them when they changed",
          "[chain][facts]") {
  MemoryStore store;
  Backups backups(store);
  if (GENERATE(false, true)) backups.encrypt();
  test::write(backups.path("a"), "content");
  CHECK(facts_of(backups, backups.run()) == "");  // none were given

  backups.settings.facts = "== uname\nLinux\n";
  const RunRecord first = backups.run();
  const RunRecord second = backups.run();
  backups.settings.facts = "== uname\nLinux, newer\n";
  const RunRecord third = backups.run();
  CHECK(facts_of(backups, first) == "== uname\nLinux\n");
  CHECK(facts_of(backups, second) == "== uname\nLinux\n");
  CHECK(facts_of(backups, third) == "== uname\nLinux, newer\n");
  CHECK(store.objects.contains(object_name(first.chain, first.run, 'f', 0)));
  CHECK_FALSE(store.objects.contains(object_name(first.chain, second.run, 'f', 0)));
  CHECK(backups.full().facts->run == 0);  // a new chain has its own
  CHECK(is_good(backups));
  CHECK(test::orphans(store, &backups.keys) == std::vector<std::string>());
}

TEST_CASE("system facts that are damaged or gone are found and never shown", "[chain][facts]") {
  MemoryStore store;
  Backups backups(store);
  test::write(backups.path("a"), "content");
  backups.settings.facts = "== uname\nLinux\n";
  const RunRecord record = backups.run();
  const std::string name = object_name(record.chain, record.run, 'f', 0);
  const base::Bytes good = store.objects.at(name);
  for (std::size_t at = 0; at < good.size(); ++at) {
    INFO("byte " << at);
    store.objects[name][at] ^= std::byte{1};
    // The first bit of the version says that it is newer: a matter of configuration, not of damage.
    const auto kind = kind_of([&] { facts_of(backups, record); });
    CHECK((kind == ErrorKind::corrupt || kind == ErrorKind::config));
    CHECK_FALSE(is_good(backups));
    store.objects[name] = good;
  }
  store.objects.erase(name);
  CHECK(kind_of([&] { facts_of(backups, record); }) == ErrorKind::corrupt);
  CHECK_FALSE(is_good(backups));
  CHECK(backups.check(record.run) == "");  // the tree does not need them
}

}  // namespace rota::chain
