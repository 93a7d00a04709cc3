#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "store/sftp_settings.h"
#include "store/sftp_target.h"
#include "support/files.h"

namespace rota::test {

/// OpenSSH's own server on a free loopback port, with keys and settings of its own, ended by its
/// process id. The user that runs the tests logs in with a key made for it.
class SftpServer {
 public:
  struct Options {
    std::string arguments;           ///< of sftp-server: "-R", "-P remove,rmdir"
    std::vector<std::string> lines;  ///< more of sshd_config
  };

  /// Why there can be no server here; nothing when there can.
  static std::optional<std::string> missing();

  SftpServer() : SftpServer(Options{}) {}
  explicit SftpServer(const Options& options);
  SftpServer(const SftpServer&) = delete;
  SftpServer& operator=(const SftpServer&) = delete;
  ~SftpServer();

  /// Returns when the port answers.
  void start();
  /// Ends the server and all its sessions, as a power cut would.
  void stop();
  /// Sends a signal to every process of every session; the server goes on.
  void signal_sessions(int signal) const;
  /// How many times somebody logged in.
  std::size_t logins() const;

  /// A directory for stores, which is there and empty.
  std::string root() const { return dir_ / "root"; }
  /// "sftp://user@127.0.0.1:port/path".
  std::string url(const std::string& path) const;
  store::SftpTarget target(const std::string& path) const;
  /// The right key and known hosts, and nothing from the tester's own ~/.ssh/config.
  store::SftpSettings settings() const;
  std::string key() const { return dir_ / "user"; }
  std::string known_hosts() const { return dir_ / "known_hosts"; }
  /// A file of the server's own directory.
  std::string file(const std::string& name) const { return dir_ / name; }
  int port() const { return port_; }
  std::string log() const;

 private:
  TempDir dir_;
  int port_ = 0;
  pid_t pid_ = -1;
};

/// Makes a key pair `file` and `file`.pub.
void make_ssh_key(const std::string& file, const std::string& passphrase = "");

/// Runs a program to its end; throws with its output when it fails. Returns its output.
std::string run_program(const std::vector<std::string>& argv);

}  // namespace rota::test
