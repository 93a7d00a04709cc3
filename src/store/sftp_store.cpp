#include "store/sftp_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "store/sftp_connection.h"
#include "store/sftp_files.h"
#include "store/sftp_folder.h"
#include "store/sftp_probe.h"
#include "store/sftp_put.h"
#include "store/sftp_transfer.h"

namespace rota::store {

using base::Error;
using base::ErrorKind;
using Kind = SftpAttributes::Kind;

namespace {

/// "Bad message" is OpenSSH's word for a name too long for the file system.
bool is_absence(const SftpError& error) {
  return error.code() == SftpCode::no_such_file || error.code() == SftpCode::bad_message;
}

/// True when something else than a directory stands there: where only longer names exist, there is
/// no object.
bool is_object(SftpClient& client, const std::string& path) {
  try {
    return client.attributes(client.stat(path)).kind != Kind::directory;
  } catch (const SftpError& error) {
    if (is_absence(error)) return false;
    throw;
  }
}

}  // namespace

/// An object that is open. size: as it was just before.
struct SftpStore::OpenObject {
  std::unique_ptr<SftpHandle> handle;
  std::uint64_t size = 0;
};

SftpStore::SftpStore(SftpTarget target, SftpSettings settings)
    : target_(std::move(target)),
      settings_(std::move(settings)),
      rate_(settings_.rate),
      pool_(
          kConnections,
          [this] {
            return std::make_unique<SftpClient>(
                std::make_unique<SftpConnection>(target_, settings_, rate_));
          },
          settings_.stop) {}

template <typename Action>
auto SftpStore::with_client(const char* doing, const std::string& name, Action action) {
  const std::string words = fmt::format("{} {}", doing, name.empty() ? "its objects" : name);
  Retry retry(*settings_.clock, settings_.stop, settings_.retry);
  for (;;) {
    bool is_new = true;
    try {
      SftpPool::Lease lease = pool_.take();
      is_new = lease.is_new();
      return action(lease.client());
    } catch (const SftpError& error) {
      explain(words, error);
    } catch (const ConnectionLost& lost) {
      pool_.drop_idle();
      // An old connection may have died long ago: that says nothing of the server now.
      if (!(is_new ? retry.again() : retry.again_at_once())) {
        throw Error(ErrorKind::unavailable,
                    fmt::format("the store {} does not answer: {}; cannot {}", description(),
                                lost.what(), words));
      }
    }
  }
}

void SftpStore::explain(const std::string& doing, const SftpError& error) const {
  if (error.code() == SftpCode::permission_denied) {
    throw Error(ErrorKind::refused,
                fmt::format("the server of the store {} does not permit to {}: look at the owner "
                            "and mode of the directory there, and at what its SFTP server is set "
                            "to deny",
                            description(), doing));
  }
  throw Error(error.kind(),
              fmt::format("cannot {} in the store {}: {}", doing, description(), error.what()));
}

void SftpStore::put(const std::string& name, std::span<const std::byte> data) {
  check_name(name);
  check_size(name, data.size(), description());
  with_client("store", name, [&](SftpClient& client) {
    SftpPut(client, target_.path, description()).run(name, data, !tidied_.exchange(true));
  });
}

SftpStore::OpenObject SftpStore::open_object(SftpClient& client, const std::string& name) const {
  const auto absent = [&] {
    return Error(ErrorKind::not_found,
                 fmt::format("the store {} has no object {}", description(), name));
  };
  const SftpClient::Ticket looking = client.stat(path_of(name));
  const SftpClient::Ticket opening = client.open_to_read(path_of(name));
  try {
    const SftpAttributes found = client.attributes(looking);
    if (found.kind == Kind::symlink || found.kind == Kind::other) {
      // The opening of a FIFO is never answered: this connection is not waited for, and given up.
      throw Error(
          ErrorKind::corrupt,
          fmt::format("{} in the store {} is a symbolic link, FIFO or device, not an object", name,
                      description()));
    }
    OpenObject object;
    object.handle = std::make_unique<SftpHandle>(client, client.handle(opening));
    if (found.kind == Kind::directory) throw absent();
    if (!found.has_size) throw_not_sftp("it does not tell the sizes of files");
    object.size = found.size;
    return object;
  } catch (const SftpError& error) {
    client.ignore(opening);
    if (is_absence(error)) throw absent();
    throw;
  }
}

base::Bytes SftpStore::get(const std::string& name, std::uint64_t limit) {
  check_name(name);
  return with_client("read", name, [&](SftpClient& client) {
    const OpenObject object = open_object(client, name);
    // The file that is open may be newer than the one that was looked at: its own size counts, and
    // is asked for along with the data.
    const SftpClient::Ticket looking = client.stat_open(object.handle->get());
    base::Bytes data(object.size <= limit ? object.size : 0);
    std::size_t got = read_range(client, object.handle->get(), 0, data);
    const std::uint64_t size = client.attributes(looking).size;
    if (size > limit) {
      throw Error(
          ErrorKind::corrupt,
          fmt::format("the object {} in the store {} has {} bytes, more than the {} that it "
                      "may have",
                      name, description(), size, limit));
    }
    data.resize(size);
    if (got < size) {
      got += read_range(client, object.handle->get(), got, std::span(data).subspan(got));
    }
    if (got != size) {
      throw Error(ErrorKind::corrupt, fmt::format("the object {} in the store {} changed its size "
                                                  "while it was read",
                                                  name, description()));
    }
    return data;
  });
}

std::size_t SftpStore::read_some(const std::string& name, std::uint64_t offset,
                                 std::span<std::byte> buffer) {
  check_name(name);
  return with_client("read", name, [&](SftpClient& client) {
    const OpenObject object = open_object(client, name);
    const auto within = [&](std::uint64_t size) {
      if (offset >= size) return std::size_t{0};
      return static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size - offset));
    };
    const SftpClient::Ticket looking = client.stat_open(object.handle->get());
    const std::string& handle = object.handle->get();
    std::size_t got = read_range(client, handle, offset, buffer.first(within(object.size)));
    const std::size_t all = within(client.attributes(looking).size);
    if (got < all) {
      got += read_range(client, handle, offset + got, buffer.subspan(got, all - got));
    }
    return got;
  });
}

