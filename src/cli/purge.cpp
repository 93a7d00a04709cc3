#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/command.h"
#include "job/purge_job.h"

namespace rota::cli {

namespace {

/// "1 run", "2 runs".
std::string counted(std::uint64_t count, const char* thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

class Purge final : public Command {
 public:
  Purge(const char* name, const char* summary, job::PurgeRule rule)
      : name_(name), summary_(summary) {
    purge_.rule = rule;
  }
  const char* name() const override { return name_; }
  const char* summary() const override { return summary_; }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "The profile", 0, 1);
    options.flag("-n,--dry-run", purge_.dry_run, "Show what would go and why the rest stays");
    if (purge_.rule != job::PurgeRule::max_age) return;
    options.text("--chain", purge_.chain, "CHAIN",
                 "Remove this chain, whatever its age, and nothing else: one that is damaged, or "
                 "whose full is gone. A chain has the name of its full");
    options.flag("--clock-is-right", purge_.clock_is_right,
                 "This machine's clock is right, though no run was made for so long: believe it, "
                 "now and in later nights");
  }

  int run(Context& context) override {
    job::Server server(context.places(), context.take_profile(words_, 0, 0), context.stop());
    if (!purge_.chain.empty()) purge_.rule = job::PurgeRule::one_chain;
    const job::PurgeReport report = job::purge(server, purge_, context.surroundings());
    if (context.json) {
      print_json(report);
    } else if (purge_.dry_run) {
      std::vector<std::vector<std::string>> rows;
      for (const chain::Verdict& verdict : report.verdicts) {
        rows.push_back({verdict.remove ? "remove" : "keep", verdict.run.run,
                        std::string(chain::kind_word(verdict.run.kind)),
                        base::local(verdict.run.time), verdict.why});
      }
      fmt::print("{}", base::table({"VERDICT", "RUN", "KIND", "TIME", "BECAUSE"}, rows));
      for (const chain::Forgotten& run : report.forgotten) {
        fmt::print("remove {}, {}, of the unfinished run {}, which nobody can resume\n",
                   counted(run.objects, "object"), base::human_size(run.bytes), run.run);
      }
      for (const store::UnfinishedUpload& upload : report.leftovers) {
        fmt::print("cancel the upload of {}, which another program began {} and never finished\n",
                   base::printable(upload.name), base::local(upload.since));
      }
    } else if (context.chatty() && report.in_the_way.empty()) {
      print_removed(report);
    }
    job::check_way(report, "nothing was removed, because what is to stay is not whole");
    return context.status();
  }

 private:
  static void print_removed(const job::PurgeReport& report) {
    const chain::Removed& removed = report.removed;
    fmt::print("{} {}, {}, {}\n", counted(removed.runs, "run"),
               removed.hidden ? "hidden, which the bucket's rules delete" : "removed",
               counted(removed.objects, "object"), base::human_size(removed.bytes));
    if (!removed.later.empty()) {
      const bool one = removed.later.size() == 1;
      fmt::print("{} due and {} for now, locked or out of this key's reach: {}\n",
                 one ? "1 run is" : fmt::format("{} runs are", removed.later.size()),
                 one ? "stays" : "stay", fmt::join(removed.later, ", "));
    }
    if (!report.leftovers.empty()) {
      fmt::print("{} of {} that other programs never finished cancelled\n", report.cancelled,
                 counted(report.leftovers.size(), "upload"));
    }
  }

  void print_json(const job::PurgeReport& report) const {
    nlohmann::json runs = nlohmann::json::array();
    for (const chain::Verdict& verdict : report.verdicts) {
      runs.push_back({{"name", verdict.run.run},
                      {"remove", verdict.remove},
                      {"held", verdict.held},
                      {"why", verdict.why}});
    }
    nlohmann::json forgotten = nlohmann::json::array();
    for (const chain::Forgotten& run : report.forgotten) {
      forgotten.push_back({{"run", run.run}, {"objects", run.objects}, {"bytes", run.bytes}});
    }
    nlohmann::json leftovers = nlohmann::json::array();
    for (const store::UnfinishedUpload& upload : report.leftovers) {
      leftovers.push_back(
          {{"name", base::printable(upload.name)}, {"since", base::iso(upload.since)}});
    }
    const nlohmann::json value = {{"dry_run", purge_.dry_run},
                                  {"runs", runs},
                                  {"removed_runs", report.removed.runs},
                                  {"removed_objects", report.removed.objects},
                                  {"removed_bytes", report.removed.bytes},
                                  {"hidden", report.removed.hidden},
                                  {"due_later", report.removed.later},
                                  {"in_the_way", report.in_the_way},
                                  {"unfinished_runs", forgotten},
                                  {"unfinished_uploads", leftovers},
                                  {"cancelled_uploads", report.cancelled}};
    fmt::print("{}\n", value.dump());
  }

  const char* name_;
  const char* summary_;
  job::PurgeOptions purge_;
  std::vector<std::string> words_;
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
