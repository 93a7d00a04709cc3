#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/sftp_client.h"

namespace rota::store {

/// "a/b/c" -> "a/b"; "/a" -> "", "a" -> "".
std::string parent_of(const std::string& path);

/// Makes a directory and its parents on the server, as far as they are missing; new ones are made
/// durable where the server can. Returns why one was denied, if one was: whoever needs it fails
/// next, and then knows the reason.
std::optional<SftpError> make_directories(SftpClient& client, const std::string& path);

/// Makes the names in directories durable: OpenSSH's server opens a directory like a file and syncs
/// it. Servers that do not are left alone.
class DirectorySync {
 public:
  /// Sends the requests to open them, and does not wait.
  DirectorySync(SftpClient& client, std::span<const std::string> paths);
  DirectorySync(const DirectorySync&) = delete;
  DirectorySync& operator=(const DirectorySync&) = delete;
  ~DirectorySync();
  /// Returns when they are durable. Throws SftpError when the disk fails.
  void finish();

 private:
  void open_all();

  SftpClient& client_;
  std::deque<SftpClient::Ticket> opening_;
  std::deque<SftpHandle> open_;
};

/// True when the file at `path` has exactly these bytes.
bool holds(SftpClient& client, const std::string& path, std::span<const std::byte> data);

/// Removes the regular files of `directory` that are a day older than `newest`, a file just made
/// there, by the server's own clock: what writers that died left behind. A file that cannot be
/// removed stays.
void remove_stale(SftpClient& client, const std::string& directory, const std::string& newest);

/// All names of a directory that is open. Throws Error(io) beyond two million: no store of rota's
/// has so many in one.
std::vector<SftpName> read_names(SftpClient& client, const std::string& handle);

}  // namespace rota::store