Page SftpStore::list(const std::string& prefix, const std::string& after, std::size_t limit) {
  return with_client("list", prefix, [&](SftpClient& client) -> Page {
    std::string handle;
    try {
      handle = client.handle(client.open_directory(target_.path));
    } catch (const SftpError& error) {
      if (error.code() == SftpCode::no_such_file) return {};
      throw;
    }
    SftpFolder root(client, target_.path, std::move(handle));
    return list_tree(root, prefix, after, limit);
  });
}

Removal SftpStore::remove(const std::string& name) {
  check_name(name);
  return with_client("remove", name, [&](SftpClient& client) {
    const std::optional<SftpError> kept = client.failure(client.remove(path_of(name)));
    if (!kept) {
      // An object that comes back after a power cut could be one whose parts are gone for good.
      DirectorySync(client, std::vector{parent_of(path_of(name))}).finish();
    } else if (is_object(client, path_of(name))) {
      if (kept->code() == SftpCode::permission_denied) return Removal::later;
      throw SftpError(*kept);
    }
    std::vector<SftpClient::Ticket> tickets;
    for (std::string directory = parent_of(name); !directory.empty();
         directory = parent_of(directory)) {
      tickets.push_back(client.remove_directory(path_of(directory)));
    }
    for (const SftpClient::Ticket ticket : tickets) (void)client.failure(ticket);
    return Removal::gone;
  });
}

std::optional<base::Instant> SftpStore::now() try {
  return with_client("look at the clock with", "", [&](SftpClient& client) {
    return SftpPut(client, target_.path, description()).server_time();
  });
} catch (const Error& error) {
  if (error.kind() == ErrorKind::unavailable || error.kind() == ErrorKind::interrupted) throw;
  return std::nullopt;
}

StorePowers SftpStore::inspect() {
  return with_client("look at", "",
                     [&](SftpClient& client) { return probe_account(client, target_.path); });
}

}  // namespace rota::store
