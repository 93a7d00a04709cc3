// What every store promises (store/store.h), checked against each kind of store in stores.cpp.
#include "contract.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "base/error.h"
#include "base/pipeline.h"
#include "support/faulty_store.h"

namespace rota::test {

namespace {

using base::Bytes;
using base::Error;
using base::ErrorKind;
using store::kMaxObject;

StoreUnderTest any_store() { return GENERATE(from_range(stores_under_test())); }

Bytes bytes(std::string_view text) {
  const auto view = base::as_bytes(text);
  return {view.begin(), view.end()};
}

/// Bytes without a short period, so that a shifted or cut range shows.
Bytes pattern(std::size_t size, std::uint32_t seed = 1) {
  Bytes data(size);
  for (std::byte& b : data) {
    seed = seed * 1664525 + 1013904223;
    b = static_cast<std::byte>(seed >> 24);
  }
  return data;
}

template <typename Action>
ErrorKind kind_of_failure(Action action) {
  try {
    action();
  } catch (const Error& error) {
    INFO(error.what());
    CHECK(std::string(error.what()).size() > 20);  // a sentence
    return error.kind();
  }
  FAIL("no error");
  return ErrorKind::io;
}

std::vector<std::string> names_of(const store::Page& page) {
  std::vector<std::string> names;
  for (const store::ObjectInfo& object : page.objects) names.push_back(object.name);
  return names;
}

std::vector<std::string> all_names(store::Store& store, const std::string& prefix = "") {
  std::vector<std::string> names;
  store::for_each_object(store, prefix,
                         [&](const store::ObjectInfo& object) { names.push_back(object.name); });
  return names;
}

/// Names whose bytewise order is not the order of a walk through directories, in bytewise order.
const std::vector<std::string> kTricky = {
    "A",     "Z/z",    "_",      "a-b",         "a-b/c",       "a.b",      "a/-",    "a/0",
    "a/b-c", "a/b.c",  "a/b/0",  "a/b/c/d/e/f", "a/b0",        "a/b_/x",   "a/z",    "a0",
    "a0/0",  "a_/-/x", "aa",     "ab",          "ab-",         "ab.d/x",   "ab_",    "b/a",
    "b/a-",  "b/a0",   "runs/1", "runs/10",     "runs/2/part", "runs/2-x", "runs-1", "z"};

std::vector<std::string> tricky_names() {
  // "a-b" and "a-b/c" cannot both be objects where an object is a file: keep only one of such.
  std::vector<std::string> names;
  for (const std::string& name : kTricky) {
    const bool is_also_directory =
        std::any_of(kTricky.begin(), kTricky.end(),
                    [&](const std::string& other) { return other.starts_with(name + "/"); });
    if (!is_also_directory) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void put_all(store::Store& store, const std::vector<std::string>& names) {
  // Backwards, so that the order of arrival helps nobody.
  for (auto name = names.rbegin(); name != names.rend(); ++name) store.put(*name, bytes(*name));
}

}  // namespace

TEST_CASE("what was put comes back", "[store][contract]") {
  const StoreUnderTest row = any_store();
  INFO(row.name);
  const auto store = row.make();

  SECTION("a small object") {
    store->put("runs/1/a", bytes("hello"));
    CHECK(store->get("runs/1/a", 5) == bytes("hello"));
    CHECK(store->get("runs/1/a", kMaxObject) == bytes("hello"));
  }
  SECTION("an empty object") {
    store->put("empty", {});
    CHECK(store->get("empty", 0).empty());
    CHECK(store->list("", "", 10).objects.at(0).size == 0);
  }
  SECTION("the largest object") {
    const Bytes data = pattern(kMaxObject);
    store->put("large", data);
    CHECK(store->get("large", kMaxObject) == data);
    CHECK(store->list("", "", 10).objects.at(0).size == kMaxObject);
  }
  SECTION("the last of several puts, shorter or longer") {
    for (const std::size_t size : {1000, 10, 0, 5000}) {
      store->put("x", pattern(size, static_cast<std::uint32_t>(size)));
      CHECK(store->get("x", 5000) == pattern(size, static_cast<std::uint32_t>(size)));
      CHECK(all_names(*store) == std::vector<std::string>{"x"});
    }
  }
  SECTION("under the longest name") {
    std::string name;
    while (name.size() < 500) name += "0123456789/";
    name += std::string(512 - name.size(), 'x');
    store->put(name, bytes("far"));
    CHECK(store->get(name, 3) == bytes("far"));
    CHECK(all_names(*store) == std::vector<std::string>{name});
    store->remove(name);
    CHECK(all_names(*store).empty());
  }
}

TEST_CASE("an object over the limit is refused before it is stored", "[store][contract]") {
  const StoreUnderTest row = any_store();
  INFO(row.name);
  const auto store = row.make();
  const Bytes data(store::kMaxPut + 1);
  CHECK(kind_of_failure([&] { store->put("x", data); }) == ErrorKind::usage);
  CHECK(all_names(*store).empty());
}

TEST_CASE("an object larger than the reader allows is corrupt", "[store][contract]") {
  const StoreUnderTest row = any_store();
  INFO(row.name);
  const auto store = row.make();
  store->put("x", bytes("12345"));
  CHECK(kind_of_failure([&] { store->get("x", 4); }) == ErrorKind::corrupt);
  CHECK(kind_of_failure([&] { store->get("x", 0); }) == ErrorKind::corrupt);
}

TEST_CASE("ranges of an object can be read", "[store][contract]") {
  const StoreUnderTest row = any_store();
  INFO(row.name);
  const auto store = row.make();
  const Bytes data = pattern(100'000);
  store->put("dir/x", data);

  const auto read = [&](std::uint64_t offset, std::size_t size) {
    Bytes out(size);
    store->read("dir/x", offset, out);
    return out;
  };
  const auto part = [&](std::size_t offset, std::size_t size) {
    return Bytes(data.begin() + static_cast<std::ptrdiff_t>(offset),
                 data.begin() + static_cast<std::ptrdiff_t>(offset + size));
  };
  CHECK(read(0, 1) == part(0, 1));
  CHECK(read(0, 100'000) == data);
  CHECK(read(12'345, 54'321) == part(12'345, 54'321));
  CHECK(read(99'999, 1) == part(99'999, 1));
  CHECK(read(99'000, 1000) == part(99'000, 1000));

  for (const auto& [offset, size] :
       std::vector<std::pair<std::uint64_t, std::size_t>>{{99'999, 2},
                                                          {0, 100'001},
                                                          {100'000, 1},
                                                          {200'000, 10},
                                                          {UINT64_MAX, 1},
                                                          {UINT64_MAX - 5, 10},
                                                          {1ULL << 63, 1}}) {
    INFO(offset << " " << size);
    CHECK(kind_of_failure([&, o = offset, s = size] { read(o, s); }) == ErrorKind::corrupt);
  }
}

TEST_CASE("an absent object is not found, and its name is told", "[store][contract]") {
  const StoreUnderTest row = any_store();
  INFO(row.name);
  const auto store = row.make();
  const bool untouched = GENERATE(true, false);
  if (!untouched) {
    store->put("dir/sub/x", bytes("x"));
    store->put("file", bytes("x"));
  }
  Bytes buffer(1);
  for (const std::string name :
       {"absent", "dir", "dir/sub", "dir/absent", "file/x", "dir/sub/x/y"}) {
    INFO(name);
    CHECK(kind_of_failure([&] { store->get(name, 10); }) == ErrorKind::not_found);
    CHECK(kind_of_failure([&] { store->read(name, 0, buffer); }) == ErrorKind::not_found);
    CHECK_NOTHROW(store->remove(name));
    if (untouched) continue;
    CHECK_THROWS_WITH(store->get(name, 10), Catch::Contains(name));
    CHECK_THROWS_WITH(store->get(name, 10), Catch::Contains(store->description()));
  }
  CHECK(all_names(*store, "absent").empty());
  CHECK(all_names(*store).size() == (untouched ? 0 : 2));
}

TEST_CASE("a listing is in bytewise order with sizes", "[store][contract]") {
  const StoreUnderTest row = any_store();
  INFO(row.name);
  const auto store = row.make();
  const std::vector<std::string> names = tricky_names();
  put_all(*store, names);

  const store::Page page = store->list("", "", 1000);
  CHECK_FALSE(page.more);
  CHECK(names_of(page) == names);
  for (const store::ObjectInfo& object : page.objects) {
    CHECK(object.size == object.name.size());
    CHECK(object.hash == store::object_hash(store->hash_kind(), bytes(object.name)));
  }
}

TEST_CASE("a prefix selects by bytes, whether or not it is a directory", "[store][contract]") {
  const StoreUnderTest row = any_store();
  INFO(row.name);
  const auto store = row.make();
  const std::vector<std::string> names = tricky_names();
  put_all(*store, names);

  std::set<std::string> prefixes = {"/",       "//",       ".",        "..",          "../",
                                    "./",      "a//",      "\n",       " ",           "~",
                                    "a/../",   ".tmp/",    ".tmp",     "runs/2/../",  "b/a/",
                                    "absent/", "absent/x", "a/absent", "a/b/c/d/e/f/"};
  for (const std::string& name : names) {
    for (std::size_t size = 0; size <= name.size(); ++size) prefixes.insert(name.substr(0, size));
    prefixes.insert(name + "0");
    prefixes.insert(name + "/");
  }
  for (const std::string& prefix : prefixes) {
    INFO(prefix);
    std::vector<std::string> expected;
    std::copy_if(names.begin(), names.end(), std::back_inserter(expected),
                 [&](const std::string& name) { return name.starts_with(prefix); });
    CHECK(names_of(store->list(prefix, "", 1000)) == expected);
  }
}

TEST_CASE("a listing can be resumed behind every position", "[store][contract]") {
  const StoreUnderTest row = any_store();
  INFO(row.name);
  const auto store = row.make();
  const std::vector<std::string> names = tricky_names();
  put_all(*store, names);

  for (const std::string prefix : {"", "a", "a/", "a/b", "runs/", "z"}) {
    std::vector<std::string> below;
    std::copy_if(names.begin(), names.end(), std::back_inserter(below),
                 [&](const std::string& name) { return name.starts_with(prefix); });
    // Positions that are objects, are directories, lie between, and beyond both ends.
    std::set<std::string> positions = {"", "a/", "a/b/", "a/b/c", "a/b/c/", "runs/5", "\x7f", "!"};
    for (const std::string& name : names) {
      positions.insert(name);
      positions.insert(name + "-");
      positions.insert(name + "/");
      positions.insert(name.substr(0, name.size() - 1));
    }
    for (const std::string& after : positions) {
      const auto first = std::upper_bound(below.begin(), below.end(), after);
      const auto left = static_cast<std::size_t>(below.end() - first);
      for (std::size_t limit = 1; limit <= names.size() + 1; ++limit) {
        if (row.remote && limit > 2 && limit + 1 != left && limit != left && limit != left + 1) {
          continue;
        }
        INFO("prefix '" << prefix << "' after '" << after << "' limit " << limit);
        const store::Page page = store->list(prefix, after, limit);
        const std::size_t count = std::min(limit, left);
        REQUIRE(names_of(page) ==
                std::vector<std::string>(first, first + static_cast<std::ptrdiff_t>(count)));
        REQUIRE(page.more == (left > limit));
      }
    }
  }
}

TEST_CASE("a listing of more than one page is whole", "[store][contract]") {
  const StoreUnderTest row = any_store();
  INFO(row.name);
  const auto store = row.make();
  std::vector<std::string> names;
  for (int i = 0; i < 25; ++i) {
    for (int j = 0; j < 9; ++j) names.push_back("n" + std::to_string(i) + "/" + std::to_string(j));
  }
  std::sort(names.begin(), names.end());
  put_all(*store, names);
  for (const std::size_t limit : {1U, 2U, 7U, 224U, 225U, 226U}) {
    if (row.remote && limit < 7) continue;
    std::vector<std::string> seen;
    std::string after;
    for (bool more = true; more;) {
      const store::Page page = store->list("n", after, limit);
      REQUIRE_FALSE(page.objects.empty());
      for (const std::string& name : names_of(page)) seen.push_back(name);
      after = seen.back();
      more = page.more;
    }
    CHECK(seen == names);
  }
  CHECK(all_names(*store) == names);
}

TEST_CASE("removed objects are gone and the others stay", "[store][contract]") {
  const StoreUnderTest row = any_store();
  INFO(row.name);
  const auto store = row.make();
  std::vector<std::string> names = tricky_names();
  put_all(*store, names);
  while (!names.empty()) {
    const std::string victim = names[names.size() / 2];
    INFO(victim);
    store->remove(victim);
    store->remove(victim);
    CHECK(kind_of_failure([&] { store->get(victim, 100); }) == ErrorKind::not_found);
    names.erase(names.begin() + static_cast<std::ptrdiff_t>(names.size() / 2));
    REQUIRE(all_names(*store) == names);
  }
  store->put("again", bytes("x"));
  CHECK(store->get("again", 1) == bytes("x"));
}

TEST_CASE("a removed directory's name can become an object and back", "[store][contract]") {
  const StoreUnderTest row = any_store();
  INFO(row.name);
  const auto store = row.make();
  store->put("a/b/c", bytes("1"));
  store->remove("a/b/c");
  store->put("a", bytes("2"));
  CHECK(all_names(*store) == std::vector<std::string>{"a"});
  store->remove("a");
  store->put("a/b/c", bytes("3"));
  CHECK(all_names(*store) == std::vector<std::string>{"a/b/c"});
}

TEST_CASE("names that are no names are refused by every call", "[store][contract]") {
  const StoreUnderTest row = any_store();
  INFO(row.name);
  const auto store = row.make();
  Bytes buffer(1);
  for (const std::string& name :
       {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"), std::string(".."),
        std::string("../a"), std::string("a/../b"), std::string(".tmp/x"), std::string("a/.b"),
        std::string("a b"), std::string("a\nb"), std::string("a\0b", 3), std::string("\xc3\xa4"),
        std::string("a\\b"), std::string("a?b"), std::string(513, 'a')}) {
    INFO(name);
    CHECK(kind_of_failure([&] { store->put(name, buffer); }) == ErrorKind::usage);
    CHECK(kind_of_failure([&] { store->get(name, 1); }) == ErrorKind::usage);
    CHECK(kind_of_failure([&] { store->read(name, 0, buffer); }) == ErrorKind::usage);
    CHECK(kind_of_failure([&] { store->remove(name); }) == ErrorKind::usage);
  }
  CHECK(all_names(*store).empty());
}

TEST_CASE("many threads can put, get, list and remove at once", "[store][contract]") {
  const StoreUnderTest row = any_store();
  INFO(row.name);
  const auto store = row.make();
  constexpr std::uint32_t kThreads = 8;
  const std::uint32_t rounds = row.remote ? 8 : 20;
  base::Pipeline threads;  // Catch2 must not be called from other threads: failures are exceptions
  const auto require = [](bool condition, const char* what) {
    if (!condition) throw std::runtime_error(what);
  };
  const auto get_shared = [&] {
    for (int tries = 0;; ++tries) {
      try {
        return store->get("shared", 2000);
      } catch (const base::Error& error) {
        const bool again = row.may_miss && error.kind() == ErrorKind::not_found && tries < 20;
        if (!again) throw;
      }
    }
  };
  for (std::uint32_t t = 0; t < kThreads; ++t) {
    threads.add([&, t] {
      for (std::uint32_t i = 0; i < rounds; ++i) {
        const std::string own = "own/" + std::to_string(t) + "/" + std::to_string(i);
        store->put(own, pattern(3000 + i, t * 1000 + i));
        require(store->get(own, 5000) == pattern(3000 + i, t * 1000 + i), "other bytes came back");

        // One name for all: whichever came last, it must be whole.
        store->put("shared", pattern(1000 + t, t));
        const Bytes shared = get_shared();
        require(
            shared.size() >= 1000 && shared.size() < 1000 + kThreads &&
                shared == pattern(shared.size(), static_cast<std::uint32_t>(shared.size()) - 1000),
            "a mixture of two puts");

        // The directory comes and goes under the hands of the others.
        const std::string passing = "passing/deep/" + std::to_string(t);
        store->put(passing, pattern(10, t));
        store->remove(passing);

        const std::vector<std::string> names = all_names(*store, "own/" + std::to_string(t) + "/");
        require(names.size() == i + 1, "an object is missing from the listing");
      }
    });
  }
  REQUIRE_NOTHROW(threads.join());
  CHECK(all_names(*store).size() == kThreads * rounds + 1);
}

TEST_CASE("a put that fails leaves the old or the whole new object", "[store][contract]") {
  const StoreUnderTest row = any_store();
  INFO(row.name);
  const auto store = row.make();
  store->put("x", bytes("old"));
  const Fault fault = GENERATE(Fault::fail_before, Fault::fail_after);
  FaultyStore faulty(*store, [&](const StoreCall& call) {
    return call.kind == StoreCall::Kind::put && call.number <= 2 ? fault : Fault::none;
  });

  CHECK(kind_of_failure([&] { faulty.put("x", bytes("new")); }) == ErrorKind::unavailable);
  CHECK(kind_of_failure([&] { faulty.put("y", bytes("new")); }) == ErrorKind::unavailable);
  const bool took_effect = fault == Fault::fail_after;
  CHECK(faulty.get("x", 3) == bytes(took_effect ? "new" : "old"));
  CHECK(all_names(faulty).size() == (took_effect ? 2 : 1));
  faulty.put("x", bytes("new"));
  faulty.put("y", bytes("new"));
  CHECK(faulty.get("x", 3) == bytes("new"));
  CHECK(all_names(faulty) == std::vector<std::string>{"x", "y"});
  CHECK(faulty.calls() == 8);
}

}  // namespace rota::test
