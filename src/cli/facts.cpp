#include <fmt/core.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "chain/system_facts.h"
#include "cli/target.h"

namespace rota::cli {

namespace {

class Facts final : public Command {
 public:
  const char* name() const override { return "facts"; }
  const char* summary() const override {
    return "What a rebuild needs to know of the machine: partitions, mounts, packages, network";
  }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "The profile", 0, 1);
    declare_at(options, at_);
    declare_target(options, target_);
  }

  int run(Context& context) override {
    Target target(context, target_, words_, 0, 0);
    const chain::RunRecord record = target.record(at_, context.now());
    const std::string text = chain::read_facts(target.store(), record, &target.keys());
    if (text.empty()) {
      throw base::Error(base::ErrorKind::not_found,
                        fmt::format("run {} holds no system facts", record.run));
    }
    if (context.json) {
      const nlohmann::json value = {{"run", record.run}, {"host", record.host}, {"facts", text}};
      fmt::print("{}\n", value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    } else {
      // Whoever can write in the store can write them.
      fmt::print("{}", ::isatty(STDOUT_FILENO) != 0 ? base::printable_text(text) : text);
    }
    return context.status();
  }

 private:
  std::vector<std::string> words_;
  TargetOptions target_;
  std::string at_;
};

}  // namespace

std::unique_ptr<Command> make_facts() { return std::make_unique<Facts>(); }

}  // namespace rota::cli
