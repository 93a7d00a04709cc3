#include "job/verify_job.h"

namespace rota::job {

chain::VerifyResult verify(Server& server, bool data, const Surroundings& around) {
  const base::LockFile lock = server.lock();
  const chain::VerifyResult result =
      chain::verify(server.store(), &server.state(), data, around.progress, around.stop);
  ledger::VerifyRow row;
  row.profile = server.profile().name;
  row.time = around.clock.now();
  row.run = result.newest;
  row.what = data ? ledger::VerifyKind::data : ledger::VerifyKind::listing;
  row.good = result.good();
  row.objects = result.objects;
  row.bytes = result.bytes;
  if (!result.good()) row.problem = result.problems.front();
  server.ledger().add_verification(row);
  return result;
}

}  // namespace rota::job
