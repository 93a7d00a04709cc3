#pragma once

#include "chain/verify.h"
#include "job/server.h"

namespace rota::job {

/// Verifies a profile's chains (see chain::verify) and writes the result into the ledger.
chain::VerifyResult verify(Server& server, bool data, const Surroundings& around);

}  // namespace rota::job
