#include "store/curl_client.h"

#include <curl/curl.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <new>

#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "base/version.h"

namespace rota::store {

namespace {

using base::Error;
using base::ErrorKind;

constexpr long kConnectSeconds = 30;
/// A transfer that moves less than a byte a second for so long is dead.
constexpr long kStallSeconds = 60;
/// Of one answer; curl itself bounds a single line.
constexpr std::size_t kMaxHeaders = 200;
constexpr long kBuffer = 256 << 10;

const std::string kUserAgent = std::string("rota/") + base::kVersion;

void start_curl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw Error(ErrorKind::io, "libcurl cannot be started");
}

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

void append(HeaderList& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  static_cast<void>(list.release());
  list.reset(longer);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

/// "https://host:port" of a URL: what may be shown.
std::string host_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t from = scheme == std::string::npos ? 0 : scheme + 3;
  return base::printable(url.substr(0, url.find_first_of("/?#", from)));
}

/// One exchange on its way: what curl's callbacks work on.
struct Transfer {
  const HttpRequest& request;
  RateLimit& sending;
  RateLimit& receiving;
  const std::stop_token& stop;
  CURL* curl;
  std::size_t sent = 0;
  bool headers_complete = false;
  HttpResponse response{};

  void wait(RateLimit& limit, std::uint64_t bytes) const {
    const auto pause = limit.take(bytes, std::chrono::steady_clock::now());
    if (pause.count() > 0) base::real_clock().sleep(pause, stop);
  }
};

std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (transfer.stop.stop_requested()) return CURL_READFUNC_ABORT;
  const auto rest = transfer.request.body.subspan(transfer.sent);
  const auto n = static_cast<std::size_t>(
      std::min<std::uint64_t>({rest.size(), size * count, transfer.sending.piece()}));
  transfer.wait(transfer.sending, n);
  if (n > 0) std::memcpy(buffer, rest.data(), n);
  transfer.sent += n;
  return n;
}

/// curl wants to send a body again, unasked, when a kept connection breaks. The server may have
/// taken it, and an address for uploads must not be used again after a failure: that is for the
/// caller to decide.
int on_seek(void* context, curl_off_t offset, int origin) {
  const auto& transfer = *static_cast<Transfer*>(context);
  const bool untouched = origin == SEEK_SET && offset == 0 && transfer.sent == 0;
  return untouched ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  HttpResponse& response = transfer.response;
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) {  // of the last answer, not of a "100 Continue" before it
    response.headers.clear();
    transfer.headers_complete = false;
    return line.size();
  }
  transfer.headers_complete = trimmed(line).empty();
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  if (response.headers.size() == kMaxHeaders) return 0;
  response.headers.emplace_back(lower(trimmed(line.substr(0, colon))),
                                trimmed(line.substr(colon + 1)));
  return line.size();
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  HttpResponse& response = transfer.response;
  const std::size_t got = size * count;
  transfer.wait(transfer.receiving, got);
  long status = 0;
  curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
  const std::uint64_t limit =
      status >= 200 && status < 300 ? transfer.request.max_response : kMaxErrorBody;
  const std::uint64_t room = limit - std::min<std::uint64_t>(limit, response.body.size());
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(room, got));
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  if (response.body.empty()) {
    curl_off_t length = -1;
    curl_easy_getinfo(transfer.curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length > 0) {
      response.body.reserve(
          static_cast<std::size_t>(std::min(limit, static_cast<std::uint64_t>(length))));
    }
  }
  response.body.insert(response.body.end(), bytes, bytes + taken);
  response.cut = taken < got;
  return response.cut ? 0 : got;  // 0 ends the transfer
}

int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(context)->stop.stop_requested() ? 1 : 0;
}

}  // namespace

