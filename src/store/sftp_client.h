#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/sftp_wire.h"

namespace rota::store {

/// How many bytes may be on their way at once: OpenSSH's own window. Over a line of 50 ms that
/// allows 40 MB/s for each connection. A connection takes about twice as much memory.
inline constexpr std::size_t kSftpInFlight = 2 << 20;

/// The connection to the server broke, or could not be made: Error(unavailable). A new connection
/// may work.
class ConnectionLost final : public base::Error {
 public:
  explicit ConnectionLost(const std::string& what) : Error(base::ErrorKind::unavailable, what) {}
};

/// The seam to the network: the two ends of the server's SFTP subsystem. Both calls throw
/// ConnectionLost, and Error(interrupted) after a stop request.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  virtual void write(std::span<const std::byte> data) = 0;
  /// Waits for at least one byte. Returns how many. May let the server send as much as `buffer` has
  /// room for before the next call.
  virtual std::size_t read(std::span<std::byte> buffer) = 0;
};

/// A client for SFTP version 3 with many requests in flight.
///
/// Every request comes in two halves: one call sends it and returns a ticket, another waits for
/// that ticket's answer, so that any number of requests share one round trip. (libssh's own SFTP
/// calls wait for each write, and cannot rename over a file.) The server works on requests in the
/// order in which they are sent; that is what OpenSSH does, and the draft demands it for requests
/// to the same file.
///
/// Not for use by several threads at once. Waiting throws SftpError for a status that is no
/// success, Error(io) when the server breaks the protocol, and what the stream throws; after the
/// latter two the client is of no more use.
class SftpClient {
 public:
  using Ticket = std::uint32_t;

  /// Greets the server and learns its extensions and limits.
  explicit SftpClient(std::unique_ptr<ByteStream> stream);

  bool has(const std::string& extension) const { return extensions_.contains(extension); }
  /// How much data one read or write request carries.
  std::size_t read_piece() const { return read_piece_; }
  std::size_t write_piece() const { return write_piece_; }

  Ticket open_to_read(const std::string& path);
  /// Makes a file, mode 0600, that must not exist.
  Ticket create(const std::string& path);
  /// Of a file that is there; nothing of it is cut off.
  Ticket open_to_write(const std::string& path);
  Ticket open_directory(const std::string& path);
  Ticket close(const std::string& handle);
  Ticket read(const std::string& handle, std::uint64_t offset, std::size_t size);
  Ticket write(const std::string& handle, std::uint64_t offset, std::span<const std::byte> data);
  Ticket read_directory(const std::string& handle);
  /// Of the name itself, also where it is a symbolic link.
  Ticket stat(const std::string& path);
  Ticket stat_open(const std::string& handle);
  Ticket remove(const std::string& path);
  /// Mode 0700.
  Ticket make_directory(const std::string& path);
  Ticket remove_directory(const std::string& path);
  /// Fails when `to` exists.
  Ticket rename(const std::string& from, const std::string& to);
  /// Extensions, to be used only when has() says so:
  static constexpr char kPosixRename[] = "posix-rename@openssh.com";
  static constexpr char kHardLink[] = "hardlink@openssh.com";
  static constexpr char kFsync[] = "fsync@openssh.com";
  static constexpr char kStatvfs[] = "statvfs@openssh.com";
  Ticket posix_rename(const std::string& from, const std::string& to);
  Ticket hard_link(const std::string& from, const std::string& to);
  Ticket fsync(const std::string& handle);
  Ticket statvfs(const std::string& path);

  /// Each waits for the answer to a ticket, once.
  void ok(Ticket ticket);
  /// As ok(), but the status is returned and not thrown.
  std::optional<SftpError> failure(Ticket ticket);
  std::string handle(Ticket ticket);
  SftpAttributes attributes(Ticket ticket);
  /// Copies to `out` what was read, and returns how much: 0 at the end of the file.
  std::size_t data(Ticket ticket, std::span<std::byte> out);
  /// Nothing at the end of the directory.
  std::optional<std::vector<SftpName>> names(Ticket ticket);
  SftpRoom room(Ticket ticket);

  /// Nobody will wait for this ticket: its answer is thrown away when it comes.
  void ignore(Ticket ticket);
  /// True when all is well and no answer is outstanding that somebody wants: the client can serve
  /// another.
  bool is_settled() const { return !broken_ && wanted_.empty() && arrived_.empty(); }

 private:
  struct Answer {
    std::uint8_t type = 0;
    std::uint32_t number = 0;  ///< the ticket; the version in the answer to the greeting
    base::Bytes payload;
  };

  SftpPacket request(std::uint8_t type);
  SftpPacket extended(std::string_view name);
  Ticket send(SftpPacket packet);
  Answer wait(Ticket ticket);
  Answer receive();
  void fill(std::span<std::byte> buffer);
  void greet();
  void learn_limits();

  std::unique_ptr<ByteStream> stream_;
  std::map<std::string, std::string> extensions_;
  std::size_t read_piece_;
  std::size_t write_piece_;
  Ticket next_ = 0;
  bool broken_ = false;  ///< a packet was cut off: what follows has no meaning
  std::set<Ticket> wanted_;
  std::set<Ticket> ignored_;
  std::map<Ticket, Answer> arrived_;
  base::Bytes input_;  ///< read ahead from the stream: from input_at_ to input_end_
  std::size_t input_at_ = 0;
  std::size_t input_end_ = 0;
};

/// A file or directory that is open on the server; closed at the end, without waiting for it.
class SftpHandle {
 public:
  SftpHandle(SftpClient& client, std::string handle)
      : client_(client), handle_(std::move(handle)) {}
  SftpHandle(const SftpHandle&) = delete;
  SftpHandle& operator=(const SftpHandle&) = delete;
  ~SftpHandle();
  const std::string& get() const { return handle_; }

 private:
  SftpClient& client_;
  std::string handle_;
};

}  // namespace rota::store
