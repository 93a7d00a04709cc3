#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace rota::store {

/// The most of an answer's body that is read where the status is no success: enough for any error
/// message, and no page of a proxy can fill the memory.
inline constexpr std::uint64_t kMaxErrorBody = 64 << 10;

struct HttpRequest {
  std::string method;  ///< GET, HEAD, POST, PUT or DELETE
  std::string url;     ///< http:// or https://, percent-encoded, without credentials
  std::vector<std::pair<std::string, std::string>> headers{};
  std::span<const std::byte> body{};     ///< of POST and PUT; outlives the call
  std::uint64_t max_response = 1 << 20;  ///< the most that is read of a successful answer's body
  std::chrono::seconds limit{0};         ///< of the whole exchange; 0: none while something moves
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  base::Bytes body;
  bool cut = false;  ///< the body was longer than it might be; what lies behind was not read

  /// The first header of that name (lower case), or nothing.
  std::optional<std::string> header(std::string_view name) const;
  bool success() const { return status >= 200 && status < 300; }
};

/// The seam to the network. May be used from several threads at once.
class HttpClient {
 public:
  virtual ~HttpClient() = default;

  /// One exchange. An answer of any status is returned; redirects are not followed. Throws
  /// Error(unavailable) when there is no whole answer, with the reason in words and never with a
  /// header or any part of the URL but the host; Error(interrupted) when a stop was requested.
  virtual HttpResponse send(const HttpRequest& request) = 0;
};

/// "Thu, 26 Nov 2026 20:09:10 GMT" and the older forms of RFC 9110, 5.6.7. Nothing for another
/// text.
std::optional<base::Instant> parse_http_date(const std::string& text);

/// What is not [A-Za-z0-9._~-] becomes %XX; '/' stays too where a whole path is encoded.
std::string percent_encode(std::string_view text, bool keep_slash);

}  // namespace rota::store
