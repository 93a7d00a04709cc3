#include "store/time_travel.h"

#include <map>

#include "base/hash.h"
#include "store/directory_store.h"
#include "support/b2_cloud.h"

namespace rota::test {

using base::ErrorKind;
using store::TimeTravelStore;

namespace {

std::string text_of(store::Store& store, const std::string& name) {
  const base::Bytes data = store.get(name, 100);
  return std::string(base::as_text(data));
}

std::vector<std::string> names_in(store::Store& store) {
  std::vector<std::string> names;
  store::for_each_object(store, "",
                         [&](const store::ObjectInfo& object) { names.push_back(object.name); });
  return names;
}

/// What a name must hold; hash: what the store shows of it.
store::Expected expected(std::string_view text, const std::string& hash) {
  return {hash, text.size(), base::sha256(base::as_bytes(text)), ""};
}

store::Expected expected(std::string_view text) {
  return expected(text, store::object_hash(store::HashKind::sha1, base::as_bytes(text)));
}

void pass_an_hour(Cloud& cloud) { cloud.control({{"advance_ms", 3'600'000}}); }

}  // namespace

TEST_CASE("after an attack the store is read as it was", "[store][b2]") {
  Cloud cloud;
  const std::vector<std::string> writer{"listFiles", "readFiles", "writeFiles"};
  const auto own = cloud.open_with(writer);
  own->put("runs/1", bytes("one"));
  own->put("runs/2", bytes("two"));
  own->put("data/a", bytes("good"));
  pass_an_hour(cloud);
  const base::Instant before = cloud.clock().now();
  pass_an_hour(cloud);

  // Somebody has the writer's key: everything is overwritten, hidden, or both.
  own->put("runs/1", bytes("ransom"));
  own->put("data/a", bytes("ransom"));
  own->put("data/new", bytes("ransom"));
  const auto hide = cloud.open();
  store::CurlClient http;
  store::B2Session session(http, {{cloud.bucket(), ""},
                                  {B2Server::kKeyId, B2Server::kKey},
                                  shared_b2_server().url(),
                                  cloud.clock(),
                                  {}});
  for (const char* name : {"runs/2", "data/a"}) {
    session.call("b2_hide_file", {{"bucketId", session.account()->bucket_id}, {"fileName", name}},
                 "hiding");
  }
  CHECK(names_in(*own) == std::vector<std::string>{"data/new", "runs/1"});
  CHECK(text_of(*own, "runs/1") == "ransom");

  TimeTravelStore past(cloud.open_with(writer), before);
  CHECK(names_in(past) == std::vector<std::string>{"data/a", "runs/1", "runs/2"});
  CHECK(text_of(past, "runs/1") == "one");
  CHECK(text_of(past, "runs/2") == "two");
  CHECK(text_of(past, "data/a") == "good");
  base::Bytes part(2);
  CHECK(past.read_some("data/a", 1, part) == 2);
  CHECK(part == bytes("oo"));
  CHECK(failure([&] { past.get("data/new", 100); }).kind() == ErrorKind::not_found);
  CHECK(failure([&] { past.put("x", {}); }).kind() == ErrorKind::refused);
  CHECK(failure([&] { past.remove("runs/1"); }).kind() == ErrorKind::refused);
  CHECK_THAT(past.description(),
             Catch::Contains(cloud.bucket()) && Catch::Contains(base::iso(before)));
}

TEST_CASE("a version is chosen by its hash where that is known", "[store][b2]") {
  Cloud cloud;
  const auto own = cloud.open();
  own->put("a", bytes("good"));
  own->put("a", bytes("bad"));  // before the instant already
  pass_an_hour(cloud);
  TimeTravelStore past(cloud.open(), cloud.clock().now());
  CHECK(text_of(past, "a") == "bad");
  past.expect("a", expected("good"));
  CHECK(text_of(past, "a") == "good");
  past.expect("a", expected("nevr"));
  const base::Error error = failure([&] { past.get("a", 100); });
  CHECK(error.kind() == ErrorKind::not_found);
  CHECK_THAT(error.what(), Catch::Contains("no version"));
}

TEST_CASE("a listing shows the version that has the right hash", "[store][b2]") {
  Cloud cloud;
  const auto own = cloud.open();
  own->put("a", bytes("good"));
  own->put("a", bytes("false one"));
  own->put("b", bytes("good"));
  pass_an_hour(cloud);
  TimeTravelStore past(cloud.open(), cloud.clock().now());
  past.expect("a", expected("good"));
  past.expect("b", expected("evil"));
  const store::Page page = past.list("", "", 10);
  REQUIRE(page.objects.size() == 1);
  CHECK(page.objects[0].name == "a");
  CHECK(page.objects[0].size == 4);
  CHECK(page.objects[0].hash == expected("good").hash);
}

TEST_CASE("a version is looked for by who knows its content", "[store][b2]") {
  Cloud cloud;
  const auto own = cloud.open();
  for (const char* text : {"first", "good", "bad", "much too large"}) own->put("a", bytes(text));
  own->put("b", bytes("b"));
  pass_an_hour(cloud);
  TimeTravelStore past(cloud.open(), cloud.clock().now());
  const auto is = [](std::string_view text) {
    return [text](const base::Bytes& content) { return base::as_text(content) == text; };
  };
  CHECK(past.choose("a", 10, is("good")) == bytes("good"));
  CHECK(text_of(past, "a") == "good");
  CHECK_FALSE(past.choose("a", 10, is("much too large")));
  CHECK_FALSE(past.choose("a", 10, is("never")));
  CHECK_FALSE(past.choose("absent", 10, is("never")));
  CHECK(text_of(past, "a") == "good");
  CHECK(text_of(past, "b") == "b");
}

TEST_CASE("objects of one folder are found with one question", "[store][b2]") {
  Cloud cloud;
  const auto own = cloud.open();
  for (int i = 0; i < 20; ++i) own->put("data/" + std::to_string(10 + i), bytes("x"));
  pass_an_hour(cloud);
  TimeTravelStore past(cloud.open(), cloud.clock().now());
  cloud.control({{"reset", true}});
  for (int i = 0; i < 20; ++i) CHECK(text_of(past, "data/" + std::to_string(10 + i)) == "x");
  CHECK(cloud.calls("b2_list_file_versions") == 1);
  cloud.check_manners();
}

TEST_CASE("names with many versions, before and after, are listed once", "[store][b2]") {
  Cloud cloud;
  const auto own = cloud.open("p/");
  for (int i = 0; i < 20; ++i) own->put("b", bytes("old" + std::to_string(i)));
  own->put("b-c", bytes("x"));
  own->put("c", bytes("y"));
  pass_an_hour(cloud);
  const base::Instant then = cloud.clock().now();
  pass_an_hour(cloud);
  for (int i = 0; i < 20; ++i) own->put("b", bytes("new"));
  own->put("a", bytes("new"));
  TimeTravelStore past(cloud.open("p/"), then);
  CHECK(names_in(past) == std::vector<std::string>{"b", "b-c", "c"});
  CHECK(text_of(past, "b") == "old19");
  const store::Page first = past.list("", "", 1);
  CHECK(first.objects.at(0).name == "b");
  CHECK(first.more);
  CHECK(past.list("", "b", 5).objects.at(0).name == "b-c");
  CHECK_FALSE(past.list("", "b-c", 1).more);
  CHECK(past.list("b-", "", 5).objects.size() == 1);
  CHECK(past.list("", "c", 5).objects.empty());
}

namespace {

/// A store that keeps every version, some of them without a hash.
class Versions final : public store::Store, public store::VersionedStore {
 public:
  explicit Versions(store::HashKind kind) : kind_(kind) {}

