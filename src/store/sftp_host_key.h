#pragma once

#include <string>

#include "store/sftp_session.h"

namespace rota::store {

/// Checks the key of a server that is connected against the known hosts. Nothing is ever added.
///
/// known_hosts: the file that the session was told to look in; "" when it looks in the usual ones.
/// Throws Error(refused) for an unknown server and for a changed key, with the key's fingerprint
/// and the command that would add it. Certificates ("@cert-authority") are not supported by libssh,
/// and it passes "@revoked" lines over.
void check_host_key(const SshSession& session, const std::string& known_hosts);

}  // namespace rota::store
