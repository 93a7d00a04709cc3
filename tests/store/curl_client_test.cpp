#include "store/curl_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "base/pipeline.h"
#include "support/b2_cloud.h"

namespace rota::test {

using base::Error;
using base::ErrorKind;
using namespace std::chrono_literals;
using store::CurlClient;
using store::HttpRequest;
using store::HttpResponse;

namespace {

/// Answers one connection with given bytes, whatever was asked, and closes it.
class OneAnswer {
 public:
  /// pause: before each byte; 0: all is sent at once.
  explicit OneAnswer(std::string text, std::chrono::milliseconds pause = 0ms)
      : text_(std::move(text)), pause_(pause) {
    forget_proxies();
    socket_ = base::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(socket_.get(), 8) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve(); });
  }
  ~OneAnswer() { ::shutdown(socket_.get(), SHUT_RDWR); }

  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/s3cret/path?k=s3cret";
  }
  std::string asked() {
    thread_.join();
    return asked_;
  }

 private:
  void serve() {
    const base::Fd peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!peer.valid()) return;
    char buffer[4096];
    while (!complete()) {
      const ssize_t got = ::recv(peer.get(), buffer, sizeof buffer, 0);
      if (got <= 0) return;
      asked_.append(buffer, static_cast<std::size_t>(got));
    }
    std::size_t sent = 0;
    while (sent < text_.size()) {
      std::this_thread::sleep_for(pause_);
      const std::size_t most = pause_ > 0ms ? 1 : text_.size() - sent;
      const ssize_t n = ::send(peer.get(), text_.data() + sent, most, MSG_NOSIGNAL);
      if (n <= 0) return;
      sent += static_cast<std::size_t>(n);
    }
  }

  bool complete() const {
    constexpr std::string_view kLength = "Content-Length: ";
    const std::size_t end = asked_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const std::size_t length = asked_.find(kLength);
    if (length > end) return true;
    return asked_.size() >= end + 4 + std::stoul(asked_.substr(length + kLength.size()));
  }

  std::string text_;
  const std::chrono::milliseconds pause_;
  std::string asked_;
  base::Fd socket_;
  int port_ = 0;
  std::jthread thread_;
};

HttpResponse get(const std::string& text, std::uint64_t limit = 1 << 20) {
  OneAnswer server(text);
  CurlClient client;
  return client.send({.method = "GET", .url = server.url(), .max_response = limit});
}

Error broken(const std::string& text) {
  return failure([&] { get(text); });
}

}  // namespace

TEST_CASE("an answer has its status, headers in lower case and its body", "[store][http]") {
  const HttpResponse response =
      get("HTTP/1.1 100 Continue\r\nX-Old: 1\r\n\r\n"
          "HTTP/1.1 404 Not Found\r\nX-Some-Name:  value \r\nContent-Length: 4\r\n\r\nbody");
  CHECK(response.status == 404);
  CHECK(response.header("x-some-name") == "value");
  CHECK_FALSE(response.header("x-old"));
  CHECK_FALSE(response.header("absent"));
  CHECK(response.body == bytes("body"));
  CHECK_FALSE(response.cut);
}

