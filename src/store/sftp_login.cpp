#include "store/sftp_login.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "store/sftp_client.h"

namespace rota::store {

using base::Error;
using base::ErrorKind;

namespace {

int note_question(const char*, char*, std::size_t, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

void check_mode(const std::string& file) {
  struct stat st {};
  if (::stat(file.c_str(), &st) != 0) {
    throw Error(ErrorKind::config, fmt::format("the SSH key {} cannot be used: {}",
                                               base::printable(file), base::os_reason(errno)));
  }
  if ((st.st_mode & 077) != 0) {
    throw Error(ErrorKind::refused,
                fmt::format("the SSH key {0} can be read by others on this machine: chmod 600 {0}",
                            base::printable(file)));
  }
}

/// True when the server let the user in, false when it did not take the key.
bool is_in(const SshSession& session, int answer) {
  switch (answer) {
    case SSH_AUTH_SUCCESS:
      return true;
    case SSH_AUTH_DENIED:
      return false;
    case SSH_AUTH_PARTIAL:
      throw Error(ErrorKind::refused,
                  "the server wants more than a key to let the user in; rota has nothing else to "
                  "give: allow a key alone for this user ('AuthenticationMethods publickey')");
    default:
      break;
  }
  throw ConnectionLost(
      fmt::format("cannot log in: {}", base::printable(ssh_get_error(session.get()))));
}

std::string user_of(const SshSession& session) {
  char* user = nullptr;
  ssh_options_get(session.get(), SSH_OPTIONS_USER, &user);
  const SshString owned(user);
  return base::printable(user == nullptr ? "" : user);
}

[[noreturn]] void refuse_locked(const std::string& key) {
  throw Error(
      ErrorKind::refused,
      fmt::format("{} is locked by a passphrase, and no agent has it: load it with ssh-add, "
                  "or make a key without one for rota alone (ssh-keygen -t ed25519 -N '' -f "
                  "FILE)",
                  key));
}

bool enter_with_agent(const SshSession& session) {
  const int answer = ssh_userauth_agent(session.get(), nullptr);
  // Without an agent this is an error that changes nothing.
  return answer == SSH_AUTH_ERROR && ssh_is_connected(session.get()) != 0 ? false
                                                                          : is_in(session, answer);
}

void log_in_with_file(const SshSession& session, const std::string& file,
                      PassphraseQuestion& question) {
  check_mode(file);
  ssh_key raw = nullptr;
  const int status =
      ssh_pki_import_privkey_file(file.c_str(), nullptr, question.callbacks()->auth_function,
                                  question.callbacks()->userdata, &raw);
  const SshKey key(raw);
  if (status != SSH_OK && question.was_asked()) {
    if (enter_with_agent(session)) return;
    refuse_locked("the SSH key " + base::printable(file));
  }
  if (status != SSH_OK) {
    throw Error(ErrorKind::config,
                fmt::format("{} is no private SSH key that libssh can read; make one with "
                            "ssh-keygen -t ed25519 -N '' -f FILE",
                            base::printable(file)));
  }
  if (is_in(session, ssh_userauth_publickey(session.get(), nullptr, key.get()))) return;
  throw Error(ErrorKind::refused,
              fmt::format("the server does not let the user {} in with the key {}: add {}.pub to "
                          "the user's authorized_keys there",
                          user_of(session), base::printable(file), base::printable(file)));
}

void log_in_as_usual(const SshSession& session, PassphraseQuestion& question) {
  ssh_set_callbacks(session.get(), question.callbacks());
  const int answer = ssh_userauth_publickey_auto(session.get(), nullptr, nullptr);
  if (is_in(session, answer)) return;
  if (question.was_asked()) refuse_locked("a key in ~/.ssh that the server may know");
  throw Error(ErrorKind::refused,
              fmt::format("the server does not let the user {} in with any key of the agent or of "
                          "~/.ssh: make one with ssh-keygen -t ed25519 -N '' and add its .pub to "
                          "the user's authorized_keys there, or name another key in the profile",
                          user_of(session)));
}

}  // namespace

PassphraseQuestion::PassphraseQuestion() {
  callbacks_.size = sizeof callbacks_;
  callbacks_.userdata = &asked_;
  callbacks_.auth_function = note_question;
}

void log_in(const SshSession& session, const std::string& key_file, PassphraseQuestion& question) {
  if (key_file.empty()) {
    log_in_as_usual(session, question);
  } else {
    log_in_with_file(session, key_file, question);
  }
}

}  // namespace rota::store
