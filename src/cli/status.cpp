#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/command.h"
#include "rotation/status.h"

namespace rota::cli {

namespace {

class StatusCommand final : public Command {
 public:
  const char* name() const override { return "status"; }
  const char* summary() const override {
    return "How far back you would fall, and what to do about it";
  }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "Only this profile (default: all)", 0, 1);
  }

  int run(Context& context) override {
    const base::Instant now = context.now();
    const std::vector<std::string> names =
        words_.empty() ? profile::list_profiles(context.places()) : words_;
    if (names.empty()) profile::only_profile(context.places());  // says how to make one
    ledger::Ledger ledger(job::ledger_path(context.places()));
    std::vector<rotation::ProfileRows> rows;
    for (const std::string& name : names) {
      const profile::Profile profile = profile::load_profile(context.places(), name);
      rows.push_back({name,
                      ledger.runs(name),
                      ledger.last_verifications(name),
                      {profile.max_full_age, profile.max_age, profile.max_fulls_with_incrs}});
    }
    const rotation::Status status = rotation::compute(rows, {}, now);
    context.json ? print_json(status) : print(status, now);
    return base::kExitDone;
  }

 private:
  static void print(const rotation::Status& status, base::Instant now) {
    fmt::print("{}\n", status.exposure.sentence);
    for (const rotation::ProfileStatus& profile : status.profiles) {
      fmt::print("\n{}: {}\n", profile.profile, rotation::word(profile.level));
      const auto line = [](const char* what, const std::string& text) {
        fmt::print("  {:<14}{}\n", what, text);
      };
      if (profile.newest) {
        const ledger::RunRow& run = *profile.newest;
        line("newest run", fmt::format("{}, {} ({})", base::relative(run.time, now),
                                       ledger::word(run.kind), run.name));
        line("tree", fmt::format("{} entries, {}", base::human_count(run.files),
                                 base::human_size(run.bytes)));
        line("online", fmt::format("{} runs in {} chains, {}", profile.runs, profile.chains,
                                   base::human_size(profile.stored)));
      }
      if (profile.next_full_due) {
        line("next full", base::relative(*profile.next_full_due, now));
      }
      if (profile.last_verification) {
        const ledger::VerifyRow& row = *profile.last_verification;
        line("verified", fmt::format("{}, {}: {}", base::relative(row.time, now),
                                     ledger::word(row.what), row.good ? "good" : row.problem));
      }
      for (const std::string& message : profile.messages) fmt::print("  ! {}\n", message);
    }
  }

  static void print_json(const rotation::Status& status) {
    nlohmann::json profiles = nlohmann::json::array();
    for (const rotation::ProfileStatus& profile : status.profiles) {
      nlohmann::json value = {
          {"profile", profile.profile},  {"level", rotation::word(profile.level)},
          {"runs", profile.runs},        {"chains", profile.chains},
          {"stored", profile.stored},    {"messages", profile.messages},
          {"newest", nullptr},           {"next_full_due", nullptr},
          {"last_verification", nullptr}};
      if (profile.newest) {
        const ledger::RunRow& run = *profile.newest;
        value["newest"] = {{"name", run.name},
                           {"kind", ledger::word(run.kind)},
                           {"time", base::iso(run.time)},
                           {"files", run.files},
                           {"bytes", run.bytes},
                           {"warnings", run.warnings}};
      }
      if (profile.next_full_due) value["next_full_due"] = base::iso(*profile.next_full_due);
      if (profile.last_verification) {
        const ledger::VerifyRow& row = *profile.last_verification;
        value["last_verification"] = {{"time", base::iso(row.time)},
                                      {"what", ledger::word(row.what)},
                                      {"good", row.good},
                                      {"problem", row.problem}};
      }
      profiles.push_back(std::move(value));
    }
    nlohmann::json exposure = {
        {"sentence", status.exposure.sentence}, {"falls_back_to", nullptr}, {"seconds", nullptr}};
    if (status.exposure.falls_back_to) {
      exposure["falls_back_to"] = base::iso(*status.exposure.falls_back_to);
    }
    if (status.exposure.age) exposure["seconds"] = status.exposure.age->count();
    const nlohmann::json value = {
        {"level", rotation::word(status.level)}, {"exposure", exposure}, {"profiles", profiles}};
    fmt::print("{}\n", value.dump());
  }

  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_status() { return std::make_unique<StatusCommand>(); }

}  // namespace rota::cli
