#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/command.h"
#include "job/purge_job.h"

namespace rota::cli {

namespace {

class Purge final : public Command {
 public:
  Purge(const char* name, const char* summary, job::PurgeRule rule)
      : name_(name), summary_(summary), rule_(rule) {}
  const char* name() const override { return name_; }
  const char* summary() const override { return summary_; }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "The profile", 0, 1);
    options.flag("-n,--dry-run", dry_run_, "Show what would go and why the rest stays");
  }

  int run(Context& context) override {
    job::Server server(context.places(), context.take_profile(words_, 0, 0), context.stop());
    const job::PurgeReport report = job::purge(server, rule_, dry_run_, context.surroundings());
    if (context.json) {
      print_json(report);
    } else if (dry_run_) {
      std::vector<std::vector<std::string>> rows;
      for (const chain::Verdict& verdict : report.verdicts) {
        rows.push_back({verdict.remove ? "remove" : "keep", verdict.run.run,
                        std::string(chain::kind_word(verdict.run.kind)),
                        base::local(verdict.run.time), verdict.why});
      }
      fmt::print("{}", base::table({"VERDICT", "RUN", "KIND", "TIME", "BECAUSE"}, rows));
    } else if (context.chatty()) {
      fmt::print("{} runs removed, {} objects, {}\n", report.removed.runs, report.removed.objects,
                 base::human_size(report.removed.bytes));
    }
    return context.status();
  }

 private:
  void print_json(const job::PurgeReport& report) const {
    nlohmann::json runs = nlohmann::json::array();
    for (const chain::Verdict& verdict : report.verdicts) {
      runs.push_back({{"name", verdict.run.run}, {"remove", verdict.remove}, {"why", verdict.why}});
    }
    const nlohmann::json value = {{"dry_run", dry_run_},
                                  {"runs", runs},
                                  {"removed_runs", report.removed.runs},
                                  {"removed_objects", report.removed.objects},
                                  {"removed_bytes", report.removed.bytes}};
    fmt::print("{}\n", value.dump());
  }

  const char* name_;
  const char* summary_;
  job::PurgeRule rule_;
  std::vector<std::string> words_;
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> make_purge() {
  return std::make_unique<Purge>("purge", "Remove chains that are wholly older than max_age",
                                 job::PurgeRule::max_age);
}

std::unique_ptr<Command> make_purge_incr() {
  return std::make_unique<Purge>(
      "purge-incr", "Remove the increments of all but the newest max_fulls_with_incrs chains",
      job::PurgeRule::max_fulls_with_incrs);
}

}  // namespace rota::cli
