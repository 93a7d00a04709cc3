#include "store/s3_client.h"

#include <fmt/core.h>

#include "base/hash.h"
#include "base/text.h"

namespace rota::store {

namespace {

using base::Error;
using base::ErrorKind;

constexpr int kMaxReferences = 3;  // to another place, for one call
constexpr int kMaxBadAnswers = 2;  // successful but not good ones that are asked for again

/// "host[:port]" of a Location header, or "".
std::string host_of(const std::string& location) {
  const std::size_t scheme = location.find("://");
  if (scheme == std::string::npos) return "";
  const std::string rest = location.substr(scheme + 3);
  return rest.substr(0, rest.find_first_of("/?#"));
}

/// The error that an answer tells of, from its body and its headers.
S3Error told_by(const HttpResponse& response) {
  S3Error error = read_s3_error(base::as_text(response.body)).value_or(S3Error{});
  if (const auto region = response.header("x-amz-bucket-region")) error.region = *region;
  if (error.endpoint.empty()) error.endpoint = host_of(response.header("location").value_or(""));
  // HEAD is answered without a body.
  if (error.code.empty() && response.status >= 301 && response.status <= 308) {
    error.code = "Redirect";
  }
  return error;
}

/// True for an error behind a status of success. It stands at the front, perhaps behind a
/// declaration and white space that kept the connection alive.
bool holds_error(const HttpResponse& response) {
  const std::string_view body = base::as_text(response.body);
  return body.substr(0, 4096).find("<Error") != std::string_view::npos && read_s3_error(body);
}

}  // namespace

/// What was tried for one call.
struct S3Client::Attempts {
  Retry retry;
  int references = 0;
  int bad_answers = 0;
  bool clock_corrected = false;
};

S3Client::S3Client(S3Place place, Credentials credentials, HttpClient& http, base::Clock& clock,
                   std::stop_token stop, const RetryPolicy& policy)
    : credentials_(std::move(credentials)),
      http_(http),
      clock_(clock),
      stop_(std::move(stop)),
      policy_(policy),
      place_(std::move(place)) {}

S3Place S3Client::place() const {
  const std::lock_guard lock(mutex_);
  return place_;
}

std::optional<base::Instant> S3Client::store_time() const {
  const std::lock_guard lock(mutex_);
  if (!difference_) return std::nullopt;
  return clock_.now() + *difference_;
}

void S3Client::note_time(const HttpResponse& response) {
  const auto date = parse_http_date(response.header("date").value_or(""));
  if (!date) return;
  const std::lock_guard lock(mutex_);
  difference_ = *date - clock_.now();
}

HttpRequest S3Client::signed_request(const S3Call& call, const S3Place& place,
                                     const std::string& payload_hash) const {
  base::Instant time = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    time += correction_;
  }
  const S3Request to_sign = {call.method, place.host_header(), place.path(call.key),
                             call.query,  call.headers,        payload_hash};
  HttpRequest request;
  request.method = call.method;
  request.url = place.url(call.key, call.query);
  request.headers =
      s3_signed_headers(to_sign, {credentials_.key_id, credentials_.key}, place.region, time);
  // OpenStack Swift waits for the body of a deletion that does not say that it has none. Not
  // signed: a proxy may leave it out.
  if (call.method == "DELETE") request.headers.emplace_back("Content-Length", "0");
  request.body = call.body;
  request.max_response = call.max_response;
  return request;
}

bool S3Client::correct(const S3Place& place, const HttpResponse& response, const S3Error& error,
                       Attempts& attempts) {
  if (error.code == "RequestTimeTooSkewed") {
    if (attempts.clock_corrected || !response.header("date")) return false;
    attempts.clock_corrected = true;
    const std::lock_guard lock(mutex_);
    correction_ = difference_.value_or(std::chrono::seconds(0));
    return true;
  }
  const bool elsewhere = (response.status >= 301 && response.status <= 308) ||
                         error.code == "AuthorizationHeaderMalformed";
  if (!elsewhere || attempts.references == kMaxReferences) return false;
  const auto next = redirected(place, error);
  if (!next) return false;
  ++attempts.references;
  const std::lock_guard lock(mutex_);
  place_ = *next;
  return true;
}

std::optional<HttpResponse> S3Client::attempt(const S3Call& call, const std::string& payload_hash,
                                              Attempts& attempts) {
  const S3Place asked = place();
  HttpResponse response;
  try {
    response = http_.send(signed_request(call, asked, payload_hash));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::unavailable) throw;
    if (attempts.retry.again()) return std::nullopt;
    throw Error(ErrorKind::unavailable,
                fmt::format("{}: {}; try again later", call.attempt.doing, error.what()));
  }
  note_time(response);
  if (response.status == call.also) return response;
  // Some calls are answered with 200 before the work is done, and with an error behind it.
  const bool done = response.success() && (call.content || !holds_error(response));
  if (done) {
    const bool again = call.good && attempts.bad_answers++ < kMaxBadAnswers &&
                       !call.good(response) && attempts.retry.again();
    if (again) return std::nullopt;
    return response;
  }
  const S3Error error = told_by(response);
  if (correct(asked, response, error, attempts)) return std::nullopt;
  if (is_transient(response.status, error.code) && attempts.retry.again(retry_after(response))) {
    return std::nullopt;
  }
  throw s3_refusal(call.attempt, response.status, error);
}

HttpResponse S3Client::call(const S3Call& call) {
  const std::string payload_hash =
      call.body.empty() ? std::string(kEmptyPayload) : base::to_hex(base::sha256(call.body));
  Attempts attempts{Retry(clock_, stop_, policy_)};
  for (;;) {
    if (auto response = attempt(call, payload_hash, attempts)) return std::move(*response);
  }
}

}  // namespace rota::store
