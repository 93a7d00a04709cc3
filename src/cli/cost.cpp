#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/command.h"
#include "job/cost.h"

namespace rota::cli {

namespace {

constexpr std::size_t kBar = 30;

std::string size(double bytes) {
  return base::human_size(static_cast<std::uint64_t>(std::max(0.0, bytes)));
}

nlohmann::json json_of(const job::Bill& bill) {
  return {{"storage", bill.storage},
          {"downloads", bill.downloads},
          {"calls", bill.calls},
          {"total", bill.total()}};
}

class Cost final : public Command {
 public:
  const char* name() const override { return "cost"; }
  const char* summary() const override { return "Estimate what the store will cost in a year"; }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "The profile", 0, 1);
    options.note("Prices and the number of drills and disk copies stand in the profile, [cost].");
  }

  int run(Context& context) override {
    const std::string name = context.take_profile(words_, 0, 0);
    const profile::Profile profile = profile::load_profile(context.places(), name);
    const std::vector<ledger::RunRow> runs = ledger::Ledger(context.places().ledger()).runs(name);
    const auto estimate = job::estimate(runs, profile, context.now());
    if (!estimate) {
      throw base::Error(base::ErrorKind::not_found,
                        fmt::format("there is no full of {} to measure yet; make it with `rota "
                                    "backup {}`, and ask again when some increments were made",
                                    name, name));
    }
    context.json ? print_json(name, profile.cost, *estimate) : print(profile, *estimate);
    return base::kExitDone;
  }

 private:
  static void print(const profile::Profile& profile, const job::Estimate& estimate) {
    for (const auto& [what, text] : job::explain(estimate, profile)) {
      fmt::print("{:<11}{}\n", what, text);
    }
    fmt::print("\n");
    double most = 1;
    for (const job::Month& month : estimate.months) most = std::max(most, month.stored);
    std::vector<std::vector<std::string>> rows;
    for (const job::Month& month : estimate.months) {
      const auto length = static_cast<std::size_t>(month.stored / most * kBar + 0.5);
      rows.push_back({base::iso(month.start).substr(0, 10), size(month.stored),
                      std::string(length, '#'), money(month.bill.storage),
                      money(month.bill.downloads), money(month.bill.calls)});
    }
    fmt::print(
        "{}\n",
        base::table({"month from", ">stored", "", ">storage", ">downloads", ">calls"}, rows));
    const auto row = [](const char* what, const job::Bill& bill) -> std::vector<std::string> {
      return {what, money(bill.storage), money(bill.downloads), money(bill.calls),
              money(bill.total())};
    };
    fmt::print("{}",
               base::table({fmt::format("a year, in {}", profile.cost.currency), ">storage",
                            ">downloads", ">calls", ">total"},
                           {row("without disks", estimate.year),
                            row("with disks, copied on the server", estimate.year),
                            row("with disks, copied from the chain", estimate.year_over_network)}));
  }

  static std::string money(double amount) { return fmt::format("{:.2f}", amount); }

  static void print_json(const std::string& name, const profile::Profile::Cost& prices,
                         const job::Estimate& estimate) {
    nlohmann::json months = nlohmann::json::array();
    for (const job::Month& month : estimate.months) {
      months.push_back({{"start", base::iso(month.start)},
                        {"days", month.days},
                        {"stored", month.stored},
                        {"full", month.full},
                        {"drills", month.drills},
                        {"disk_copies", month.disk_copies},
                        {"calls_b", month.calls_b},
                        {"calls_c", month.calls_c},
                        {"without_network_copies", json_of(month.bill)},
                        {"with_network_copies", json_of(month.bill_over_network)}});
    }
    const job::Measured& measured = estimate.measured;
    const nlohmann::json value = {
        {"profile", name},
        {"currency", prices.currency},
        {"as_of", prices.as_of},
        {"measured",
         {{"full", measured.full},
          {"tree", measured.tree},
          {"packed", measured.packed},
          {"increment", measured.increment},
          {"runs_a_day", measured.runs_a_day},
          {"growth_a_day", measured.growth_a_day},
          {"fulls", measured.fulls},
          {"increments", measured.increments},
          {"assumed", measured.assumed}}},
        {"months", months},
        {"year",
         {{"without_disks", json_of(estimate.year)},
          {"with_disks_copied_on_the_server", json_of(estimate.year)},
          {"with_disks_copied_from_the_chain", json_of(estimate.year_over_network)}}}};
    fmt::print("{}\n", value.dump());
  }

  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_cost() { return std::make_unique<Cost>(); }

}  // namespace rota::cli
