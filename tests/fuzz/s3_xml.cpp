// The XML answers of an S3 store: each is tried as each.
#include "store/s3_xml.h"

#include "fuzz/fuzz.h"

using namespace rota;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::string_view xml = base::as_text(input.rest());
  int answers = 0;
  if (const auto listing = store::read_s3_listing(xml)) {
    ++answers;
    for (const store::S3Object& object : listing->objects) {
      fuzz::require(!object.key.empty(), "an object has a name");
      fuzz::require(object.md5 == store::md5_of_etag(object.md5), "an MD5 is one");
    }
  }
  if (const auto versions = store::read_s3_versions(xml)) {
    ++answers;
    for (const store::S3Version& version : versions->versions) {
      fuzz::require(!version.object.key.empty() && !version.id.empty(), "a version has names");
    }
  }
  if (const auto uploads = store::read_s3_uploads(xml)) {
    ++answers;
    for (const store::S3Upload& upload : uploads->uploads) {
      fuzz::require(!upload.key.empty() && !upload.id.empty(), "an upload has names");
    }
  }
  if (const auto lock = store::read_s3_bucket_lock(xml)) {
    ++answers;
    fuzz::require(lock->days >= 0 && lock->days <= 36500, "days are within a century");
  }
  if (const auto rules = store::read_s3_lifecycle(xml)) {
    ++answers;
    for (const store::S3LifecycleRule& rule : *rules) {
      fuzz::require(rule.expire_days.value_or(0) >= 0, "days are not negative");
    }
  }
  answers += store::read_s3_error(xml) ? 1 : 0;
  answers += store::read_s3_location(xml) ? 1 : 0;
  answers += store::read_s3_versioning(xml) ? 1 : 0;
  fuzz::require(answers <= 1, "an answer is of one kind");
  return 0;
}
