#include "store/sftp_files.h"

#include <algorithm>
#include <deque>
#include <iterator>

#include "base/bytes.h"
#include "store/sftp_transfer.h"

namespace rota::store {

namespace {

using Kind = SftpAttributes::Kind;

constexpr std::int64_t kStaleSeconds = 24 * 60 * 60;
constexpr std::size_t kMostNames = 2'000'000;
// OpenSSH's server sends up to 100 names at a time.
constexpr std::size_t kListingsInFlight = 4;

}  // namespace

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::optional<SftpError> make_directories(SftpClient& client, const std::string& path) {
  std::vector<std::string> directories;
  for (std::string each = path; !each.empty(); each = parent_of(each)) directories.push_back(each);
  std::reverse(directories.begin(), directories.end());
  std::vector<SftpClient::Ticket> tickets;
  for (const std::string& each : directories) tickets.push_back(client.make_directory(each));

  std::optional<SftpError> denied;
  std::vector<std::string> grown;
  for (std::size_t i = 0; i < tickets.size(); ++i) {
    const std::optional<SftpError> failed = client.failure(tickets[i]);
    if (!failed) {
      const std::string parent = parent_of(directories[i]);
      grown.push_back(parent.empty() ? (path.starts_with('/') ? "/" : ".") : parent);
    } else if (failed->code() == SftpCode::permission_denied) {
      denied.emplace(*failed);
    }
  }
  DirectorySync(client, grown).finish();
  return denied;
}

DirectorySync::DirectorySync(SftpClient& client, std::span<const std::string> paths)
    : client_(client) {
  if (!client_.has(SftpClient::kFsync)) return;
  for (const std::string& path : paths) opening_.push_back(client_.open_to_read(path));
}

DirectorySync::~DirectorySync() {
  try {
    open_all();                   // so that they are closed
  } catch (const base::Error&) {  // the connection is gone, and all that was open
  }
}

void DirectorySync::open_all() {
  while (!opening_.empty()) {
    const SftpClient::Ticket ticket = opening_.front();
    opening_.pop_front();
    try {
      open_.emplace_back(client_, client_.handle(ticket));
    } catch (const SftpError&) {  // gone again, or a server that opens only files
    }
  }
}

void DirectorySync::finish() {
  open_all();
  std::vector<SftpClient::Ticket> syncing;
  for (const SftpHandle& handle : open_) syncing.push_back(client_.fsync(handle.get()));
  std::optional<SftpError> failed;
  for (const SftpClient::Ticket ticket : syncing) {
    const std::optional<SftpError> error = client_.failure(ticket);
    if (error && error->code() == SftpCode::failure) failed.emplace(*error);
  }
  if (failed) throw SftpError(*failed);
}

bool holds(SftpClient& client, const std::string& path, std::span<const std::byte> data) {
  const SftpHandle handle(client, client.handle(client.open_to_read(path)));
  base::Bytes found(data.size() + 1);  // one more shows a longer file
  return read_range(client, handle.get(), 0, found) == data.size() &&
         std::equal(data.begin(), data.end(), found.begin());
}

void remove_stale(SftpClient& client, const std::string& directory, const std::string& newest) {
  const std::int64_t now = client.attributes(client.stat(newest)).mtime;
  const SftpHandle handle(client, client.handle(client.open_directory(directory)));
  for (const SftpName& entry : read_names(client, handle.get())) {
    if (entry.name.find('/') != std::string::npos || entry.attributes.kind != Kind::regular ||
        now - entry.attributes.mtime < kStaleSeconds) {
      continue;
    }
    (void)client.failure(client.remove(directory + "/" + entry.name));
  }
}

std::vector<SftpName> read_names(SftpClient& client, const std::string& handle) {
  std::vector<SftpName> found;
  std::deque<SftpClient::Ticket> asked;
  bool at_end = false;
  while (!at_end || !asked.empty()) {
    while (!at_end && asked.size() < kListingsInFlight) {
      asked.push_back(client.read_directory(handle));
    }
    std::optional<std::vector<SftpName>> names = client.names(asked.front());
    asked.pop_front();
    at_end = at_end || !names;
    if (!names) continue;
    if (found.size() + names->size() > kMostNames) {
      throw base::Error(base::ErrorKind::io, "a directory on the server has too many names");
    }
    found.insert(found.end(), std::make_move_iterator(names->begin()),
                 std::make_move_iterator(names->end()));
  }
  return found;
}

}  // namespace rota::store
