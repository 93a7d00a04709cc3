#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "store/http.h"

namespace rota::test {

/// A network that gives the answers of a script, one a request, and remembers the requests.
class ScriptedHttp final : public store::HttpClient {
 public:
  struct Asked {
    std::string method, url, body;
    std::vector<std::pair<std::string, std::string>> headers;
    std::uint64_t max_response = 0;
    std::chrono::seconds limit{0};
    /// "" when there is none.
    std::string header(std::string_view name) const {
      for (const auto& [key, value] : headers) {
        if (key == name) return value;
      }
      return "";
    }
  };
  using Answer = std::function<store::HttpResponse(const Asked&)>;

  /// Adds an answer to the end of the script. headers: names in lower case.
  void then(int status, std::string_view body = "",
            std::vector<std::pair<std::string, std::string>> headers = {}) {
    store::HttpResponse response;
    response.status = status;
    response.headers = std::move(headers);
    const auto bytes = base::as_bytes(body);
    response.body.assign(bytes.begin(), bytes.end());
    script_.emplace_back([response](const Asked&) { return response; });
  }
  /// No whole answer: the connection breaks.
  void then_break() {
    script_.emplace_back([](const Asked&) -> store::HttpResponse {
      throw base::Error(base::ErrorKind::unavailable, "no answer from there: it hung up");
    });
  }
  /// The last answer of the script, over and over.
  void repeat_last() { repeat_ = true; }

  store::HttpResponse send(const store::HttpRequest& request) override {
    const std::lock_guard lock(mutex_);
    asked_.push_back({request.method, request.url, std::string(base::as_text(request.body)),
                      request.headers, request.max_response, request.limit});
    if (script_.empty()) {
      throw std::logic_error("no answer is left for " + request.method + " " + request.url);
    }
    const Answer answer = script_.front();
    if (!repeat_ || script_.size() > 1) script_.pop_front();
    store::HttpResponse response = answer(asked_.back());
    if (response.success() && response.body.size() > request.max_response) {
      response.body.resize(static_cast<std::size_t>(request.max_response));
      response.cut = true;
    }
    return response;
  }

  const std::vector<Asked>& asked() const { return asked_; }
  bool done() const { return script_.empty(); }

 private:
  std::mutex mutex_;
  std::deque<Answer> script_;
  std::vector<Asked> asked_;
  bool repeat_ = false;
};

/// For who wants to own its network.
class BorrowedHttp final : public store::HttpClient {
 public:
  explicit BorrowedHttp(store::HttpClient& http) : http_(http) {}
  store::HttpResponse send(const store::HttpRequest& request) override {
    return http_.send(request);
  }

 private:
  store::HttpClient& http_;
};

}  // namespace rota::test
