#pragma once

#include <libssh/callbacks.h>

#include <string>

#include "store/sftp_session.h"

namespace rota::store {

/// Notes whether libssh asked for a passphrase; nobody is there to give one. Must outlive the
/// session.
class PassphraseQuestion {
 public:
  PassphraseQuestion();
  PassphraseQuestion(const PassphraseQuestion&) = delete;
  PassphraseQuestion& operator=(const PassphraseQuestion&) = delete;
  ssh_callbacks callbacks() { return &callbacks_; }
  bool was_asked() const { return asked_; }

 private:
  ssh_callbacks_struct callbacks_{};
  bool asked_ = false;
};

/// Logs in to a server whose key was checked, with keys only and never a password.
///
/// key_file: tried alone, then the agent in case the file is locked by a passphrase. "": the
/// agent's keys, then the identities that libssh was told of or that are usual (it writes a missing
/// ".pub" beside them).
/// Throws Error(refused) with what to do, Error(config) for a key file that cannot be used, and
/// ConnectionLost.
void log_in(const SshSession& session, const std::string& key_file, PassphraseQuestion& question);

}  // namespace rota::store
