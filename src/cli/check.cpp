#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "cli/command.h"
#include "cli/status_json.h"
#include "job/rotation_status.h"

namespace rota::cli {

namespace {

// What monitoring programs expect, instead of rota's own exit statuses: monitoring-plugins.org,
// Development Guidelines, "Plugin Return Codes".
constexpr int kOk = 0;
constexpr int kWarning = 1;
constexpr int kCritical = 2;
constexpr int kUnknown = 3;

/// One line, in which '|' would begin the numbers.
std::string one_line(std::string text) {
  std::ranges::replace(text, '|', '/');
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::string numbers(const rotation::Status& status, base::Instant now) {
  std::string text;
  if (status.rotation.worst.age) {
    text += fmt::format("exposure={}s ", status.rotation.worst.age->count());
  }
  std::optional<std::chrono::seconds> oldest;
  for (const rotation::ProfileStatus& profile : status.profiles) {
    if (!profile.newest) continue;
    const auto age = std::max(now - profile.newest->time, std::chrono::seconds(0));
    oldest = std::max(oldest.value_or(age), age);
  }
  if (oldest) text += fmt::format("run_age={}s ", oldest->count());
  return text + fmt::format("disks={} alarms={} warnings={}", status.rotation.disks.size(),
                            rotation::count(status, rotation::Level::alarm),
                            rotation::count(status, rotation::Level::warning));
}

class Check final : public Command {
 public:
  const char* name() const override { return "check"; }
  const char* summary() const override {
    return "What `rota status` says, in one line for a monitoring program, with its exit codes";
  }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "Only this profile (default: all)", 0, 1);
    options.note("Exit status: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.");
  }

  int run(Context& context) override {
    try {
      return check(context);
    } catch (const base::Error& error) {
      fmt::print("ROTA UNKNOWN - {}\n", one_line(error.what()));
      return kUnknown;
    }
  }

 private:
  int check(Context& context) const {
    const base::Instant now = context.now();
    const std::vector<std::string> names =
        words_.empty() ? profile::list_profiles(context.places()) : words_;
    if (names.empty()) profile::only_profile(context.places());  // says how to make one
    ledger::Ledger ledger(context.places().ledger(), ledger::Ledger::Access::read);
    const rotation::Status status =
        job::read_status(context.places(), ledger, udev::real_devices(), now, names);
    const auto [word, code] = verdict(status.level);
    if (context.json) {
      fmt::print("{}\n", to_json(status).dump());
    } else {
      fmt::print("ROTA {} - {} | {}\n", word, one_line(rotation::headline(status)),
                 numbers(status, now));
    }
    return code;
  }

  static std::pair<const char*, int> verdict(rotation::Level level) {
    switch (level) {
      case rotation::Level::good:
        return {"OK", kOk};
      case rotation::Level::warning:
        return {"WARNING", kWarning};
      case rotation::Level::alarm:
        return {"CRITICAL", kCritical};
    }
    return {"UNKNOWN", kUnknown};
  }

  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_check() { return std::make_unique<Check>(); }

}  // namespace rota::cli
