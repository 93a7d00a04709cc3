#include <fmt/core.h>

#include <nlohmann/json.hpp>

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
    return "Check that all runs are complete; --data reads and hashes everything";
  }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "The profile", 0, 1);
    options.flag("--data", data_, "Read everything and compare it with its hashes");
    declare_target(options, url_);
  }

  int run(Context& context) override {
    const chain::VerifyResult result = check(context);
    if (context.json) {
      const nlohmann::json value = {
          {"good", result.good()},      {"data", data_},
          {"runs", result.runs},        {"objects", result.objects},
          {"bytes", result.bytes},      {"unreferenced", result.unreferenced},
          {"problems", result.problems}};
      fmt::print("{}\n", value.dump());
    } else {
      for (const std::string& problem : result.problems) {
        std::fputs(fmt::format("{}\n", problem).c_str(), stderr);
      }
      if (context.chatty() && result.good()) {
        fmt::print("{} runs, {} objects{}: all there and right\n", result.runs,
                   base::human_count(result.objects),
                   data_ ? ", " + base::human_size(result.bytes) + " read" : std::string());
      }
    }
    if (!result.good()) {
      throw base::Error(base::ErrorKind::corrupt,
                        fmt::format("the store has {} problems; what is not named is unharmed; "
                                    "`rota backup --full` begins a new, whole chain",
                                    result.problems.size()));
    }
    return context.status();
  }

 private:
  chain::VerifyResult check(Context& context) {
    const base::TerminalProgress terminal(context.progress());
    if (url_.empty()) {
      job::Server server(context.places(), context.take_profile(words_, 0, 0));
      return job::verify(server, data_, context.surroundings());
    }
    Target target(context, url_, words_, 0, 0);
    if (target.catalog().empty()) {
      throw base::Error(base::ErrorKind::not_found,
                        fmt::format("there is no run in {}", target.store().description()));
    }
    return chain::verify(target.store(), nullptr, data_, context.progress(), context.stop());
  }

  std::vector<std::string> words_;
  std::string url_;
  bool data_ = false;
};

}  // namespace

std::unique_ptr<Command> make_verify() { return std::make_unique<Verify>(); }

}  // namespace rota::cli
