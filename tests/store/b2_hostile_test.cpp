// Answers that no honest server gives: B2Store believes none of them.
#include <functional>

#include "support/b2_cloud.h"

namespace rota::test {

namespace {

using base::ErrorKind;
using nlohmann::json;
using store::HttpRequest;
using store::HttpResponse;

HttpResponse answer(const json& value) {
  HttpResponse response;
  response.status = 200;
  response.body = bytes(value.dump());
  return response;
}

json login() {
  return {{"accountId", "acc"},
          {"authorizationToken", "tok"},
          {"apiInfo",
           {{"storageApi",
             {{"apiUrl", "https://api.example"},
              {"downloadUrl", "https://f.example"},
              {"allowed",
               {{"capabilities", {"listFiles", "deleteFiles"}},
                {"buckets", {{{"id", "bid"}, {"name", "bucket"}}}},
                {"namePrefix", nullptr}}}}}}}};
}

json entry(const std::string& name, const json& size = 1) {
  return {{"action", "upload"},    {"fileName", name}, {"contentLength", size},
          {"contentSha1", "none"}, {"fileId", "id"},   {"uploadTimestamp", 1000}};
}

/// Answers by the end of the URL; a login that is in order unless another is given.
class Scripted final : public store::HttpClient {
 public:
  using Reply = std::function<HttpResponse(const HttpRequest&)>;
  explicit Scripted(Reply reply, json first = login())
      : reply_(std::move(reply)), login_(std::move(first)) {}
  HttpResponse send(const HttpRequest& request) override {
    if (request.url.ends_with("b2_authorize_account")) return answer(login_);
    return reply_(request);
  }

