// Large files at B2 that other programs began and never finished.
#include <algorithm>
#include <set>

#include "support/b2_cloud.h"

namespace rota::test {

using nlohmann::json;
using store::Removal;
using store::UnfinishedUpload;

namespace {

json large_file(const Cloud& cloud, const std::string& name) {
  return {{"bucket", cloud.bucket()}, {"name", name}, {"parts", {"part"}}};
}

void start(Cloud& cloud, const std::vector<std::string>& names) {
  json files = json::array();
  for (const std::string& name : names) files.push_back(large_file(cloud, name));
  cloud.control({{"large_files", files}});
}

std::vector<std::string> names_of(const std::vector<UnfinishedUpload>& uploads) {
  std::vector<std::string> names;
  for (const UnfinishedUpload& upload : uploads) names.push_back(upload.name);
  std::ranges::sort(names);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("unfinished large files below the prefix are seen and ended, others left alone",
          "[store][b2]") {
  Cloud cloud;
  const auto own = cloud.open("srv/");
  own->put("runs/x", bytes("x"));
  start(cloud, {"srv/a", "srv/a", "srv/b c\xc3\xbc", "srv2/a", "other"});
  const base::Instant now = cloud.clock().now();
  const auto uploads = own->unfinished_uploads();
  REQUIRE(names_of(uploads) == Names{"a", "a", "b c\xc3\xbc"});
  for (const UnfinishedUpload& upload : uploads) {
    CHECK(std::chrono::abs(upload.since - now) < std::chrono::hours(1));
    CHECK(own->cancel_upload(upload) == Removal::gone);
    CHECK(own->cancel_upload(upload) == Removal::gone);  // somebody was faster
  }
  CHECK(own->unfinished_uploads().empty());
  CHECK(own->get("runs/x", 10) == bytes("x"));
  CHECK(cloud.versions() == 3);  // with those of others
  cloud.check_manners();
}

TEST_CASE("a target without a prefix ends nothing: others use the bucket too", "[store][b2]") {
  Cloud cloud;
  start(cloud, {"a"});
  CHECK(cloud.open()->unfinished_uploads().empty());
  CHECK(cloud.calls("b2_list_unfinished_large_files") == 0);
}

TEST_CASE("more unfinished files than a page holds are all seen", "[store][b2]") {
  Cloud cloud;
  start(cloud, Names(201, "p/x"));
  const auto uploads = cloud.open("p/")->unfinished_uploads();
  CHECK(uploads.size() == 201);
  std::set<std::string> ids;
  for (const UnfinishedUpload& upload : uploads) ids.insert(upload.id);
  CHECK(ids.size() == 201);
  CHECK(cloud.calls("b2_list_unfinished_large_files") == 3);
  cloud.check_manners();
}

TEST_CASE("a key that may not see or end unfinished files is no failure", "[store][b2]") {
  Cloud cloud;
  start(cloud, {"p/a"});
  const auto blind = cloud.open_with({"writeFiles"}, "p/");
  CHECK(blind->unfinished_uploads().empty());
  const auto reader = cloud.open_with({"listFiles"}, "p/");
  const auto uploads = reader->unfinished_uploads();
  REQUIRE(uploads.size() == 1);
  CHECK(reader->cancel_upload(uploads[0]) == Removal::later);
  CHECK(cloud.versions() == 1);
  // The right was taken away since the key logged in.
  cloud.fault({{"call", "b2_cancel_large_file"},
               {"kind", "status"},
               {"status", 401},
               {"code", "unauthorized"}});
  CHECK(cloud.open("p/")->cancel_upload(uploads[0]) == Removal::later);
  cloud.check_manners();
}

}  // namespace rota::test
