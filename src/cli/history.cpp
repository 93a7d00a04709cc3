#include <fmt/core.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/command.h"
#include "ledger/disks.h"
#include "ledger/history.h"

namespace rota::cli {

namespace {

class HistoryCommand final : public Command {
 public:
  const char* name() const override { return "history"; }
  const char* summary() const override {
    return "What happened to the rotation disks, and the drills";
  }

  void declare(Options& options) override {
    options.text("--disk", disk_, "NAME", "Only this disk");
    options.text("--limit", limit_, "N", "The last N entries (default: 30; 0: all)");
  }

  int run(Context& context) override {
    ledger::Ledger ledger(context.places().ledger(), ledger::Ledger::Access::read);
    if (!disk_.empty()) ledger::Disks(ledger).get(disk_);
    const auto rows = ledger::History(ledger).last(disk_, limit());
    if (context.json) {
      nlohmann::json list = nlohmann::json::array();
      for (const ledger::HistoryRow& row : rows) {
        nlohmann::json value = {
            {"number", row.number},          {"time", time_of(row)},     {"kind", row.kind},
            {"text", ledger::sentence(row)}, {"data", parsed(row.data)}, {"hash", row.hash},
            {"people", parsed(row.people)}};
        list.push_back(std::move(value));
      }
      fmt::print("{}\n", nlohmann::json({{"rows", list}}).dump());
      return base::kExitDone;
    }
    for (const ledger::HistoryRow& row : rows) {
      fmt::print("{:16}  {}\n", row.withheld() ? "" : base::local(row.time), ledger::sentence(row));
    }
    return base::kExitDone;
  }

 private:
  std::size_t limit() const {
    if (limit_.empty()) return 30;
    std::size_t number = 0;
    const char* end = limit_.data() + limit_.size();
    const auto [rest, error] = std::from_chars(limit_.data(), end, number);
    if (error != std::errc() || rest != end || number > 1'000'000'000) {
      throw base::Error(base::ErrorKind::usage,
                        fmt::format("--limit is \"{}\"; it must be a number, such as 30",
                                    base::printable(limit_)));
    }
    return number;
  }

  static nlohmann::json time_of(const ledger::HistoryRow& row) {
    return row.withheld() ? nlohmann::json(nullptr) : nlohmann::json(base::iso(row.time));
  }

  static nlohmann::json parsed(const std::string& text) {
    nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
    return value.is_discarded() ? nlohmann::json(nullptr) : value;
  }

  std::string disk_;
  std::string limit_;
};

}  // namespace

std::unique_ptr<Command> make_history() { return std::make_unique<HistoryCommand>(); }

}  // namespace rota::cli