 private:
  Reply reply_;
  json login_;
};

struct Target {
  QuickClock clock;
  std::unique_ptr<store::B2Store> store;
  explicit Target(Scripted::Reply reply, const json& first = login())
      : store(std::make_unique<store::B2Store>(
            std::make_unique<Scripted>(std::move(reply), first),
            store::B2Session::Settings{{"bucket", "p/"}, {"id", "s3cret"}, "", clock, {}})) {}
};

HttpResponse nothing(const HttpRequest&) { return answer(json::object()); }

}  // namespace

TEST_CASE("a token is sent nowhere in the clear and never into another header", "[store][b2]") {
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"/apiInfo/storageApi/apiUrl", "http://api.example"},
           {"/apiInfo/storageApi/apiUrl", "http://127.0.0.1"},
           {"/apiInfo/storageApi/apiUrl", ""},
           {"/apiInfo/storageApi/apiUrl", "file:///etc/passwd"},
           {"/apiInfo/storageApi/downloadUrl", "https://f.example/\r\nX: y"},
           {"/authorizationToken", "tok\r\nX-Other: 1"},
           {"/authorizationToken", ""},
           {"/authorizationToken", std::string(10'000, 'x')}}) {
    json bad = login();
    bad[json::json_pointer(key)] = value;
    Target target(nothing, bad);
    CHECK(failure([&] { target.store->list("", "", 1); }).kind() == ErrorKind::corrupt);
  }
  Target upload([](const HttpRequest&) {
    return answer({{"uploadUrl", "http://elsewhere.example/"}, {"authorizationToken", "tok"}});
  });
  CHECK(failure([&] { upload.store->put("x", {}); }).kind() == ErrorKind::corrupt);
}

TEST_CASE("a login of other shapes is refused, not believed", "[store][b2]") {
  for (const json& bad :
       {json::object(), json{{"apiInfo", 1}}, json{{"apiInfo", {{"storageApi", "x"}}}},
        json{{"authorizationToken", 5}}}) {
    Target target(nothing, bad);
    CHECK(failure([&] { target.store->list("", "", 1); }).kind() == ErrorKind::corrupt);
  }
}

TEST_CASE("a listing holds only names that can be, in order", "[store][b2]") {
  const json files = {entry("p/a"),
                      entry("p/a"),
                      entry("elsewhere/b"),
                      entry("p/../c"),
                      entry("p/\x1b[2J"),
                      entry("p/d", -1),
                      entry("p/d", 1.5),
                      entry("p/d", "x"),
                      entry("p/d", UINT64_MAX),
                      entry("p/c"),
                      json(1),
                      json::array(),
                      json::object(),
                      {{"fileName", 1}, {"action", "upload"}},
                      entry("p/e")};
  Target target([&](const HttpRequest&) { return answer({{"files", files}}); });
  const store::Page page = target.store->list("", "", 1000);
  REQUIRE(page.objects.size() == 3);
  CHECK(page.objects[0].name == "a");
  CHECK(page.objects[1].name == "d");
  CHECK(page.objects[1].size == UINT64_MAX);
  CHECK(page.objects[2].name == "e");
  CHECK_FALSE(page.more);
}

TEST_CASE("a listing without an end is given up", "[store][b2]") {
  Target target([](const HttpRequest&) {
    return answer({{"files", json::array()}, {"nextFileName", "p/x"}});
  });
  CHECK(failure([&] { target.store->list("", "", 10); }).kind() == ErrorKind::corrupt);
  CHECK(target.store->remove("x") == store::Removal::gone);
}

TEST_CASE("a listing of other shapes is empty", "[store][b2]") {
  for (const json& bad : {json::object(), json{{"files", 7}}, json{{"files", {{"a", 1}}}},
                          json{{"files", json::array()}, {"nextFileName", 7}}}) {
    Target target([&](const HttpRequest&) { return answer(bad); });
    CHECK(target.store->list("", "", 10).objects.empty());
    CHECK(target.store->versions("", {}, 10).versions.empty());
  }
}

TEST_CASE("a range is checked for its place and length", "[store][b2]") {
  for (const char* range : {"", "bytes 0-3/10", "bytes 2-4/10", "bytes 2-6/10", "bytes 2-5/4",
                            "bytes 2-5/2", "bytes 2-5/*", "bytes -1-5/10", "bytes 2-5/10 ",
                            "bytes 2-99999999999999999999/10", "items 2-5/10"}) {
    INFO(range);
    Target target([&](const HttpRequest&) {
      HttpResponse response;
      response.status = 206;
      response.headers = {{"x-bz-content-sha1", "none"}, {"content-range", range}};
      response.body = bytes("2345");
      return response;
    });
    base::Bytes buffer(4);
    CHECK(failure([&] { target.store->read_some("x", 2, buffer); }).kind() == ErrorKind::corrupt);
  }
  const auto sends = [](const char* range, const char* body) {
    return Target([=](const HttpRequest&) {
      HttpResponse response;
      response.status = 206;
      response.headers = {{"x-bz-content-sha1", "none"}, {"content-range", range}};
      response.body = bytes(body);
      return response;
    });
  };
  base::Bytes buffer(4);
  CHECK(sends("bytes 2-3/4", "23").store->read_some("x", 2, buffer) == 2);
  for (const auto& [range, body] : std::vector<std::pair<const char*, const char*>>{
           {"bytes 3-5/10", "345"}, {"bytes 2-4/10", "234"}, {"bytes 2-5/10", "234"}}) {
    INFO(range);
    const Target wrong = sends(range, body);
    CHECK(failure([&] { wrong.store->read_some("x", 2, buffer); }).kind() == ErrorKind::corrupt);
  }
}

TEST_CASE("messages of a server reach the terminal without control characters", "[store][b2]") {
  Target target([](const HttpRequest&) {
    HttpResponse response = answer({{"code", "a\x1b[2J"}, {"message", std::string(5000, '\x1b')}});
    response.status = 400;
    return response;
  });
  const base::Error error = failure([&] { target.store->list("", "", 1); });
  CHECK_THAT(error.what(), !Catch::Contains("\x1b"));
  CHECK(std::string(error.what()).size() < 2000);
}

TEST_CASE("a receipt for something else is no receipt", "[store][b2]") {
  const std::string sha1 = store::object_hash(store::HashKind::sha1, bytes("x"));
  const json good = {
      {"fileName", "p/x"}, {"contentLength", 1}, {"contentSha1", sha1}, {"fileId", "id"}};
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, json>>{{"fileName", "p/y"},
                                                 {"contentLength", 2},
                                                 {"contentSha1", std::string(40, '0')},
                                                 {"contentSha1", nullptr},
                                                 {"fileId", ""}}) {
    json bad = good;
    bad[key] = value;
    Target target([&](const HttpRequest& request) {
      if (request.url.ends_with("b2_get_upload_url")) {
        return answer({{"uploadUrl", "https://u.example/"}, {"authorizationToken", "tok"}});
      }
      return answer(bad);
    });
    const base::Error error = failure([&] { target.store->put("x", bytes("x")); });
    CHECK(error.kind() == ErrorKind::unavailable);
    CHECK_THAT(error.what(), Catch::Contains("another content"));
  }
}

}  // namespace rota::test
