#include "store/time_travel.h"

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
  const auto hash = [](std::string_view text) {
    return store::object_hash(store::HashKind::sha1, base::as_bytes(text));
  };
  own->put("a", bytes("good"));
  own->put("a", bytes("bad"));  // before the instant already
  pass_an_hour(cloud);
  TimeTravelStore past(cloud.open(), cloud.clock().now());
  CHECK(text_of(past, "a") == "bad");
  past.expect("a", hash("good"));
  CHECK(text_of(past, "a") == "good");
  past.expect("a", "");
  CHECK(text_of(past, "a") == "good");
  past.expect("a", hash("never"));
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
  const std::string hash = store::object_hash(store::HashKind::sha1, bytes("good"));
  past.expect("a", hash);
  past.expect("b", std::string(40, '0'));
  const store::Page page = past.list("", "", 10);
  REQUIRE(page.objects.size() == 1);
  CHECK(page.objects[0].name == "a");
  CHECK(page.objects[0].size == 4);
  CHECK(page.objects[0].hash == hash);
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

TEST_CASE("a store without versions says so", "[store]") {
  const base::Error error = failure([] {
    TimeTravelStore(std::make_unique<store::DirectoryStore>("/srv/backup"), base::Instant());
  });
  CHECK(error.kind() == ErrorKind::config);
}

}  // namespace rota::test
