#pragma once

#include <memory>
#include <optional>
#include <string>

#include "support/files.h"
#include "support/script_server.h"

namespace rota::test {

/// Somebody else's S3 server on a loopback port. It ends with this object, or with this process,
/// whichever is first.
class S3Server {
 public:
  /// OpenStack Swift, which verifies signatures and digests, with one empty bucket: see
  /// swift_server.py. Nothing, after skip(), where it cannot run. Throws std::runtime_error when it
  /// does not come up.
  static std::unique_ptr<S3Server> swift();
  /// moto, which has Object Lock but looks at no signature, without a bucket: see moto_server.py.
  static std::unique_ptr<S3Server> moto();

  S3Server(const S3Server&) = delete;
  S3Server& operator=(const S3Server&) = delete;

  const std::string& endpoint() const { return endpoint_; }  ///< "http://127.0.0.1:PORT"
  const std::string& region() const { return region_; }
  const std::string& bucket() const { return bucket_; }
  const std::string& key_id() const { return key_id_; }
  const std::string& key() const { return key_; }

 private:
  S3Server() = default;
  static std::unique_ptr<S3Server> start(const char* python, const char* script);

  TempDir dir_;
  std::optional<ScriptServer> process_;
  std::string endpoint_, region_, bucket_, key_id_, key_;
};

/// One Swift for all tests of the program; nothing where it cannot run.
const S3Server* shared_swift();

}  // namespace rota::test
