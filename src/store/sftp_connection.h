#pragma once

#include <cstddef>
#include <span>

#include "store/rate_limit.h"
#include "store/sftp_client.h"
#include "store/sftp_login.h"
#include "store/sftp_session.h"
#include "store/sftp_settings.h"
#include "store/sftp_target.h"

namespace rota::store {

/// A logged-in SSH connection with the server's SFTP subsystem at its other end.
///
/// Belongs to one thread at a time: libssh's sessions are not thread safe. SIGPIPE must be ignored
/// (base::SignalStop does), because libssh writes to sockets that the server may have closed.
class SftpConnection final : public ByteStream {
 public:
  /// Connects, checks the server's key and logs in. Throws ConnectionLost, or Error(refused): see
  /// sftp_host_key.h and sftp_login.h.
  /// rate: shared with other connections; outlives this one.
  SftpConnection(const SftpTarget& target, const SftpSettings& settings, RateLimit& rate);

  void write(std::span<const std::byte> data) override;
  std::size_t read(std::span<std::byte> buffer) override;

 private:
  void configure(const SftpTarget& target);
  /// Waits until so many bytes may pass.
  void slow_down(std::size_t bytes);
  [[noreturn]] void lost(const char* doing) const;

  const SftpSettings settings_;
  RateLimit& rate_;
  PassphraseQuestion question_;
  SshSession session_;
  SshChannel channel_;
  std::size_t since_grown_ = 0;  ///< bytes read since the window was last made large
};

}  // namespace rota::store
