#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <stop_token>
#include <string>
#include <variant>

#include "store/b2_answer.h"
#include "store/credentials.h"
#include "store/http.h"
#include "store/retry.h"
#include "store/target.h"

namespace rota::store {

/// What b2_authorize_account answered: good for at most a day.
struct B2Account {
  std::string account_id;
  std::string token;  ///< secret
  std::string api_url;
  std::string download_url;
  std::set<std::string> capabilities;
  std::string name_prefix;     ///< every name must begin with it; "" for a key without that limit
  bool whole_account = false;  ///< the key is not limited to some buckets
  std::string bucket_id;       ///< of the target's bucket; the key may use it

  bool can(const std::string& capability) const { return capabilities.contains(capability); }
};

/// The life of one access key with Backblaze B2: authorization, JSON calls, trying again.
///
/// Speaks version 4 of the native API, the only one that knows keys for several buckets. Thread
/// safe: when the token runs out, one thread authorizes and the others wait for it.
/// Sources: backblaze.com/apidocs/b2-authorize-account,
/// backblaze.com/docs/cloud-storage-integration-checklist
class B2Session {
 public:
  struct Settings {
    BucketTarget target;
    Credentials credentials;
    std::string api_url;  ///< https://..., or http:// on this machine; empty: Backblaze
    base::Clock& clock;
    std::stop_token stop;
  };

  /// http outlives the session. Throws Error(config) for an api_url that would send the key over
  /// the network in the clear.
  B2Session(HttpClient& http, Settings settings);

  /// Authorizes at the first call. Throws as call() does, and Error(config) when the target's
  /// bucket or prefix is not the key's.
  std::shared_ptr<const B2Account> account();

  /// A JSON call of the API, tried again as the policy says. These are few and short, so that there
  /// is one at a time: a pause that the server asks one thread for is kept by all, and none storms.
  ///
  /// doing: for messages, "the listing". Throws B2Error for a refusal that is final,
  /// Error(unavailable) when no attempt succeeded, Error(interrupted).
  nlohmann::json call(const std::string& name, const nlohmann::json& arguments,
                      const std::string& doing, const RetryPolicy& policy = {});

  /// The token of `stale` was refused: returns an account with another one.
  std::shared_ptr<const B2Account> renew(const std::shared_ptr<const B2Account>& stale);

  /// One exchange, without a second attempt. Keeps the server's time.
  HttpResponse send(const HttpRequest& request);

  /// Waits where the server asked for a pause of this call, whoever it asked: another thread, or
  /// an attempt that was given up.
  void await_pause(const std::string& call);
  /// pause: the server's Retry-After.
  void note_pause(const std::string& call, std::chrono::seconds pause);

  /// The server's time, from its last answer; asks when there was none.
  base::Instant now();

  /// Throws Error(corrupt) unless a URL and a token from an answer can be used: no secret goes
  /// anywhere in the clear, and no control character into a header.
  void check_place(const std::string& url, const std::string& token) const;

  Retry retry(const RetryPolicy& policy = {}) const {
    return Retry(settings_.clock, settings_.stop, policy);
  }
  const BucketTarget& target() const { return settings_.target; }
  std::string description() const { return settings_.target.description("b2"); }

  /// After the last attempt.
  [[noreturn]] void give_up(const std::string& doing, const std::string& reason) const;

 private:
  /// The answer to a JSON call: an object, or a refusal that no repetition would change.
  using Answer = std::variant<nlohmann::json, B2Refusal>;
  /// Repeats a request that fails in passing. Throws Error(unavailable) when all attempts did.
  /// call: its name, for await_pause().
  Answer persist(const HttpRequest& request, const std::string& call, const std::string& doing,
                 Retry retry);
  Answer post(const B2Account& account, const std::string& name, const nlohmann::json& arguments,
              const std::string& doing, const RetryPolicy& policy);

  std::shared_ptr<const B2Account> authorize();
  B2Account read_account(const nlohmann::json& answer) const;
  /// Nothing when the token has run out already.
  std::optional<std::string> find_bucket(const B2Account& account, const nlohmann::json& answer);

  std::mutex calling_;  ///< held for a call and all its attempts
  HttpClient& http_;
  Settings settings_;
  std::string api_url_;
  std::mutex authorizing_;
  std::shared_ptr<const B2Account> account_;  ///< guarded by authorizing_
  std::string bucket_id_;                     ///< guarded by authorizing_

  std::mutex pausing_;
  std::map<std::string, base::Instant> not_before_;  ///< by call

  std::mutex time_;
  std::optional<base::Instant> date_;
  std::chrono::steady_clock::time_point date_at_;
};

}  // namespace rota::store
