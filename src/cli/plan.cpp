#include <fmt/core.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "cli/command.h"
#include "cli/label_program.h"
#include "recovery/plan.h"

namespace rota::cli {

namespace {

using base::Error;
using base::ErrorKind;

class PlanCommand final : public Command {
 public:
  const char* name() const override { return "plan"; }
  const char* summary() const override {
    return "The recovery plan of this installation: what is where, and how to come back";
  }

  void declare(Options& options) override {
    options.text("--pdf", pdf_, "FILE", "Write it as a document to be printed (needs rota-label)");
    options.text("--paper", paper_, "SIZE", "A4 (the default) or Letter");
    options.flag(
        "--with-key", with_key_,
        "Print the secret key, too, for the safe; needs --pdf, and the file is its owner's "
        "alone");
    options.text("--key", key_, "FILE",
                 "The file of that key (default: what the profiles name as `key`)");
    options.note(
        "It names people, places and the store: keep it like a key. Without --with-key it holds\n"
        "no secret.");
  }

  int run(Context& context) override {
    if (pdf_.empty()) return print(context);
    std::vector<std::string> words{"plan", "--pdf", std::filesystem::absolute(pdf_).string()};
    if (!paper_.empty()) words.insert(words.end(), {"--paper", paper_});
    if (with_key_) words.push_back("--with-key");
    if (!key_.empty()) words.insert(words.end(), {"--key", key_});
    run_label_program(words);
  }

 private:
  int print(Context& context) const {
    if (with_key_ || !key_.empty() || !paper_.empty()) {
      throw Error(ErrorKind::usage,
                  "--with-key, --key and --paper are of the document: give --pdf FILE, too");
    }
    const recovery::Plan plan =
        recovery::make_plan(recovery::read_installation(context.places(), context.now()), {});
    if (context.json) {
      fmt::print("{}\n", nlohmann::json({{"plan", recovery::plan_text(plan)}})
                             .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    } else {
      fmt::print("{}", recovery::plan_text(plan));
    }
    return base::kExitDone;
  }

  std::string pdf_;
  std::string paper_;
  std::string key_;
  bool with_key_ = false;
};

}  // namespace

std::unique_ptr<Command> make_plan() { return std::make_unique<PlanCommand>(); }

}  // namespace rota::cli
