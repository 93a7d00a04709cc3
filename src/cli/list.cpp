#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/target.h"

namespace rota::cli {

namespace {

class List final : public Command {
 public:
  const char* name() const override { return "list"; }
  const char* summary() const override { return "List the runs: the points in time to go back to"; }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "The profile", 0, 1);
    declare_target(options, target_);
  }

  int run(Context& context) override {
    Target target(context, target_, words_, 0, 0);
    target.trust_all_records();
    nlohmann::json runs = nlohmann::json::array();
    std::vector<std::vector<std::string>> rows;
    std::string locked;
    for (const chain::ChainInfo& chain : target.catalog().chains()) {
      for (const chain::RunInfo& info : chain.runs) {
        chain::RunRecord run;
        try {
          run = target.catalog().record(info);
        } catch (const chain::NoKeyError& error) {
          // Without its key there is what the name tells.
          locked = error.what();
          runs.push_back({{"name", info.run},
                          {"kind", chain::kind_word(info.kind)},
                          {"time", base::iso(info.time)},
                          {"chain", info.chain},
                          {"files", nullptr},
                          {"bytes", nullptr},
                          {"stored", nullptr}});
          rows.push_back({info.run, std::string(chain::kind_word(info.kind)),
                          base::local(info.time), base::relative(info.time, context.now()), "?",
                          "?", "?"});
          continue;
        }
        const std::uint64_t stored = run.stored + info.record_size;
        runs.push_back({{"name", run.run},
                        {"kind", chain::kind_word(run.kind)},
                        {"time", base::iso(run.time)},
                        {"chain", run.chain},
                        {"files", run.files},
                        {"bytes", run.bytes},
                        {"stored", stored}});
        rows.push_back({run.run, std::string(chain::kind_word(run.kind)), base::local(run.time),
                        base::relative(run.time, context.now()), base::human_count(run.files),
                        base::human_size(run.bytes), base::human_size(stored)});
      }
      report_strays(context, chain);
    }
    for (const chain::ChainInfo& chain : target.catalog().broken()) report_strays(context, chain);
    target.require_runs();
    target.note_runs();
    if (!locked.empty()) context.warnings().warn("sizes are not shown", locked);
    if (context.json) {
      fmt::print("{}\n", nlohmann::json{{"runs", runs}}.dump());
    } else if (rows.empty()) {
      fmt::print("There is no run yet; `rota backup` makes the first.\n");
    } else {
      fmt::print("{}",
                 base::table({"RUN", "KIND", "TIME", "AGE", ">ENTRIES", ">SIZE", ">STORED"}, rows));
    }
    return context.status();
  }

 private:
  static void report_strays(Context& context, const chain::ChainInfo& chain) {
    for (const chain::RunInfo& run : chain.stray) {
      context.warnings().warn(
          run.run, "cannot be restored: its record is damaged or does not fit its chain");
    }
    for (const std::string& run : chain.missing) {
      context.warnings().warn(run,
                              "cannot be restored: its record is missing; later runs of its chain "
                              "can be, as far as its data is there");
    }
  }

  std::vector<std::string> words_;
  TargetOptions target_;
};

}  // namespace

std::unique_ptr<Command> make_list() { return std::make_unique<List>(); }

}  // namespace rota::cli
