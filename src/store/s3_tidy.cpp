// Multipart uploads in an S3 store that somebody began and never finished.
#include <fmt/core.h>

#include "base/error.h"
#include "base/text.h"
#include "store/s3_store.h"

namespace rota::store {

using base::ErrorKind;

namespace {

constexpr std::size_t kMaxPages = 100;

}  // namespace

std::vector<UnfinishedUpload> S3Store::unfinished_uploads() {
  std::vector<UnfinishedUpload> found;
  if (target_.prefix.empty()) return found;
  std::string key;
  std::string id;
  for (std::size_t pages = 0; pages < kMaxPages; ++pages) {
    S3Call call = make_call("GET", "", "cannot list the unfinished uploads to what is",
                            "s3:ListBucketMultipartUploads");
    call.query = {{"uploads", ""},
                  {"encoding-type", "url"},
                  {"max-uploads", "1000"},
                  {"prefix", target_.prefix}};
    if (!key.empty()) call.query.emplace_back("key-marker", key);
    if (!id.empty()) call.query.emplace_back("upload-id-marker", id);
    std::optional<S3Uploads> page;
    try {
      const HttpResponse response = client_.call(call);
      page = read_s3_uploads(base::as_text(response.body));
    } catch (const S3Refusal& refusal) {
      if (refusal.kind() == ErrorKind::unavailable) throw;  // else the key may not, or nobody can
    }
    if (!page) return found;
    for (const S3Upload& upload : page->uploads) {
      // A name that is empty would stand for the bucket.
      if (!upload.key.starts_with(target_.prefix) || upload.key == target_.prefix) continue;
      if (found.size() == kMaxUnfinished) return found;
      found.push_back({upload.key.substr(target_.prefix.size()), upload.id,
                       std::chrono::floor<std::chrono::seconds>(upload.initiated)});
    }
    const bool goes_on = page->next_key > key || (page->next_key == key && page->next_id != id);
    if (!page->truncated || !goes_on) return found;
    key = page->next_key;
    id = page->next_id;
  }
  return found;
}

Removal S3Store::cancel_upload(const UnfinishedUpload& upload) {
  S3Call call =
      make_call("DELETE", upload.name, "cannot end an upload to", "s3:AbortMultipartUpload");
  call.attempt.doing = fmt::format("cannot end an upload to {} in the store {}",
                                   base::printable(upload.name), description());
  call.query = {{"uploadId", upload.id}};
  call.also = 404;  // it is no longer unfinished
  try {
    client_.call(call);
    return Removal::gone;
  } catch (const S3Refusal& refusal) {
    if (refusal.kind() == ErrorKind::unavailable) throw;
    return Removal::later;
  }
}

}  // namespace rota::store
