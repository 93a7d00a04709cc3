// Large files at B2 that somebody began and never finished.
#include <fmt/core.h>

#include "base/error.h"
#include "store/b2_store.h"

namespace rota::store {

using base::ErrorKind;
using nlohmann::json;

namespace {

constexpr std::size_t kMostAPage = 100;  // of b2_list_unfinished_large_files

}  // namespace

std::vector<UnfinishedUpload> B2Store::unfinished_uploads() {
  std::vector<UnfinishedUpload> found;
  const std::string& root = session_.target().prefix;
  const auto account = session_.account();
  if (root.empty() || !account->can("listFiles")) return found;
  json arguments{
      {"bucketId", account->bucket_id}, {"namePrefix", root}, {"maxFileCount", kMostAPage}};
  for (std::size_t pages = 0; pages < kMaxUnfinished / kMostAPage; ++pages) {
    json answer;
    try {
      answer =
          session_.call("b2_list_unfinished_large_files", arguments, "a listing of large files");
    } catch (const B2Error& error) {
      if (error.kind() != ErrorKind::refused) throw;
      break;  // a key that may not know
    }
    for (const json& file : array_of(answer, "files")) {
      if (!file.is_object() || found.size() == kMaxUnfinished) continue;
      const std::string path = text_of(file, "fileName");
      const std::string id = text_of(file, "fileId");
      const auto time = number_of(file, "uploadTimestamp");
      if (!path.starts_with(root) || id.empty() || !time || *time > 1ULL << 53) continue;
      const std::chrono::sys_time<std::chrono::milliseconds> since(
          std::chrono::milliseconds(static_cast<std::int64_t>(*time)));
      found.push_back(
          {path.substr(root.size()), id, std::chrono::floor<std::chrono::seconds>(since)});
    }
    const std::string next = text_of(answer, "nextFileId");
    if (next.empty()) break;
    arguments["startFileId"] = next;
  }
  return found;
}

Removal B2Store::cancel_upload(const UnfinishedUpload& upload) {
  if (!session_.account()->can("writeFiles")) return Removal::later;
  try {
    session_.call("b2_cancel_large_file", {{"fileId", upload.id}}, "the end of an upload");
  } catch (const B2Error& error) {
    if (error.kind() == ErrorKind::refused) return Removal::later;
    // 400 and 404 are for one that is no longer unfinished.
    if (error.refusal().status != 400 && error.refusal().status != 404) throw;
  }
  return Removal::gone;
}

}  // namespace rota::store
