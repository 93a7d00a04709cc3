#include "store/sftp_put.h"

#include <fmt/core.h>

#include <array>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/text.h"
#include "store/sftp_files.h"
#include "store/sftp_transfer.h"

namespace rota::store {

using base::Error;
using base::ErrorKind;

namespace {

// How often a directory is made anew when remove(), here or elsewhere, takes it away between mkdir
// and rename.
constexpr int kPlaceAttempts = 30;

std::string random_name() {
  std::array<std::byte, 16> random{};
  base::random_bytes(random);
  return base::to_hex(random);
}

}  // namespace

/// A file on its way to its place: removed unless it got there. The removal is waited for: a server
/// may drop what it has not yet done when its client goes, and rota may go next.
class SftpPut::Temporary {
 public:
  Temporary(SftpClient& client, std::string path, std::string handle)
      : client_(client), path_(std::move(path)), handle_(client, std::move(handle)) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (placed_) return;
    try {
      (void)client_.failure(client_.remove(path_));
    } catch (const Error&) {  // stays for remove_stale()
    }
  }
  void placed() { placed_ = true; }
  const std::string& path() const { return path_; }
  const std::string& handle() const { return handle_.get(); }

 private:
  SftpClient& client_;
  std::string path_;
  SftpHandle handle_;
  bool placed_ = false;
};

SftpPut::SftpPut(SftpClient& client, std::string root, std::string description)
    : client_(client), root_(std::move(root)), description_(std::move(description)) {}

void SftpPut::run(const std::string& name, std::span<const std::byte> data, bool tidy) {
  try {
    const std::unique_ptr<Temporary> temporary = make_temporary();
    // Now, and not later: what it frees may be just what this object needs.
    if (tidy) remove_stale(client_, root_ + "/" + kSftpTemporary, temporary->path());
    write_durably(client_, temporary->handle(), data);
    place(*temporary, root_ + "/" + name, data);
  } catch (const SftpError& error) {
    if (error.code() == SftpCode::failure) look_for_room(name, data.size());
    throw;
  }
}

std::optional<base::Instant> SftpPut::server_time() {
  const std::unique_ptr<Temporary> temporary = make_temporary();
  const std::int64_t mtime = client_.attributes(client_.stat(temporary->path())).mtime;
  if (mtime == 0) return std::nullopt;  // it keeps none
  return base::Instant(std::chrono::seconds(mtime));
}

std::unique_ptr<SftpPut::Temporary> SftpPut::make_temporary() {
  const std::string directory = root_ + "/" + kSftpTemporary;
  std::string path = directory + "/" + random_name();
  try {
    return std::make_unique<Temporary>(client_, path, client_.handle(client_.create(path)));
  } catch (const SftpError& error) {
    if (error.code() != SftpCode::no_such_file) throw;
  }
  const std::optional<SftpError> denied = make_directories(client_, directory);
  try {
    return std::make_unique<Temporary>(client_, path, client_.handle(client_.create(path)));
  } catch (const SftpError& error) {
    if (denied && error.code() == SftpCode::no_such_file) throw SftpError(*denied);
    throw;
  }
}

void SftpPut::place(Temporary& temporary, const std::string& target,
                    std::span<const std::byte> data) {
  // All of them, also those that were there: whoever made one may not have synced it yet.
  std::vector<std::string> directories;
  for (std::string each = parent_of(target); each.size() > root_.size(); each = parent_of(each)) {
    directories.push_back(each);
  }
  directories.push_back(root_);

  for (int attempt = 1;; ++attempt) {
    const SftpClient::Ticket moving = start_move(temporary, target);
    DirectorySync sync(client_, directories);
    const std::optional<SftpError> failed = finish_move(moving, temporary, target, data);
    if (!failed) return sync.finish();
    if (failed->code() != SftpCode::no_such_file) throw SftpError(*failed);
    const std::optional<SftpError> denied = make_directories(client_, directories.front());
    if (denied && attempt > 1) throw SftpError(*denied);
    if (attempt == kPlaceAttempts) {
      throw Error(ErrorKind::io, fmt::format("cannot make the directory {} in the store {}: "
                                             "something else lies in its way, or removes it",
                                             base::printable(directories.front()), description_));
    }
  }
}

SftpClient::Ticket SftpPut::start_move(const Temporary& temporary, const std::string& target) {
  return client_.has(SftpClient::kPosixRename) ? client_.posix_rename(temporary.path(), target)
                                               : client_.rename(temporary.path(), target);
}

std::optional<SftpError> SftpPut::finish_move(SftpClient::Ticket moving, Temporary& temporary,
                                              const std::string& target,
                                              std::span<const std::byte> data) {
  std::optional<SftpError> failed = client_.failure(moving);
  if (!failed) temporary.placed();
  if (failed && failed->code() == SftpCode::failure && !client_.has(SftpClient::kPosixRename)) {
    return replace(temporary, target);
  }
  if (failed && failed->code() == SftpCode::permission_denied &&
      client_.has(SftpClient::kHardLink)) {
    return link(temporary, target, data);
  }
  return failed;
}

std::optional<SftpError> SftpPut::replace(Temporary& temporary, const std::string& target) {
  const std::optional<SftpError> kept = client_.failure(client_.remove(target));
  if (kept && kept->code() == SftpCode::permission_denied) {
    throw Error(ErrorKind::refused,
                fmt::format("{} stands in the store {} already, and its server permits neither to "
                            "replace nor to remove it",
                            base::printable(target), description_));
  }
  std::optional<SftpError> failed = client_.failure(client_.rename(temporary.path(), target));
  if (!failed) temporary.placed();
  return failed;
}

std::optional<SftpError> SftpPut::link(Temporary& temporary, const std::string& target,
                                       std::span<const std::byte> data) {
  std::optional<SftpError> failed = client_.failure(client_.hard_link(temporary.path(), target));
  // The reply to an earlier attempt may have been lost: then it stands there already.
  if (!failed || failed->code() != SftpCode::failure) return failed;
  if (holds(client_, target, data)) return std::nullopt;
  throw Error(ErrorKind::refused,
              fmt::format("{} stands in the store {} already with other bytes, and its server does "
                          "not permit to replace it",
                          base::printable(target), description_));
}

void SftpPut::look_for_room(const std::string& name, std::size_t size) {
  if (!client_.has(SftpClient::kStatvfs)) return;
  SftpRoom room;
  try {
    room = client_.room(client_.statvfs(root_));
  } catch (const SftpError&) {
    return;
  }
  if (room.read_only) {
    throw Error(
        ErrorKind::io,
        fmt::format("the store {} is read-only: cannot store {}; mount its file system for "
                    "writing (after an error the server's system itself makes it read-only)",
                    description_, name));
  }
  if (room.free_bytes < size || room.no_files) {
    throw Error(
        ErrorKind::io,
        fmt::format("the store {} is full: {} are free{}, cannot store {} with {}; make "
                    "room there, then start again",
                    description_, base::human_size(room.free_bytes),
                    room.no_files ? " but no file can be made" : "", name, base::human_size(size)));
  }
}

}  // namespace rota::store
