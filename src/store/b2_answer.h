#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/http.h"

namespace rota::store {

/// What B2 said instead of doing it: {"status": .., "code": .., "message": ..}. `code` is for
/// programs, and empty where somebody else answered, a proxy for example.
struct B2Refusal {
  int status = 0;
  std::string code;
  std::string message;  ///< printable

  /// The token has run out: authorize again. Not every 401 says that: "unauthorized" means that the
  /// key may not, and "access_denied" that the object is locked.
  bool token_expired() const;
  /// The same call may succeed later.
  bool passing() const;
  bool cap_exceeded() const;
  /// "503 service_unavailable (…)".
  std::string text() const;
};

/// A refusal as an Error, for callers to whom some are no failure.
class B2Error final : public base::Error {
 public:
  B2Error(base::ErrorKind kind, const std::string& message, B2Refusal refusal)
      : Error(kind, message), refusal_(std::move(refusal)) {}
  const B2Refusal& refusal() const { return refusal_; }

 private:
  B2Refusal refusal_;
};

B2Refusal read_refusal(const HttpResponse& response);

/// A final refusal in a sentence that says what to do. doing: "the upload of x"; store: its
/// description.
[[noreturn]] void throw_refusal(const B2Refusal& refusal, const std::string& doing,
                                const std::string& store);

/// The object in an answer's body; nothing when it is not JSON or not an object.
std::optional<nlohmann::json> read_object(const HttpResponse& response);

/// Members of an object from the network. Empty or nothing when absent or of another type.
std::string text_of(const nlohmann::json& object, const char* key);
std::optional<std::uint64_t> number_of(const nlohmann::json& object, const char* key);
/// An empty object or array when absent.
const nlohmann::json& object_of(const nlohmann::json& object, const char* key);
const nlohmann::json& array_of(const nlohmann::json& object, const char* key);

/// A contentSha1 as 40 lower-case digits; empty where B2 has none, as of large files.
std::string sha1_of(std::string_view content_sha1);

}  // namespace rota::store
