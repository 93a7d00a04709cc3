// What B2Store does when nothing goes wrong: keys, buckets, versions, locks.
#include <algorithm>

#include "store/open.h"
#include "support/b2_cloud.h"

namespace rota::test {

namespace {

using base::Error;
using base::ErrorKind;
using nlohmann::json;
using std::chrono::hours;
using store::Removal;

const std::vector<std::string> kWriter{"listBuckets", "listFiles", "readFiles", "writeFiles"};
const json kRules = {{{"fileNamePrefix", ""}, {"daysFromHidingToDeleting", 30}}};

}  // namespace

TEST_CASE("nothing is asked of B2 before the first call", "[store][b2]") {
  Cloud cloud;
  const auto store = cloud.open("a/");
  CHECK(store->description() == "b2://" + cloud.bucket() + "/a");
  CHECK(cloud.control()["calls"].empty());
}

TEST_CASE("a run costs few calls", "[store][b2]") {
  Cloud cloud;
  const auto store = cloud.open();
  for (int i = 0; i < 5; ++i) store->put("x" + std::to_string(i), bytes("x"));
  store->list("", "", 1000);
  const json counted = cloud.control();
  CHECK(counted["calls"] == json({{"b2_authorize_account", 1},
                                  {"b2_list_buckets", 1},
                                  {"b2_get_upload_url", 1},
                                  {"b2_upload_file", 5},
                                  {"b2_list_file_names", 1}}));
  cloud.check_manners();
}

TEST_CASE("a thousand names are one page", "[store][b2]") {
  Cloud cloud;
  const auto store = cloud.open("p/");
  const auto name = [](int i) { return "runs/" + std::to_string(10'000 + i); };
  for (int i = 0; i < 1003; ++i) store->put(name(i), {});
  cloud.control({{"reset", true}});
  const store::Page page = store->list("runs/", "", 1000);
  CHECK(page.objects.size() == 1000);
  CHECK(page.more);
  CHECK(cloud.calls("b2_list_file_names") == 1);
  const store::Page rest = store->list("runs/", page.objects.back().name, 1000);
  CHECK(rest.objects.size() == 3);
  CHECK_FALSE(rest.more);
  std::size_t all = 0;
  store::for_each_object(*store, "", [&](const store::ObjectInfo&) { ++all; });
  CHECK(all == 1003);
}

TEST_CASE("what others put into the bucket is passed over", "[store][b2]") {
  Cloud cloud;
  const auto outside = cloud.open();
  const auto store = cloud.open("mine/");
  outside->put("mine-not/x", bytes("x"));
  outside->put("other/x", bytes("x"));
  store->put("x", bytes("own"));
  CHECK(store->list("", "", 10).objects.size() == 1);
  CHECK(outside->get("mine/x", 3) == bytes("own"));
  CHECK(store->remove("x") == Removal::gone);
  CHECK(outside->list("", "", 10).objects.size() == 2);
}

TEST_CASE("a wrong key, bucket or prefix is explained", "[store][b2]") {
  Cloud cloud;
  const auto use = [](const std::unique_ptr<store::B2Store>& store) {
    return failure([&] { store->put("x", bytes("x")); });
  };
  const Error wrong = use(cloud.open("", B2Server::kKeyId, "s3cret"));
  CHECK(wrong.kind() == ErrorKind::refused);
  CHECK_THAT(wrong.what(), Catch::Contains("masterkeyid") && Catch::Contains("credentials file"));
  CHECK(cloud.calls("b2_authorize_account") == 1);
  CHECK(use(cloud.open("", "nobody", "s3cret")).kind() == ErrorKind::refused);

  store::B2Store elsewhere(std::make_unique<store::CurlClient>(),
                           {{"no-such-bucket", ""},
                            {B2Server::kKeyId, B2Server::kKey},
                            shared_b2_server().url(),
                            cloud.clock(),
                            {}});
  const Error absent = failure([&] { elsewhere.list("", "", 1); });
  CHECK(absent.kind() == ErrorKind::config);
  CHECK_THAT(absent.what(), Catch::Contains("no bucket no-such-bucket"));

  cloud.control({{"key",
                  {{"id", "narrow"},
                   {"secret", "s3cret"},
                   {"buckets", {cloud.bucket()}},
                   {"prefix", "server1/"},
                   {"capabilities", kWriter}}}});
  const Error outside = use(cloud.open("server2/", "narrow", "s3cret"));
  CHECK(outside.kind() == ErrorKind::config);
  CHECK_THAT(outside.what(), Catch::Contains("begin with \"server1/\""));
  CHECK(use(cloud.open("", "narrow", "s3cret")).kind() == ErrorKind::config);
  const auto inside = cloud.open("server1/", "narrow", "s3cret");
  inside->put("x", bytes("x"));
  CHECK(inside->list("", "", 10).objects.size() == 1);
  CHECK(inside->get("x", 1) == bytes("x"));

  cloud.control({{"key", {{"id", "other"}, {"secret", "s3cret"}, {"buckets", {"elsewhere"}}}}});
  const Error other = use(cloud.open("", "other", "s3cret"));
  CHECK(other.kind() == ErrorKind::config);
  CHECK_THAT(other.what(), Catch::Contains("may not use the bucket"));

  const Error reader = use(cloud.open_with({"listFiles", "readFiles"}));
  CHECK(reader.kind() == ErrorKind::refused);
}

TEST_CASE("a key for several buckets opens each of them", "[store][b2]") {
  Cloud cloud;
  cloud.control(
      {{"key", {{"id", "several"}, {"secret", "s3cret"}, {"buckets", {"x-1", cloud.bucket()}}}}});
  const auto store = cloud.open("", "several", "s3cret");
  store->put("x", bytes("x"));
  CHECK(store->get("x", 1) == bytes("x"));
  CHECK(cloud.calls("b2_list_buckets") == 0);
}

TEST_CASE("removing takes away every version", "[store][b2]") {
  Cloud cloud;
  const auto store = cloud.open();
  for (int i = 0; i < 130; ++i) store->put("x", bytes(std::to_string(i)));
  store->put("x/y", bytes("y"));
  store->put("x-z", bytes("z"));
  CHECK(store->remove("x") == Removal::gone);
  CHECK(cloud.versions() == 2);
  CHECK(store->list("", "", 10).objects.size() == 2);
}

TEST_CASE("a key that cannot delete hides where the bucket deletes what is hidden", "[store][b2]") {
  Cloud cloud({.rules = kRules});
  const auto store = cloud.open_with(kWriter);
  store->put("x", bytes("x"));
  CHECK(store->remove("x") == Removal::hidden);
  CHECK(store->remove("x") == Removal::hidden);
  CHECK(store->remove("absent") == Removal::gone);
  CHECK(store->list("", "", 10).objects.empty());
  CHECK(failure([&] { store->get("x", 1); }).kind() == ErrorKind::not_found);
  CHECK(cloud.versions() == 2);
  cloud.control(
      {{"advance_ms", hours(31 * 24) / std::chrono::milliseconds(1)}, {"apply_lifecycle", true}});
  CHECK(cloud.versions() == 0);
}

TEST_CASE("a key that cannot delete leaves alone what nobody would delete", "[store][b2]") {
  const json rules =
      GENERATE(json::array(), json{{{"fileNamePrefix", "other/"}, {"daysFromHidingToDeleting", 1}}},
               json{{{"fileNamePrefix", ""},
                     {"daysFromHidingToDeleting", nullptr},
                     {"daysFromUploadingToHiding", 9}}});
  Cloud cloud({.rules = rules});
  const auto store = cloud.open_with(kWriter);
  store->put("x", bytes("x"));
  CHECK(store->remove("x") == Removal::later);
  CHECK(store->remove("absent") == Removal::gone);
  CHECK(store->get("x", 1) == bytes("x"));
  CHECK(cloud.calls("b2_list_buckets") == 1);
}

TEST_CASE("a key that may not see the rules leaves objects alone", "[store][b2]") {
  Cloud cloud({.rules = kRules});
  const auto store = cloud.open_with({"listFiles", "readFiles", "writeFiles"});
  store->put("x", bytes("x"));
  CHECK(store->remove("x") == Removal::later);
}

TEST_CASE("a locked object is due later", "[store][b2]") {
  const auto mode =
      GENERATE(store::ObjectLock::Mode::governance, store::ObjectLock::Mode::compliance);
  Cloud cloud({.lock = true});
  const auto store = cloud.open();
  const base::Instant until = cloud.clock().now() + hours(48);
  store->set_lock(store::ObjectLock{until, mode});
  store->put("x", bytes("x"));
  store->set_lock(std::nullopt);
  store->put("free", bytes("x"));
  CHECK(store->remove("free") == Removal::gone);
  CHECK(store->remove("x") == Removal::later);
  CHECK(cloud.calls("b2_authorize_account") == 1);  // "access_denied" is not a token that ran out
  CHECK(store->get("x", 1) == bytes("x"));
  cloud.control({{"advance_ms", hours(49) / std::chrono::milliseconds(1)}});
  CHECK(store->remove("x") == Removal::gone);
  CHECK(cloud.versions() == 0);
}

TEST_CASE("a lock that cannot be is explained", "[store][b2]") {
  Cloud plain;
  const auto store = plain.open();
  store->set_lock(store::ObjectLock{plain.clock().now() + hours(1)});
  CHECK_THAT(failure([&] { store->put("x", bytes("x")); }).what(),
             Catch::Contains("no Object Lock"));
  Cloud locking({.lock = true});
  const auto past = locking.open();
  past->set_lock(store::ObjectLock{locking.clock().now() - hours(1)});
  CHECK_THAT(failure([&] { past->put("x", bytes("x")); }).what(), Catch::Contains("clock"));
  const auto poor = locking.open_with(kWriter);
  poor->set_lock(store::ObjectLock{locking.clock().now() + hours(1)});
  CHECK(failure([&] { poor->put("x", bytes("x")); }).kind() == ErrorKind::refused);
}

TEST_CASE("the store's time is the server's", "[store][b2]") {
  Cloud cloud;
  const auto store = cloud.open();
  const auto apart = [&] { return std::chrono::abs(*store->now() - cloud.clock().now()); };
  CHECK(apart() <= std::chrono::seconds(2));
  cloud.control({{"advance_ms", 7'200'000}});
  store->list("", "", 1);
  CHECK(apart() <= std::chrono::seconds(2));
}

TEST_CASE("a target without a key, or with one in it, is explained", "[store][b2]") {
  const auto open = [](store::StoreSettings settings) {
    return failure([&] { store::open_store(settings); });
  };
  const Error none = open({.target = "b2://bucket/x"});
  CHECK(none.kind() == ErrorKind::config);
  CHECK_THAT(none.what(), Catch::Contains("access key"));
  const Error clear = open({.target = "b2://bucket/x",
                            .credentials = {{"id", "s3cret"}},
                            .b2_api_url = "http://api.example.org"});
  CHECK(clear.kind() == ErrorKind::config);
  CHECK_THAT(clear.what(), Catch::Contains("https://"));
  for (const char* url : {"http://127.0.0.1.example.org", "http://localhost.example.org",
                          "http://127.0.0.1@example.org"}) {
    CHECK(open({.target = "b2://bucket/x", .credentials = {{"id", "s3cret"}}, .b2_api_url = url})
              .kind() == ErrorKind::config);
  }
}

}  // namespace rota::test
