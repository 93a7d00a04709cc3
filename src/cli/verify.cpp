#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "cli/target.h"
#include "job/verify_job.h"

namespace rota::cli {

namespace {

class Verify final : public Command {
 public:
  const char* name() const override { return "verify"; }
  const char* summary() const override {
    return "Check that all runs are complete; --data reads and hashes everything, --sample a part";
  }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "The profile", 0, 1);
    options.flag("--data", data_, "Read everything and compare it with its hashes");
    options.text("--sample", sample_, "PERCENT",
                 "Read so much of everything and compare it with its hashes, another part each "
                 "time: 5% covers all in 20 times");
    declare_target(options, target_);
  }

  int run(Context& context) override {
    if (!sample_.empty() && (data_ || !share(sample_))) {
      throw base::Error(base::ErrorKind::usage,
                        data_ ? "--data reads everything; leave --sample out"
                              : "--sample needs a part of everything, such as 5%");
    }
    const chain::VerifyResult result = check(context);
    if (context.json) {
      const nlohmann::json value = {{"good", result.good()},
                                    {"data", data_},
                                    {"sample", sample_},
                                    {"runs", result.runs},
                                    {"objects", result.objects},
                                    {"bytes", result.bytes},
                                    {"unreferenced", result.unreferenced},
                                    {"problems", result.problems}};
      fmt::print("{}\n", value.dump());
    } else {
      for (const std::string& problem : result.problems) {
        std::fputs(fmt::format("{}\n", problem).c_str(), stderr);
      }
      if (context.chatty() && result.good()) {
        fmt::print("{} runs, {} objects{}: all there and right\n", result.runs,
                   base::human_count(result.objects),
                   data_ || !sample_.empty() ? ", " + base::human_size(result.bytes) + " read"
                                             : std::string());
      }
    }
    if (!result.good()) {
      throw base::Error(base::ErrorKind::corrupt, what_to_do(result));
    }
    return context.status();
  }

 private:
  /// What ends the trouble, and the alarm.
  std::string what_to_do(const chain::VerifyResult& result) const {
    if (result.not_ours && result.newest.empty()) {
      return "the store shows no run that can be restored, and this machine made some there; see "
             "that it is mounted, and the target right; if it was emptied, --store-time TIME reads "
             "one that keeps old versions, and `rota adopt` begins anew";
    }
    std::string text = fmt::format("the store has {} problem{}; ", result.problems.size(),
                                   result.problems.size() == 1 ? "" : "s");
    if (result.not_ours) {
      return text +
             "more may be gone than is named, because its newest run is not as this machine made "
             "it; see that the right store is mounted; `rota adopt` goes on with what is there";
    }
    text += "what is not named is unharmed; ";
    std::set<std::string> damaged;
    for (const auto& harm : result.harms) damaged.insert(harm.chain);
    if (damaged.contains(result.newest_chain) || result.newest_chain.empty()) {
      text += "`rota backup --full` begins a new, whole chain; ";
    }
    return text + fmt::format(
                      "when nobody needs the rest of {}, `rota purge --chain {}` and then `rota "
                      "verify{}` end the alarm",
                      damaged.size() == 1 ? "the damaged one" : "a damaged one", *damaged.begin(),
                      data_ || !sample_.empty() ? " --data" : "");
  }

  chain::VerifyResult check(Context& context) {
    const base::TerminalProgress terminal(context.progress());
    if (target_.url.empty() && target_.store_time.empty()) {
      job::Server server(context.places(), context.take_profile(words_, 0, 0), context.stop(),
                         &context.warnings());
      return job::verify(server, {data_, share(sample_)}, context.surroundings());
    }
    if (!sample_.empty()) {
      throw base::Error(base::ErrorKind::usage,
                        "--sample needs a profile, which remembers what was read; with --target "
                        "or --store-time take --data");
    }
    Target target(context, target_, words_, 0, 0);
    target.trust_all_records();
    if (target.catalog().empty()) {
      throw base::Error(base::ErrorKind::not_found,
                        fmt::format("there is no run in {}", target.store().description()));
    }
    return chain::verify(target.store(), nullptr, data_, context.progress(), context.stop(),
                         std::nullopt, &target.keys());
  }

  /// "5%" as 0.05; nothing when it is not above 0 and at most 100.
  static std::optional<double> share(std::string text) {
    if (text.ends_with('%')) text.pop_back();
    if (text.empty() || text.find_first_not_of("0123456789.") != std::string::npos) return {};
    std::size_t end = 0;
    double percent = 0;
    try {
      percent = std::stod(text, &end);
    } catch (const std::exception&) {
      return {};
    }
    if (end != text.size() || !(percent > 0 && percent <= 100)) return {};
    return percent / 100;
  }

  std::vector<std::string> words_;
  TargetOptions target_;
  std::string sample_;
  bool data_ = false;
};

}  // namespace

std::unique_ptr<Command> make_verify() { return std::make_unique<Verify>(); }

}  // namespace rota::cli
