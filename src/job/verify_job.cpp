#include "job/verify_job.h"

#include "job/known_runs.h"

namespace rota::job {

namespace {

ledger::VerifyKind kind_of(const VerifyScope& scope) {
  if (scope.data) return ledger::VerifyKind::data;
  return scope.share ? ledger::VerifyKind::sample : ledger::VerifyKind::listing;
}

}  // namespace

chain::VerifyResult verify(Server& server, const VerifyScope& scope, const Surroundings& around) {
  const base::LockFile lock = server.lock();
  return verify(server, lock, scope, around);
}

chain::VerifyResult verify(Server& server, const base::LockFile&, const VerifyScope& scope,
                           const Surroundings& around) {
  const std::string& state = server.state().state_directory();
  std::optional<chain::Sample> sample;
  if (!scope.data && scope.share) sample = chain::next_sample(state, *scope.share);
  chain::KeyRing* keys = server.has_keys() ? &server.keys() : nullptr;
  const chain::Catalog catalog(server.store(), &server.state(), keys);
  note_runs(server.ledger(), server.profile().name, catalog, server.state().last());
  const chain::VerifyResult result =
      chain::verify(server.store(), catalog, &server.state(), scope.data, around.progress,
                    around.stop, sample, keys);
  ledger::VerifyRow row;
  row.profile = server.profile().name;
  row.time = around.clock.now();
  row.run = result.newest;
  row.what = kind_of(scope);
  row.good = result.good();
  row.objects = result.objects;
  row.bytes = result.bytes;
  if (!result.good()) row.problem = result.problems.front();
  server.ledger().add_verification(row);
  // Last: what a crash hides from the ledger is looked at again.
  if (sample) chain::keep_sample(state, *sample);
  return result;
}

}  // namespace rota::job
