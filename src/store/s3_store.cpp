#include "store/s3_store.h"

#include <fmt/core.h>
#include <openssl/evp.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "store/s3_range.h"

namespace rota::store {

namespace {

using base::Error;
using base::ErrorKind;

std::string base64(const base::Md5Digest& digest) {
  std::array<unsigned char, 25> text{};  // 24 digits and a zero
  const int size =
      EVP_EncodeBlock(text.data(), reinterpret_cast<const unsigned char*>(digest.data()),
                      static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size)};
}

/// Encryption with a key of AWS KMS or of the customer's makes another ETag than the MD5.
/// Source: AWS, "Common Response Headers", ETag.
bool has_other_etag(const HttpResponse& response) {
  return response.header("x-amz-server-side-encryption").value_or("").starts_with("aws:kms") ||
         response.header("x-amz-server-side-encryption-customer-algorithm").has_value();
}

bool matches_etag(const HttpResponse& response) {
  const std::string md5 = md5_of_etag(response.header("etag").value_or(""));
  return response.cut || md5.empty() || has_other_etag(response) ||
         md5 == object_hash(HashKind::md5, response.body);
}

}  // namespace

S3Store::S3Store(BucketTarget target, S3Place place, Credentials credentials,
                 std::unique_ptr<HttpClient> http, base::Clock& clock, std::stop_token stop,
                 const RetryPolicy& policy)
    : target_(std::move(target)),
      http_(std::move(http)),
      clock_(clock),
      client_(std::move(place), std::move(credentials), *http_, clock, std::move(stop), policy) {}

S3Call S3Store::make_call(std::string method, const std::string& name, std::string_view doing,
                          std::string action, const std::string& version) const {
  S3Call call;
  call.method = std::move(method);
  if (!name.empty()) call.key = target_.prefix + name;
  if (!version.empty()) call.query = {{"versionId", version}};
  call.attempt.doing =
      fmt::format("{}{}{} in the store {}", doing, name.empty() ? "" : " ", name, description());
  call.attempt.action = std::move(action);
  return call;
}

void S3Store::note_encryption(const HttpResponse& response) {
  if (has_other_etag(response)) {
    etag_ = Etag::other;
  } else if (response.header("etag")) {
    Etag unknown = Etag::unknown;
    etag_.compare_exchange_strong(unknown, Etag::md5);
  }
}

void S3Store::put(const std::string& name, std::span<const std::byte> data) {
  check_name(name);
  check_size(name, data.size(), description());
  S3Call call = make_call("PUT", name, "cannot put", "s3:PutObject");
  base::Md5 md5;
  md5.update(data);
  call.body = data;
  call.headers = {{"Content-MD5", base64(md5.finish())},
                  {"Content-Type", "application/octet-stream"}};
  if (lock_) {
    call.attempt.action += " and s3:PutObjectRetention";
    const bool compliance = lock_->mode == ObjectLock::Mode::compliance;
    call.headers.emplace_back("x-amz-object-lock-mode", compliance ? "COMPLIANCE" : "GOVERNANCE");
    call.headers.emplace_back("x-amz-object-lock-retain-until-date", base::iso(lock_->until));
  }
  note_encryption(client_.call(call));
}

base::Bytes S3Store::get(const std::string& name, std::uint64_t limit) {
  check_name(name);
  return get_whole(make_call("GET", name, "cannot read", "s3:GetObject"), name, limit);
}

base::Bytes S3Store::get_version(const ObjectVersion& version, std::uint64_t limit) {
  return get_whole(make_call("GET", version.name, "cannot read", "s3:GetObjectVersion", version.id),
                   version.name, limit);
}

base::Bytes S3Store::get_whole(S3Call call, const std::string& name, std::uint64_t limit) {
  call.content = true;
  call.max_response = limit;
  call.good = matches_etag;
  HttpResponse response = client_.call(call);
  note_encryption(response);
  if (response.cut) {
    throw Error(ErrorKind::corrupt,
                fmt::format("the object {} in the store {} is larger than the {} bytes that it can "
                            "rightly have",
                            name, description(), limit));
  }
  if (!matches_etag(response)) {
    throw Error(ErrorKind::corrupt, fmt::format("what the store {} sends of the object {} is not "
                                                "what it says that it holds",
                                                description(), name));
  }
  return std::move(response.body);
}

std::size_t S3Store::read_some(const std::string& name, std::uint64_t offset,
                               std::span<std::byte> buffer) {
  check_name(name);
  return read_part(make_call("GET", name, "cannot read", "s3:GetObject"), offset, buffer);
}

std::size_t S3Store::read_version(const ObjectVersion& version, std::uint64_t offset,
                                  std::span<std::byte> buffer) {
  return read_part(make_call("GET", version.name, "cannot read", "s3:GetObjectVersion", version.id),
                   offset, buffer);
}

std::size_t S3Store::read_part(S3Call call, std::uint64_t offset, std::span<std::byte> buffer) {
  // No object reaches further, and not every server can count so far.
  if (buffer.empty() || offset >= kMaxObject) return 0;
  constexpr int kBehindTheEnd = 416;
  call.content = true;
  call.also = kBehindTheEnd;
  call.headers = {{"Range", fmt::format("bytes={}-{}", offset, offset + buffer.size() - 1)}};
  call.max_response = kMaxObject;  // a server may send the whole object instead
  call.good = [&](const HttpResponse& response) {
    return response.status == 206 ? is_range(response, offset, buffer.size()) : !response.cut;
  };
  const HttpResponse response = client_.call(call);
  if (response.status == kBehindTheEnd) return 0;
  if (!call.good(response)) {
    throw Error(
        ErrorKind::unavailable,
        fmt::format("{}: the answer is not the part that was asked for; see whether a proxy "
                    "is in between",
                    call.attempt.doing));
  }
  std::span<const std::byte> body = response.body;
  if (response.status != 206) {
    body = body.subspan(static_cast<std::size_t>(std::min<std::uint64_t>(offset, body.size())));
  }
  const std::size_t got = std::min(body.size(), buffer.size());
  std::copy_n(body.begin(), got, buffer.begin());
  return got;
}

std::optional<base::Instant> S3Store::now() {
  if (!client_.store_time()) list_once("", "", 1, "");
  return client_.store_time();
}

void S3Store::set_lock(const std::optional<ObjectLock>& lock) {
  if (lock && !lock_) {
    S3Call call =
        make_call("GET", "", "cannot lock objects", "s3:GetBucketObjectLockConfiguration");
    call.query = {{"object-lock", ""}};
    try {
      const HttpResponse response = client_.call(call);
      const auto bucket = read_s3_bucket_lock(base::as_text(response.body));
      if (!bucket || !bucket->enabled) {
        S3Error none;
        none.code = "ObjectLockConfigurationNotFoundError";
        throw s3_refusal(call.attempt, 404, none);
      }
    } catch (const S3Refusal& refusal) {
      if (!refusal.denied()) throw;  // else the first put tells
    }
  }
  lock_ = lock;
}

}  // namespace rota::store
