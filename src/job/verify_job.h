#pragma once

#include <optional>

#include "chain/verify.h"
#include "job/server.h"

namespace rota::job {

/// What a verification is to look at.
struct VerifyScope {
  bool data = false;            ///< everything
  std::optional<double> share;  ///< or so much of everything, another part each time
};

/// Verifies a profile's chains (see chain::verify) and writes the result into the ledger.
chain::VerifyResult verify(Server& server, const VerifyScope& scope, const Surroundings& around);
/// The same as a step of a job that holds the profile's lock.
chain::VerifyResult verify(Server& server, const base::LockFile& held, const VerifyScope& scope,
                           const Surroundings& around);

}  // namespace rota::job
