#include "store/http.h"

#include <curl/curl.h>
#include <fmt/core.h>

#include <algorithm>

namespace rota::store {

std::optional<std::string> HttpResponse::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, [](const auto& h) { return h.first; });
  if (found == headers.end()) return std::nullopt;
  return found->second;
}

std::optional<base::Instant> parse_http_date(const std::string& text) {
  const std::time_t time = curl_getdate(text.c_str(), nullptr);
  if (time <= 0) return std::nullopt;
  return base::Instant(std::chrono::seconds(time));
}

std::string percent_encode(std::string_view text, bool keep_slash) {
  std::string out;
  for (const char c : text) {
    const bool safe = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '~' || c == '-' || (c == '/' && keep_slash);
    if (safe) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace rota::store
