#include "store/s3_sign.h"

#include <fmt/core.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "store/http.h"

namespace rota::store {

namespace {

/// Lower case, in ASCII only.
std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

/// Without spaces at both ends, and with one where there are several.
std::string trimmed(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c != ' ' || (!text.empty() && text.back() != ' ')) text += c;
  }
  if (text.ends_with(' ')) text.pop_back();
  return text;
}

base::Sha256Digest hmac(std::span<const std::byte> key, std::string_view message) {
  base::Sha256Digest digest;
  unsigned size = 0;
  const auto* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                          reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                          reinterpret_cast<unsigned char*>(digest.data()), &size);
  if (made == nullptr || size != digest.size()) {
    throw base::Error(base::ErrorKind::io,
                      "the cryptographic library could not sign a request to the store");
  }
  return digest;
}

std::string sha256_hex(std::string_view text) {
  return base::to_hex(base::sha256(base::as_bytes(text)));
}

}  // namespace

std::string s3_path(std::string_view raw) { return percent_encode(raw, true); }

std::string s3_query(const NameValues& query) {
  NameValues encoded;
  for (const auto& [name, value] : query) {
    encoded.emplace_back(percent_encode(name, false), percent_encode(value, false));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string text;
  for (const auto& [name, value] : encoded) {
    text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, value);
  }
  return text;
}

NameValues s3_signed_headers(const S3Request& request, const S3Key& key, std::string_view region,
                             base::Instant time) {
  const std::string stamp = base::compact(time);  // "20130524T000000Z", as AWS writes it too
  NameValues sent = request.headers;
  sent.emplace_back("x-amz-content-sha256", request.payload_hash);
  sent.emplace_back("x-amz-date", stamp);

  NameValues canonical = {{"host", trimmed(request.host)}};
  for (const auto& [name, value] : sent) canonical.emplace_back(lower(name), trimmed(value));
  std::sort(canonical.begin(), canonical.end());
  std::string lines;
  std::string names;
  for (const auto& [name, value] : canonical) {
    lines += fmt::format("{}:{}\n", name, value);
    names += (names.empty() ? "" : ";") + name;
  }

  const std::string whole =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, s3_path(request.path),
                  s3_query(request.query), lines, names, request.payload_hash);
  const std::string day = stamp.substr(0, 8);
  const std::string scope = fmt::format("{}/{}/s3/aws4_request", day, region);
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", stamp, scope, sha256_hex(whole));

  base::Sha256Digest signing_key = hmac(base::as_bytes("AWS4" + key.secret), day);
  signing_key = hmac(signing_key, region);
  signing_key = hmac(signing_key, "s3");
  signing_key = hmac(signing_key, "aws4_request");
  sent.emplace_back("Authorization",
                    fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                                key.id, scope, names, base::to_hex(hmac(signing_key, to_sign))));
  return sent;
}

}  // namespace rota::store
