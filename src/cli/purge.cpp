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
      for (const store::UnfinishedUpload& upload : report.leftovers) {
        fmt::print("cancel the upload of {}, which another program began {} and never finished\n",
                   base::printable(upload.name), base::local(upload.since));
      }
    } else if (context.chatty()) {
      print_removed(report);
    }
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
      runs.push_back({{"name", verdict.run.run}, {"remove", verdict.remove}, {"why", verdict.why}});
    }
    nlohmann::json leftovers = nlohmann::json::array();
    for (const store::UnfinishedUpload& upload : report.leftovers) {
      leftovers.push_back(
          {{"name", base::printable(upload.name)}, {"since", base::iso(upload.since)}});
    }
    const nlohmann::json value = {{"dry_run", dry_run_},
                                  {"runs", runs},
                                  {"removed_runs", report.removed.runs},
                                  {"removed_objects", report.removed.objects},
                                  {"removed_bytes", report.removed.bytes},
                                  {"hidden", report.removed.hidden},
                                  {"due_later", report.removed.later},
                                  {"unfinished_uploads", leftovers},
                                  {"cancelled_uploads", report.cancelled}};
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