  /// at: seconds since 1970. hash: "-" for the right one.
  void add(const std::string& name, std::string_view text, int at, const std::string& hash = "") {
    const std::string right = store::object_hash(kind_, base::as_bytes(text));
    std::vector<store::ObjectVersion>& all = all_[name];
    const std::string id = std::to_string(contents_.size());
    all.insert(all.begin(), {name, id, text.size(), hash == "-" ? right : hash,
                             base::Instant(std::chrono::seconds(at)), false});
    contents_[id] = bytes(text);
  }
  void hide(const std::string& name, int at) {
    all_[name].insert(all_[name].begin(),
                      {name, "marker", 0, "", base::Instant(std::chrono::seconds(at)), true});
  }
  void lose(const std::string& id) { contents_.erase(id); }
  int reads() const { return reads_; }

  store::VersionPage versions(const std::string& prefix, const store::VersionPosition& from,
                              std::size_t) override {
    store::VersionPage page;  // two at a time, so that what belongs together is torn apart
    for (const auto& [name, versions] : all_) {
      if (!name.starts_with(prefix) || name < from.name) continue;
      bool begun = from.id.empty() || name != from.name;
      for (const store::ObjectVersion& version : versions) {
        begun = begun || version.id == from.id;
        if (!begun) continue;
        if (page.versions.size() == 2) {
          page.next = {name, version.id};
          return page;
        }
        page.versions.push_back(version);
      }
    }
    return page;
  }
  base::Bytes get_version(const store::ObjectVersion& version, std::uint64_t) override {
    ++reads_;
    const auto found = contents_.find(version.id);
    if (found != contents_.end()) return found->second;
    throw base::Error(ErrorKind::corrupt, "this version is lost");
  }
  std::size_t read_version(const store::ObjectVersion&, std::uint64_t,
                           std::span<std::byte>) override {
    return 0;
  }

