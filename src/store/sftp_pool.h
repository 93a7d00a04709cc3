#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include "store/sftp_client.h"

namespace rota::store {

/// A few connections that threads use in turn, each by one thread at a time. May be used from any
/// thread.
class SftpPool {
 public:
  using Connect = std::function<std::unique_ptr<SftpClient>()>;

  /// most: how many connections there are at once, at least 1. connect: makes one.
  SftpPool(std::size_t most, Connect connect, std::stop_token stop);

  /// The use of a connection. At the end it waits for the next one, if it is in order, or is
  /// closed.
  class Lease {
   public:
    Lease(SftpPool& pool, std::unique_ptr<SftpClient> client, bool is_new);
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();
    SftpClient& client() { return *client_; }
    /// Made for this lease, and not found lying about, where it may have died unnoticed.
    bool is_new() const { return is_new_; }

   private:
    SftpPool& pool_;
    std::unique_ptr<SftpClient> client_;
    const bool is_new_;
  };

  /// Waits for a free connection, or makes one. A server that allows fewer than `most` is content
  /// with those that stand: the others wait for them. Throws what `connect` throws, and
  /// Error(interrupted).
  Lease take();

  /// Closes those that lie about: one just turned out to be dead, the others may be too.
  void drop_idle();

 private:
  void release(std::unique_ptr<SftpClient> client);

  const std::size_t most_;
  const Connect connect_;
  const std::stop_token stop_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::vector<std::unique_ptr<SftpClient>> idle_;
  std::size_t alive_ = 0;  ///< idle, leased, or being made
  std::size_t allowed_;    ///< by the server, as far as is known; at most most_
};

}  // namespace rota::store
