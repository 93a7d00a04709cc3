#include "store/b2_session.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/signals.h"
#include "base/text.h"

namespace rota::store {

using base::Error;
using base::ErrorKind;
using nlohmann::json;

namespace {

constexpr const char* kBackblaze = "https://api.backblazeb2.com";
constexpr const char* kVersion = "/b2api/v4/";
constexpr const char* kLogin = "b2_authorize_account";
/// A page of 1,000 names is about 1 MB; names and file info at their longest make it 9 MB.
constexpr std::uint64_t kMaxAnswer = 16 << 20;
/// A server that refuses every new token is broken: no storm of authorizations.
constexpr int kMostRenewals = 3;

std::string base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t have = std::min<std::size_t>(3, text.size() - i);
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < have ? static_cast<unsigned char>(text[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= have ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= 4096 &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

/// What a server says in an error is shown to people; some servers repeat the question.
void hide_secrets(const HttpRequest& request, base::Bytes& body) {
  for (const auto& [field, value] : request.headers) {
    if (field != "Authorization") continue;
    const std::string_view secret = std::string_view(value).substr(value.find(' ') + 1);
    const auto needle = base::as_bytes(secret);
    for (auto at = body.begin();;) {
      at = std::search(at, body.end(), needle.begin(), needle.end());
      if (at == body.end()) break;
      at = std::fill_n(at, needle.size(), std::byte{'*'});
    }
  }
}

bool is_this_machine(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return false;
  std::string host = url.substr(kScheme.size(), url.find('/', kScheme.size()) - kScheme.size());
  if (host.starts_with("[::1]")) return true;
  host = host.substr(0, host.find(':'));
  return host == "localhost" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos);
}

}  // namespace

B2Session::B2Session(HttpClient& http, Settings settings)
    : http_(http),
      settings_(std::move(settings)),
      api_url_(settings_.api_url.empty() ? kBackblaze : settings_.api_url) {
  if (!api_url_.starts_with("https://") && !is_this_machine(api_url_)) {
    throw Error(ErrorKind::config,
                fmt::format("b2.api_url is {}: without https:// the access key would cross the "
                            "network for all to read",
                            base::printable(api_url_)));
  }
}

void B2Session::check_place(const std::string& url, const std::string& token) const {
  const bool safe =
      url.starts_with("https://") || (is_this_machine(api_url_) && is_this_machine(url));
  if (safe && is_plain(url) && is_plain(token)) return;
  throw Error(ErrorKind::corrupt,
              fmt::format("the server of {} names an address or a token that cannot be right; see "
                          "that b2.api_url is Backblaze's, and that no proxy answers in its place",
                          description()));
}

HttpResponse B2Session::send(const HttpRequest& request) {
  HttpResponse response = http_.send(request);
  if (!response.success()) hide_secrets(request, response.body);
  if (const auto date = parse_http_date(response.header("date").value_or(""))) {
    const std::lock_guard lock(time_);
    date_ = date;
    date_at_ = std::chrono::steady_clock::now();
  }
  return response;
}

base::Instant B2Session::now() {
  using std::chrono::seconds;
  for (bool asked = false;; asked = true) {
    {
      const std::lock_guard lock(time_);
      if (date_) {
        return *date_ + std::chrono::floor<seconds>(std::chrono::steady_clock::now() - date_at_);
      }
    }
    if (asked) {
      throw Error(ErrorKind::corrupt,
                  fmt::format("the server of {} does not tell the time", description()));
    }
    account();
  }
}

void B2Session::give_up(const std::string& doing, const std::string& reason) const {
  throw Error(ErrorKind::unavailable,
              fmt::format("{} in the store {} failed, also when tried again: {}", doing,
                          description(), reason));
}

std::shared_ptr<const B2Account> B2Session::account() {
  const std::lock_guard lock(authorizing_);
  if (!account_) account_ = authorize();
  return account_;
}

std::shared_ptr<const B2Account> B2Session::renew(const std::shared_ptr<const B2Account>& stale) {
  const std::lock_guard lock(authorizing_);
  if (account_ == stale) account_ = authorize();
  return account_;
}

void B2Session::note_pause(const std::string& call, std::chrono::seconds pause) {
  // Who is asked for more gives up, and so will who comes next.
  if (pause > RetryPolicy().longest_asked) return;
  const base::Instant until = settings_.clock.now() + pause + std::chrono::seconds(1);  // rounded
  const std::lock_guard lock(pausing_);
  not_before_[call] = until;
}

void B2Session::await_pause(const std::string& call) {
  std::chrono::seconds pause{0};
  {
    const std::lock_guard lock(pausing_);
    const auto found = not_before_.find(call);
    if (found == not_before_.end()) return;
    pause = found->second - settings_.clock.now();
    if (pause.count() <= 0) not_before_.erase(found);
  }
  if (pause.count() > 0) settings_.clock.sleep(pause, settings_.stop);
  base::check_stop(settings_.stop);
}

B2Session::Answer B2Session::persist(const HttpRequest& request, const std::string& call,
                                     const std::string& doing, Retry retry) {
  for (;;) {
    await_pause(call);
    std::string reason;
    std::optional<std::chrono::seconds> pause;
    try {
      const HttpResponse response = send(request);
      if (response.status == 200) {
        if (auto object = read_object(response)) return std::move(*object);
        reason = "what answers is not B2; is there a proxy in between?";
      } else {
        B2Refusal refusal = read_refusal(response);
        if (!refusal.passing()) return refusal;
        reason = refusal.text();
        pause = retry_after(response);
        if (pause) note_pause(call, *pause);
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unavailable) throw;
      reason = error.what();
    }
    if (!retry.again(pause)) give_up(doing, reason);
  }
}

B2Session::Answer B2Session::post(const B2Account& account, const std::string& name,
                                  const json& arguments, const std::string& doing,
                                  const RetryPolicy& policy) {
  const std::string body = arguments.dump();
  return persist(
      {.method = "POST",
       .url = account.api_url + kVersion + name,
       .headers = {{"Authorization", account.token}, {"Content-Type", "application/json"}},
       .body = base::as_bytes(body),
       .max_response = kMaxAnswer},
      name, doing, retry(policy));
}

json B2Session::call(const std::string& name, const json& arguments, const std::string& doing,
                     const RetryPolicy& policy) {
  const std::lock_guard one_at_a_time(calling_);
  // Not before it is this call's turn: the one before may have found that the token ran out.
  std::shared_ptr<const B2Account> used = account();
  for (int renewals = 0;; ++renewals) {
    Answer answer = post(*used, name, arguments, doing, policy);
    if (auto* object = std::get_if<json>(&answer)) return std::move(*object);
    const B2Refusal& refusal = std::get<B2Refusal>(answer);
    if (!refusal.token_expired() || renewals == kMostRenewals) {
      throw_refusal(refusal, doing, description());
    }
    used = renew(used);
  }
}

std::shared_ptr<const B2Account> B2Session::authorize() {
  const Credentials& key = settings_.credentials;
  const HttpRequest request{
      .method = "GET",
      .url = api_url_ + kVersion + kLogin,
      .headers = {{"Authorization", "Basic " + base64(key.key_id + ":" + key.key)}}};
  for (int attempt = 0;; ++attempt) {
    const Answer answer = persist(request, kLogin, "the login", retry());
    if (const auto* refusal = std::get_if<B2Refusal>(&answer)) {
      if (refusal->status != 401 || refusal->code == "unsupported") {
        throw_refusal(*refusal, "the login", description());
      }
      throw B2Error(
          ErrorKind::refused,
          fmt::format("the store {} does not accept the access key {}: {}; see that the "
                      "credentials file holds key_id and key as they were shown when the "
                      "key was made, and that the key was not deleted and has not expired",
                      description(), base::printable(key.key_id), refusal->text()),
          *refusal);
    }
    auto account = std::make_shared<B2Account>(read_account(std::get<json>(answer)));
    if (bucket_id_.empty()) {
      bucket_id_ = find_bucket(*account, std::get<json>(answer)).value_or("");
    }
    account->bucket_id = bucket_id_;
    if (!bucket_id_.empty()) return account;
    if (attempt == kMostRenewals) give_up("the login", "the new tokens do not hold");
  }
}

B2Account B2Session::read_account(const json& answer) const {
  const json& api = object_of(object_of(answer, "apiInfo"), "storageApi");
  const json& allowed = object_of(api, "allowed");
  B2Account account;
  account.account_id = text_of(answer, "accountId");
  account.token = text_of(answer, "authorizationToken");
  account.api_url = text_of(api, "apiUrl");
  account.download_url = text_of(api, "downloadUrl");
  account.name_prefix = text_of(allowed, "namePrefix");
  account.whole_account = array_of(allowed, "buckets").empty();
  for (const json& capability : array_of(allowed, "capabilities")) {
    if (capability.is_string()) account.capabilities.insert(capability.get<std::string>());
  }
  check_place(account.api_url, account.token);
  check_place(account.download_url, account.token);
  const std::string& prefix = settings_.target.prefix;
  if (!prefix.starts_with(account.name_prefix)) {
    throw Error(
        ErrorKind::config,
        fmt::format("the access key may only use names that begin with \"{}\", and those of "
                    "the store {} do not; make the target b2://{}/{}, or use another key",
                    base::printable(account.name_prefix), description(), settings_.target.bucket,
                    base::printable(account.name_prefix)));
  }
  return account;
}

std::optional<std::string> B2Session::find_bucket(const B2Account& account, const json& answer) {
  const std::string& wanted = settings_.target.bucket;
  const json& buckets = array_of(
      object_of(object_of(object_of(answer, "apiInfo"), "storageApi"), "allowed"), "buckets");
  for (const json& bucket : buckets) {
    if (bucket.is_object() && text_of(bucket, "name") == wanted) return text_of(bucket, "id");
  }
  if (!buckets.empty()) {
    throw Error(ErrorKind::config,
                fmt::format("the access key {} may not use the bucket {}, but only others; look at "
                            "the target in the profile, or use another key",
                            base::printable(settings_.credentials.key_id), wanted));
  }
  constexpr const char* kDoing = "the search for the bucket";
  const Answer found =
      post(account, "b2_list_buckets", {{"accountId", account.account_id}, {"bucketName", wanted}},
           kDoing, {});
  if (const auto* refusal = std::get_if<B2Refusal>(&found)) {
    if (refusal->token_expired()) return std::nullopt;
    throw_refusal(*refusal, kDoing, description());
  }
  for (const json& bucket : array_of(std::get<json>(found), "buckets")) {
    if (bucket.is_object() && text_of(bucket, "bucketName") == wanted) {
      return text_of(bucket, "bucketId");
    }
  }
  throw Error(ErrorKind::config,
              fmt::format("the account has no bucket {}: make it, as a private one, or look at the "
                          "target in the profile",
                          wanted));
}

}  // namespace rota::store