/// An easy handle, and with it the connections that it keeps open.
class CurlClient::Handle {
 public:
  Handle() : curl_(curl_easy_init()) {
    if (curl_ == nullptr) throw std::bad_alloc();
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { curl_easy_cleanup(curl_); }

  HttpResponse perform(const HttpRequest& request, RateLimit& sending, RateLimit& receiving,
                       const std::stop_token& stop);

 private:
  template <typename Value>
  void set(CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(curl_, option, value);
    if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
    if (code != CURLE_OK) {
      throw Error(ErrorKind::io, fmt::format("libcurl refuses option {}: {}",
                                             static_cast<int>(option), curl_easy_strerror(code)));
    }
  }
  void set_method(const HttpRequest& request);
  HeaderList headers_of(const HttpRequest& request) const;
  std::string reason(CURLcode code) const;

  CURL* curl_;
  std::array<char, CURL_ERROR_SIZE> message_{};
};

void CurlClient::Handle::set_method(const HttpRequest& request) {
  const auto size = static_cast<curl_off_t>(request.body.size());
  if (request.method == "GET") {
    set(CURLOPT_HTTPGET, 1L);
  } else if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (request.method == "POST") {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, size);
  } else if (request.method == "PUT") {
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_INFILESIZE_LARGE, size);
  } else {
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

HeaderList CurlClient::Handle::headers_of(const HttpRequest& request) const {
  HeaderList list;
  append(list, "Expect:");  // no "100 Continue": it costs a round trip and confuses proxies
  bool typed = false;
  for (const auto& [name, value] : request.headers) {
    typed = typed || lower(name) == "content-type";
    // curl sends a header without a value only in this form.
    append(list, value.empty() ? name + ";" : name + ": " + value);
  }
  if (!typed) append(list, "Content-Type:");  // else curl calls every POST a web form
  return list;
}

std::string CurlClient::Handle::reason(CURLcode code) const {
  const std::string_view detail = message_.data();
  // A proxy's address can stand in there with its password.
  if (detail.empty() || detail.find('@') != std::string_view::npos) {
    return curl_easy_strerror(code);
  }
  return base::printable(trimmed(detail));
}

HttpResponse CurlClient::Handle::perform(const HttpRequest& request, RateLimit& sending,
                                         RateLimit& receiving, const std::stop_token& stop) {
  curl_easy_reset(curl_);  // keeps the connections
  message_[0] = '\0';
  Transfer transfer{request, sending, receiving, stop, curl_};
  const HeaderList headers = headers_of(request);
  set_method(request);
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);  // "//" and "/../" mean what they say in the name of an object
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_USERAGENT, kUserAgent.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  set(CURLOPT_TIMEOUT, static_cast<long>(request.limit.count()));
  set(CURLOPT_BUFFERSIZE, receiving.limited() ? 16L << 10 : kBuffer);
  set(CURLOPT_UPLOAD_BUFFERSIZE, kBuffer);
  set(CURLOPT_ERRORBUFFER, message_.data());
  set(CURLOPT_READFUNCTION, &on_read);
  set(CURLOPT_READDATA, &transfer);
  set(CURLOPT_SEEKFUNCTION, &on_seek);
  set(CURLOPT_SEEKDATA, &transfer);
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(CURLOPT_XFERINFODATA, &transfer);

  const CURLcode code = curl_easy_perform(curl_);
  long status = 0;
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, nullptr);
  transfer.response.status = static_cast<int>(status);
  // A server may refuse a body, say so and hang up before it has read all of it.
  const bool answered_early =
      (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR) && status >= 400;
  // curl takes an end of the connection for the end of the headers.
  const bool whole = code == CURLE_OK && transfer.headers_complete;
  if (whole || transfer.response.cut || answered_early) return std::move(transfer.response);
  base::check_stop(stop);
  throw Error(ErrorKind::unavailable,
              fmt::format("no answer from {}: {}", host_of(request.url),
                          code == CURLE_OK ? "it was cut off" : reason(code)));
}

CurlClient::CurlClient(std::uint64_t rate, std::stop_token stop)
    : sending_(rate), receiving_(rate), stop_(std::move(stop)) {
  start_curl();
}

CurlClient::~CurlClient() = default;

HttpResponse CurlClient::send(const HttpRequest& request) {
  base::check_stop(stop_);
  std::unique_ptr<Handle> handle = take();
  HttpResponse response = handle->perform(request, sending_, receiving_, stop_);
  give_back(std::move(handle));  // after a failure its connections go with it
  return response;
}

std::unique_ptr<CurlClient::Handle> CurlClient::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      // The one that was used last: its connections are the least likely to have timed out.
      std::unique_ptr<Handle> handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
  }
  return std::make_unique<Handle>();
}

void CurlClient::give_back(std::unique_ptr<Handle> handle) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(handle));
}

}  // namespace rota::store
