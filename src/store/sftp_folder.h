#pragma once

#include <string>

#include "store/listing.h"
#include "store/sftp_client.h"

namespace rota::store {

/// A directory on an SFTP server that is open, for list_tree().
class SftpFolder final : public Folder {
 public:
  /// path: without '/' at its end. handle: of the open directory.
  SftpFolder(SftpClient& client, std::string path, std::string handle)
      : client_(client), path_(std::move(path)), handle_(client, std::move(handle)) {}

  std::vector<Entry> entries(const std::function<bool(const std::string&)>& wanted) override;
  std::unique_ptr<Folder> open(const std::string& name) override;
  std::optional<std::uint64_t> size_of(const std::string& name) override;

 private:
  SftpClient& client_;
  std::string path_;
  SftpHandle handle_;
};

}  // namespace rota::store
