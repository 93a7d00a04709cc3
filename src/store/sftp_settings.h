#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

#include "base/time.h"
#include "store/retry.h"

namespace rota::store {

/// How an SFTP store logs in, and how patient it is.
struct SftpSettings {
  /// The private key file. "": the agent's keys, then those of ~/.ssh and ~/.ssh/config. A key with
  /// a passphrase works only through the agent.
  std::string key;
  /// The file that the server's key must be in. "": ~/.ssh/known_hosts and
  /// /etc/ssh/ssh_known_hosts, or those that ~/.ssh/config names.
  std::string known_hosts;
  /// A file in the form of ssh_config(5). "": ~/.ssh/config and /etc/ssh/ssh_config. What libssh
  /// understands of it holds (HostName, Port, User, IdentityFile, ProxyCommand, Ciphers, …), except
  /// that it cannot switch the check of the server's key off.
  std::string config;
  /// How long the server may be silent while something is asked of it; also for each step of
  /// logging in. More than a slow disk needs to make 24 MiB durable.
  std::chrono::seconds patience{60};
  RetryPolicy retry;       ///< when the connection breaks or cannot be made
  std::uint64_t rate = 0;  ///< bytes a second, for all connections together; 0: no limit
  std::stop_token stop;    ///< ends calls and pauses with Error(interrupted)
  base::Clock* clock = &base::real_clock();  ///< for pauses; outlives the store
};

}  // namespace rota::store
