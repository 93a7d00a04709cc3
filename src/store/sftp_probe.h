#pragma once

#include <string>

#include "store/powers.h"
#include "store/sftp_client.h"

namespace rota::store {

/// What an account may do to files below `root`, tried on an empty file in the store's directory of
/// temporary files: it is made, opened for writing once more, and removed. Where it may not be
/// removed it stays, one for all times. Nothing is known where there is no such directory yet.
///
/// Throws SftpError when the server fails, and what the client throws.
StorePowers probe_account(SftpClient& client, const std::string& root);

}  // namespace rota::store
