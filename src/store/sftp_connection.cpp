#include "store/sftp_connection.h"

#include <fmt/core.h>
#include <libssh/libssh.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>

#include "base/signals.h"
#include "base/text.h"
#include "store/sftp_host_key.h"

namespace rota::store {

using base::Error;
using base::ErrorKind;

namespace {

// A stop request is seen after so long at most.
constexpr int kTickMs = 200;
constexpr std::size_t kWindowStep = 512 << 10;
constexpr std::size_t kSmallRead = 64 << 10;

template <typename Value>
void set(const SshSession& session, ssh_options_e option, const Value* value, const char* what) {
  if (ssh_options_set(session.get(), option, value) == SSH_OK) return;
  throw Error(ErrorKind::config, fmt::format("libssh does not accept the {} of the SFTP store: {}",
                                             what, ssh_get_error(session.get())));
}

}  // namespace

SftpConnection::SftpConnection(const SftpTarget& target, const SftpSettings& settings,
                               RateLimit& rate)
    : settings_(settings), rate_(rate), session_(ssh_new()) {
  if (!session_) throw Error(ErrorKind::io, "libssh could not be started: there is no memory");
  base::check_stop(settings_.stop);
  configure(target);
  if (ssh_connect(session_.get()) != SSH_OK) lost("connect");
  const int on = 1;  // a peer that vanished is noticed also while nothing is asked of it
  (void)::setsockopt(ssh_get_fd(session_.get()), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  base::check_stop(settings_.stop);
  check_host_key(session_, settings_.known_hosts);
  log_in(session_, settings_.key, question_);
  channel_.reset(ssh_channel_new(session_.get()));
  if (!channel_ || ssh_channel_open_session(channel_.get()) != SSH_OK) lost("open a channel");
  if (ssh_channel_request_sftp(channel_.get()) != SSH_OK) {
    if (ssh_is_connected(session_.get()) == 0) lost("start the SFTP subsystem");
    throw Error(ErrorKind::refused,
                "the server lets the user in, but offers no SFTP: look at 'Subsystem sftp' in its "
                "sshd_config");
  }
}

void SftpConnection::configure(const SftpTarget& target) {
  set(session_, SSH_OPTIONS_HOST, target.host.c_str(), "host");
  const char* config = settings_.config.empty() ? nullptr : settings_.config.c_str();
  if (ssh_options_parse_config(session_.get(), config) != 0) {
    throw Error(ErrorKind::config,
                fmt::format("the SSH configuration {} cannot be read: {}",
                            config == nullptr ? "~/.ssh/config" : base::printable(config),
                            ssh_get_error(session_.get())));
  }
  // What follows wins over the file, which has been read: not again by ssh_connect().
  const bool no = false;
  set(session_, SSH_OPTIONS_PROCESS_CONFIG, &no, "configuration");
  // With "no", libssh calls every key of an unknown server known.
  const int strict = 1;
  set(session_, SSH_OPTIONS_STRICTHOSTKEYCHECK, &strict, "host key check");
  if (target.port != 0) set(session_, SSH_OPTIONS_PORT, &target.port, "port");
  if (!target.user.empty()) set(session_, SSH_OPTIONS_USER, target.user.c_str(), "user");
  if (!settings_.known_hosts.empty()) {
    const char* file = settings_.known_hosts.c_str();
    set(session_, SSH_OPTIONS_KNOWNHOSTS, file, "known hosts file");
    set(session_, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, file, "known hosts file");
  }
  const long patience = settings_.patience.count();
  set(session_, SSH_OPTIONS_TIMEOUT, &patience, "patience");
  const int no_delay = 1;
  set(session_, SSH_OPTIONS_NODELAY, &no_delay, "socket option");
}

void SftpConnection::write(std::span<const std::byte> data) {
  slow_down(data.size());
  base::check_stop(settings_.stop);
  // Blocks while the server's window is closed, as long as the patience lasts; takes in answers
  // meanwhile.
  const auto size = static_cast<std::uint32_t>(data.size());
  if (ssh_channel_write(channel_.get(), data.data(), size) != static_cast<int>(size)) {
    lost("send");
  }
}

std::size_t SftpConnection::read(std::span<std::byte> buffer) {
  // libssh grows the window to what a call asks for, else keeps it near a megabyte; and says so to
  // the server each time, which is not worth a packet for each answer.
  const bool grow = since_grown_ >= kWindowStep;
  const auto size =
      static_cast<std::uint32_t>(grow ? buffer.size() : std::min(buffer.size(), kSmallRead));
  const auto end = std::chrono::steady_clock::now() + settings_.patience;
  for (;;) {
    base::check_stop(settings_.stop);
    const int got = ssh_channel_read_timeout(channel_.get(), buffer.data(), size, 0, kTickMs);
    if (got > 0) {
      since_grown_ = grow ? 0 : since_grown_ + static_cast<std::size_t>(got);
      slow_down(static_cast<std::size_t>(got));
      return static_cast<std::size_t>(got);
    }
    if (got != 0 && got != SSH_AGAIN) lost("receive");
    if (ssh_channel_is_eof(channel_.get()) != 0 || ssh_channel_is_closed(channel_.get()) != 0) {
      throw ConnectionLost("the server ended the connection");
    }
    if (std::chrono::steady_clock::now() >= end) {
      throw ConnectionLost(fmt::format("no answer for {} s", settings_.patience.count()));
    }
  }
}

void SftpConnection::slow_down(std::size_t bytes) {
  if (!rate_.limited()) return;
  settings_.clock->sleep(rate_.take(bytes, std::chrono::steady_clock::now()), settings_.stop);
}

void SftpConnection::lost(const char* doing) const {
  const std::string reason = base::printable(ssh_get_error(session_.get()));
  throw ConnectionLost(reason.empty() ? fmt::format("cannot {}: the connection broke", doing)
                                      : fmt::format("cannot {}: {}", doing, reason));
}

}  // namespace rota::store
