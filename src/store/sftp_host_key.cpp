#include "store/sftp_host_key.h"

#include <fmt/core.h>

#include "base/error.h"
#include "base/text.h"
#include "store/sftp_client.h"

namespace rota::store {

using base::Error;
using base::ErrorKind;

namespace {

constexpr unsigned kSshPort = 22;

/// A word of a shell command, quoted where it must be.
std::string word(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:~";
  if (text.find_first_not_of(kPlain) == std::string::npos) return text;
  return base::shell_quoted(text);
}

/// "ED25519 SHA256:…", of the key that the server showed.
std::string shown_key(const SshSession& session) {
  ssh_key raw = nullptr;
  if (ssh_get_server_publickey(session.get(), &raw) != SSH_OK) {
    throw ConnectionLost("the server shows no key");
  }
  const SshKey key(raw);
  unsigned char* hash = nullptr;
  std::size_t size = 0;
  if (ssh_get_publickey_hash(key.get(), SSH_PUBLICKEY_HASH_SHA256, &hash, &size) != SSH_OK) {
    throw Error(ErrorKind::io, "the fingerprint of the server's key cannot be computed");
  }
  const SshString print(ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size));
  ssh_clean_pubkey_hash(&hash);
  return fmt::format("{} {}", ssh_key_type_to_char(ssh_key_type(key.get())),
                     print ? print.get() : "");
}

/// How a person adds or replaces a server's key.
struct Commands {
  std::string server;  ///< "host" or "host, port 2222"
  std::string file;
  std::string add;
  std::string forget;
};

Commands commands(const SshSession& session, const std::string& known_hosts) {
  char* name = nullptr;
  ssh_options_get(session.get(), SSH_OPTIONS_HOST, &name);
  const SshString owned(name);
  const std::string host = base::printable(name == nullptr ? "" : name);
  unsigned port = kSshPort;
  ssh_options_get_port(session.get(), &port);
  const bool usual = port == kSshPort;

  Commands found;
  found.server = usual ? host : fmt::format("{}, port {},", host, port);
  found.file = word(known_hosts.empty() ? "~/.ssh/known_hosts" : known_hosts);
  found.add = fmt::format("ssh-keyscan {}{} >> {}", usual ? "" : fmt::format("-p {} ", port),
                          word(host), found.file);
  found.forget = fmt::format("ssh-keygen -f {} -R {}", found.file,
                             word(usual ? host : fmt::format("[{}]:{}", host, port)));
  return found;
}

}  // namespace

void check_host_key(const SshSession& session, const std::string& known_hosts) {
  const ssh_known_hosts_e state = ssh_session_is_known_server(session.get());
  if (state == SSH_KNOWN_HOSTS_OK) return;
  const std::string key = shown_key(session);
  const Commands how = commands(session, known_hosts);
  switch (state) {
    case SSH_KNOWN_HOSTS_CHANGED:
    case SSH_KNOWN_HOSTS_OTHER:
      throw Error(
          ErrorKind::refused,
          fmt::format("the server {} shows another key than the one in {}: {}. Somebody may "
                      "stand between, so nothing was sent. If you know that its key was "
                      "changed, and to this one: {} && {}",
                      how.server, how.file, key, how.forget, how.add));
    case SSH_KNOWN_HOSTS_UNKNOWN:
    case SSH_KNOWN_HOSTS_NOT_FOUND:
      throw Error(ErrorKind::refused,
                  fmt::format("the server {} is not in {}. Its key is {}: compare that with what "
                              "its owner says, then add it: {}",
                              how.server, how.file, key, how.add));
    case SSH_KNOWN_HOSTS_ERROR:
    case SSH_KNOWN_HOSTS_OK:
      break;
  }
  throw Error(ErrorKind::refused,
              fmt::format("the key of the server {} cannot be checked with {}: {}", how.server,
                          how.file, base::printable(ssh_get_error(session.get()))));
}

}  // namespace rota::store
