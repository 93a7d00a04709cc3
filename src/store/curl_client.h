#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include "store/http.h"
#include "store/rate_limit.h"

namespace rota::store {

/// HTTP/1.1 by libcurl. Connections are kept and used again: each call takes a handle from a pool,
/// with the connections that it has open, and puts it back, so that as many run at once as there
/// are threads. TLS certificates are verified; the usual proxy variables of the environment hold.
class CurlClient final : public HttpClient {
 public:
  /// rate: bytes a second for all transfers together, each way; 0: no limit.
  /// stop: ends running transfers within about a second.
  explicit CurlClient(std::uint64_t rate = 0, std::stop_token stop = {});
  ~CurlClient() override;

  HttpResponse send(const HttpRequest& request) override;

 private:
  class Handle;

  std::unique_ptr<Handle> take();
  void give_back(std::unique_ptr<Handle> handle);

  RateLimit sending_;
  RateLimit receiving_;
  std::stop_token stop_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Handle>> idle_;
};

}  // namespace rota::store
