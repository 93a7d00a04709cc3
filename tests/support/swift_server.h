#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "base/file.h"
#include "support/files.h"

namespace rota::test {

/// OpenStack Swift's S3 interface on a loopback port, with one empty bucket: see swift_server.py.
/// It ends with this object, or with this process, whichever is first.
class SwiftServer {
 public:
  /// Starts one and waits until it answers. Nothing, after skip(), where it cannot run. Throws
  /// std::runtime_error when it does not come up.
  static std::unique_ptr<SwiftServer> start();

  SwiftServer(const SwiftServer&) = delete;
  SwiftServer& operator=(const SwiftServer&) = delete;
  ~SwiftServer();

  const std::string& endpoint() const { return endpoint_; }  ///< "http://127.0.0.1:PORT"
  const std::string& region() const { return region_; }
  const std::string& bucket() const { return bucket_; }
  const std::string& key_id() const { return key_id_; }
  const std::string& key() const { return key_; }

 private:
  SwiftServer() = default;
  /// What the server said of itself; nothing when it ended before.
  std::optional<std::string> first_line(int output) const;

  TempDir dir_;
  base::Fd input_;  ///< the server ends when this is closed
  pid_t pid_ = 0;
  std::string endpoint_, region_, bucket_, key_id_, key_;
};

}  // namespace rota::test