TEST_CASE("a redirect is an answer, not followed", "[store][http]") {
  CHECK(get("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
            .status == 302);
}

TEST_CASE("no answer may fill the memory", "[store][http]") {
  const std::string large(1 << 20, 'x');
  const HttpResponse cut = get("HTTP/1.1 200 OK\r\n\r\n" + large, 1000);
  CHECK(cut.status == 200);
  CHECK(cut.cut);
  CHECK(cut.body.size() == 1000);
  const HttpResponse page = get("HTTP/1.1 502 Bad\r\nContent-Length: 99999999999\r\n\r\n" + large);
  CHECK(page.status == 502);
  CHECK(page.cut);
  CHECK(page.body.size() == store::kMaxErrorBody);
  CHECK(get("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour", 4).body.size() == 4);
  CHECK(get("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour", 0).cut);
  std::string headers;
  for (int i = 0; i < 1000; ++i) headers += "X-A: b\r\n";
  CHECK(broken("HTTP/1.1 200 OK\r\n" + headers + "\r\n").kind() == ErrorKind::unavailable);
}

TEST_CASE("an answer that is cut off is none, and no secret is told", "[store][http]") {
  for (const char* text : {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour",
                           "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Le"}) {
    INFO(text);
    const Error error = broken(text);
    CHECK(error.kind() == ErrorKind::unavailable);
    CHECK_THAT(error.what(), Catch::StartsWith("no answer from http://127.0.0.1:"));
  }
}

TEST_CASE("a server that is not there is named with the reason", "[store][http]") {
  CurlClient client;
  const auto fail = [&](const char* url) {
    return failure([&] { client.send({.method = "GET", .url = url}); });
  };
  CHECK_THAT(fail("http://127.0.0.1:1/s3cret").what(), Catch::Contains("http://127.0.0.1:1: "));
  CHECK_THAT(fail("http://no-such-host.invalid/s3cret").what(), Catch::Contains("resolve"));
  CHECK(fail("file:///etc/passwd").kind() == ErrorKind::unavailable);
}

TEST_CASE("a proxy's password is not told", "[store][http]") {
  const std::string proxy =
      GENERATE("http://anna:s3cret@127.0.0.1:1", "odd://anna:s3cret@127.0.0.1:1",
               "http://anna:s3cret@[bad", "http://anna:s3cret@127.0.0.1:99999");
  ::setenv("http_proxy", proxy.c_str(), 1);
  ::unsetenv("no_proxy");
  ::unsetenv("NO_PROXY");
  CurlClient client;
  failure([&] { client.send({.method = "GET", .url = "http://host.invalid/"}); });
  ::unsetenv("http_proxy");
}

TEST_CASE("requests carry what they should and nothing else", "[store][http]") {
  OneAnswer server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  CurlClient client;
  const std::string body(2 << 20, 'x');  // curl would ask for "100 Continue" from 1 MB on
  const std::string method = GENERATE("POST", "PUT");
  CHECK(client
            .send({.method = method,
                   .url = server.url(),
                   .headers = {{"X-Name", "value"}, {"X-Empty", ""}},
                   .body = base::as_bytes(body)})
            .status == 200);
  const std::string asked = server.asked();
  CHECK_THAT(asked, Catch::StartsWith(method + " /s3cret/path?k=s3cret HTTP/1.1\r\n"));
  CHECK_THAT(asked, Catch::Contains("\r\nUser-Agent: rota/") &&
                        Catch::Contains("\r\nX-Name: value\r\n") &&
                        Catch::Contains("\r\nX-Empty:\r\n") &&
                        Catch::Contains("\r\nContent-Length: 2097152\r\n"));
  CHECK_THAT(asked, !Catch::Contains("Expect") && !Catch::Contains("Transfer-Encoding") &&
                        !Catch::Contains("Content-Type"));
}

TEST_CASE("connections are kept, one for each call at once", "[store][http]") {
  Cloud cloud;
  const auto store = cloud.open();
  store->put("x", bytes("x"));
  cloud.control({{"reset", true}});  // a connection of its own, as each look at the counters is
  for (int i = 0; i < 50; ++i) store->get("x", 1);
  CHECK(cloud.control()["connections"] == 1);

  base::Pipeline threads;
  for (int t = 0; t < 4; ++t) {
    threads.add([&] {
      for (int i = 0; i < 50; ++i) store->get("x", 1);
    });
  }
  REQUIRE_NOTHROW(threads.join());
  CHECK(cloud.control()["connections"] <= 2 + 4);
}

TEST_CASE("an exchange with a limit ends then, though something moves all the time",
          "[store][http]") {
  OneAnswer server("HTTP/1.1 200 OK\r\n\r\n" + std::string(500, 'x'), 20ms);  // 10 seconds
  CurlClient client;
  const Error error =
      failure([&] { client.send({.method = "GET", .url = server.url(), .limit = 1s}); });
  CHECK(error.kind() == ErrorKind::unavailable);
}

TEST_CASE("a stop ends a transfer that hangs", "[store][http]") {
  Cloud cloud;
  std::stop_source stop;
  const auto store = cloud.open("", B2Server::kKeyId, B2Server::kKey, stop.get_token());
  store->put("x", bytes("0123456789"));
  cloud.fault({{"call", "b2_download_file_by_name"}, {"kind", "slow"}, {"seconds", 20}});
  const auto start = std::chrono::steady_clock::now();
  std::jthread stopper([&] {
    while (cloud.fired() == 0) std::this_thread::yield();
    stop.request_stop();
  });
  CHECK(failure([&] { store->get("x", 10); }).kind() == ErrorKind::interrupted);
  CHECK(std::chrono::steady_clock::now() - start < 10s);
}

TEST_CASE("transfers keep to the rate", "[store][http]") {
  Cloud cloud;
  store::B2Store slow(std::make_unique<CurlClient>(2'000'000), {{cloud.bucket(), ""},
                                                                {B2Server::kKeyId, B2Server::kKey},
                                                                shared_b2_server().url(),
                                                                cloud.clock(),
                                                                {}});
  const base::Bytes data(1'000'000, std::byte{1});
  const auto seconds = [](const auto& action) {
    const auto start = std::chrono::steady_clock::now();
    action();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  // Half a second, of which a quarter is given in advance.
  CHECK(seconds([&] { slow.put("x", data); }) >= 0.24);
  CHECK(seconds([&] { slow.get("x", 1'000'000); }) >= 0.24);
}

}  // namespace rota::test
