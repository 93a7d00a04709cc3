#include <fmt/core.h>

#include "base/error.h"
#include "chain/backup.h"
#include "cli/command.h"
#include "job/backup_job.h"
#include "job/known_runs.h"
#include "ledger/history.h"

namespace rota::cli {

namespace {

class Adopt final : public Command {
 public:
  const char* name() const override { return "adopt"; }
  const char* summary() const override {
    return "Continue, on this machine, the chains that the store holds";
  }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "The profile", 0, 1);
    options.note(
        "After a reinstallation, or when the local state was lost. Only one machine may write to\n"
        "a store's chains: do not adopt what another server still writes.");
  }

  int run(Context& context) override {
    job::Server server(context.places(), context.take_profile(words_, 0, 0), context.stop());
    const base::LockFile lock = server.lock();
    chain::KeyRing* keys = server.has_keys() ? &server.keys() : nullptr;
    const std::string run = chain::adopt(server.store(), server.state(), keys);
    if (run.empty()) {
      server.ledger().set_runs(server.profile().name, {});
    } else {
      const chain::Catalog catalog(server.store(), &server.state(), keys);
      job::note_runs(server.ledger(), server.profile().name, catalog, server.state().last());
    }
    warn_of_history(context, server);
    if (context.chatty()) {
      if (run.empty()) {
        fmt::print("{} holds no run; the next backup begins anew there\n",
                   server.store().description());
      } else {
        fmt::print("the next backup continues run {}\n", run);
      }
    }
    return context.status();
  }

 private:
  /// The disks of a machine that was lost are known to its stores.
  static void warn_of_history(Context& context, job::Server& server) {
    if (ledger::History(server.ledger()).head().rows != 0) return;
    const store::Page page = server.store().list(job::kLedgerObject, "", 1);
    if (page.objects.empty() || page.objects.front().name != job::kLedgerObject) return;
    context.warnings().warn(
        job::kLedgerObject,
        fmt::format("{} holds a history of rotation disks, and the ledger here has none: bring it "
                    "back with `rota ledger rebuild` before a disk is prepared or plugged in",
                    server.store().description()));
  }

  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_adopt() { return std::make_unique<Adopt>(); }

}  // namespace rota::cli