  void put(const std::string&, std::span<const std::byte>) override {}
  base::Bytes get(const std::string&, std::uint64_t) override { return {}; }
  std::size_t read_some(const std::string&, std::uint64_t, std::span<std::byte>) override {
    return 0;
  }
  store::Page list(const std::string&, const std::string&, std::size_t) override { return {}; }
  store::Removal remove(const std::string&) override { return store::Removal::gone; }
  store::HashKind hash_kind() const override { return kind_; }
  std::string description() const override { return "memory"; }

 private:
  store::HashKind kind_;
  std::map<std::string, std::vector<store::ObjectVersion>> all_;
  std::map<std::string, base::Bytes> contents_;
  int reads_ = 0;
};

/// A past as of second 100 of what `fill` puts.
struct Past {
  template <typename Fill>
  explicit Past(Fill fill, store::HashKind kind = store::HashKind::sha1) {
    auto versions = std::make_unique<Versions>(kind);
    fill(*versions);
    store = versions.get();
    past = std::make_unique<TimeTravelStore>(std::move(versions),
                                             base::Instant(std::chrono::seconds(100)));
  }
  /// Sizes by name, as "a 4".
  std::vector<std::string> listed() const {
    std::vector<std::string> lines;
    for (const store::ObjectInfo& object : past->list("", "", 10).objects) {
      lines.push_back(object.name + " " + std::to_string(object.size));
    }
    return lines;
  }
  Versions* store = nullptr;
  std::unique_ptr<TimeTravelStore> past;
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a version without a hash stands for its name by the instant, and is not read for that",
          "[store]") {
  Past at([](Versions& all) {
    all.add("a", "good", 10);
    all.add("a", "evil ransom", 20);  // before the instant, but of another size
    all.hide("a", 30);
    all.add("b", "x", 10);
  });
  at.past->expect("a", expected("good"));
  CHECK(at.listed() == Lines{"a 4", "b 1"});
  CHECK(at.store->reads() == 0);
  CHECK(text_of(*at.past, "a") == "good");
  CHECK(at.store->reads() == 1);
}

TEST_CASE("of several versions without a hash the content decides, once", "[store]") {
  const int good_at = GENERATE(10, 30, 200);  // before the others, between them, after the instant
  Past at([&](Versions& all) {
    for (int second = 10; second <= 250; second += 10) {
      all.add("a", second == good_at ? "good" : "evil", second);
    }
  });
  at.past->expect("a", expected("good"));
  CHECK(at.listed() == Lines{"a 4"});
  CHECK(text_of(*at.past, "a") == "good");
  const int reads = at.store->reads();
  CHECK(text_of(*at.past, "a") == "good");
  CHECK(at.store->reads() == reads + 1);
}

TEST_CASE("a version that has the right hash goes before all that have none", "[store]") {
  Past at([](Versions& all) {
    all.add("a", "good", 10, "-");
    all.add("a", "evil", 20);
    all.add("a", "evil", 30);
    all.add("a", "evil", 40);
  });
  at.past->expect("a", expected("good"));
  CHECK(text_of(*at.past, "a") == "good");
  CHECK(at.store->reads() == 1);
}

TEST_CASE("no content that is false, and none that is lost, stands for a name", "[store]") {
  Past at([](Versions& all) {
    all.add("a", "evil", 10);
    all.add("a", "lost", 20);
    all.add("a", "evil", 30);
    all.lose("1");
  });
  at.past->expect("a", expected("good"));
  CHECK(failure([&] { at.past->get("a", 10); }).kind() == ErrorKind::not_found);
  at.past->expect("a", expected("other size"));
  CHECK(at.listed().empty());
}

TEST_CASE(
    "where a hash may be of something else, as S3's of encrypted objects, the content decides",
    "[store]") {
  const std::string other(32, 'e');
  const auto fill = [&](Versions& all) { all.add("a", "good", 10, other); };
  const auto right = [](store::HashKind kind) {
    return expected("good", store::object_hash(kind, base::as_bytes("good")));
  };
  Past s3(fill, store::HashKind::md5);
  s3.past->expect("a", right(store::HashKind::md5));
  CHECK(s3.listed().empty());  // nobody has looked yet, and false content may have this size too
  CHECK(text_of(*s3.past, "a") == "good");
  CHECK(s3.listed() == Lines{"a 4"});
  Past b2(fill);
  b2.past->expect("a", right(store::HashKind::sha1));
  CHECK(failure([&] { b2.past->get("a", 10); }).kind() == ErrorKind::not_found);
  CHECK(b2.store->reads() == 0);
}

TEST_CASE("what was copied from another store is found by its size and content", "[store]") {
  Past at([](Versions& all) {
    all.add("a", "good", 10, "-");
    all.add("a", "evil", 20, "-");
  });
  at.past->expect("a", expected("good", ""));
  CHECK(text_of(*at.past, "a") == "good");
}

TEST_CASE("a large file at B2, which has no hash, is read as it was", "[store][b2]") {
  Cloud cloud;
  const auto own = cloud.open();
  own->put("a", bytes("a"));
  const std::string part(5'000'000, 'x');
  cloud.control(
      {{"large_files",
        {{{"bucket", cloud.bucket()}, {"name", "b"}, {"parts", {part, part}}, {"finish", true}}}}});
  pass_an_hour(cloud);
  const base::Instant then = cloud.clock().now();
  pass_an_hour(cloud);
  own->put("b", bytes("ransom"));
  TimeTravelStore past(cloud.open(), then);
  past.expect("b", expected(part + part));
  const store::Page page = past.list("", "", 10);
  REQUIRE(page.objects.size() == 2);
  CHECK(page.objects[1].size == 10'000'000);
  CHECK(page.objects[1].hash.empty());
  CHECK(past.get("b", 10'000'000) == bytes(part + part));
}

TEST_CASE("a store without versions says so", "[store]") {
  const base::Error error = failure([] {
    TimeTravelStore(std::make_unique<store::DirectoryStore>("/srv/backup"), base::Instant());
  });
  CHECK(error.kind() == ErrorKind::config);
}

}  // namespace rota::test
