#include <fmt/core.h>

#include "base/error.h"
#include "chain/backup.h"
#include "cli/command.h"
#include "job/known_runs.h"

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
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_adopt() { return std::make_unique<Adopt>(); }

}  // namespace rota::cli
