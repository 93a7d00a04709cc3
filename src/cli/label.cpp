#include "cli/command.h"
#include "cli/label_program.h"

namespace rota::cli {

namespace {

/// What its words mean is for rota-label to say, `--help` included.
class LabelCommand final : public Command {
 public:
  const char* name() const override { return "label"; }
  const char* summary() const override {
    return "Print the labels of rotation disks, or write them as PDF";
  }
  void declare(Options& options) override { options.pass_on(words_); }

  int run(Context&) override {
    std::vector<std::string> words{"label"};
    words.insert(words.end(), words_.begin(), words_.end());
    run_label_program(words);
  }

 private:
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_label() { return std::make_unique<LabelCommand>(); }

}  // namespace rota::cli
