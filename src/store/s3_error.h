#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "store/s3_xml.h"

namespace rota::store {

/// True when the same request may succeed a little later: the store is busy, or the body was
/// damaged on its way. Source: AWS, "Error responses"; others say 429 where Amazon says 503
/// SlowDown.
bool is_transient(int status, std::string_view code);

/// A request that an S3 store refused for good: the sentence for people, and what code may ask.
class S3Refusal final : public base::Error {
 public:
  S3Refusal(base::ErrorKind kind, const std::string& message, int status, const S3Error& error)
      : base::Error(kind, message), status_(status), error_(error) {}

  int status() const { return status_; }
  const std::string& code() const { return error_.code; }  ///< "" where the answer was no S3 error
  /// The key is good, but may not do this; or a lock is in the way.
  bool denied() const;
  /// The store's words speak of a lock.
  bool locked() const;

 private:
  int status_;
  S3Error error_;
};

/// Which request failed, for the sentence.
struct S3Attempt {
  std::string doing;   ///< "cannot read runs/x in the store s3://bucket/prefix"
  std::string action;  ///< the permission that the request needs: "s3:GetObject"
};

/// What to throw for an answer that is an error: a sentence that says what to do.
///
/// not_found only where the store says that the object is absent; a bucket or a host that is not
/// there is config, so that nobody takes a wrong setting for an empty store. refused for what the
/// key or a lock forbids, unavailable for what may work later, io for the rest. error: all empty
/// where the answer was no S3 error.
S3Refusal s3_refusal(const S3Attempt& attempt, int status, const S3Error& error);

}  // namespace rota::store
