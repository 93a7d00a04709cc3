#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "cli/target.h"
#include "tree/compare.h"

namespace rota::cli {

namespace {

const char* word(tree::Change change) {
  switch (change) {
    case tree::Change::added:
      return "added";
    case tree::Change::removed:
      return "removed";
    case tree::Change::content:
      return "content";
    case tree::Change::metadata:
      return "metadata";
  }
  return "";
}

char sign(tree::Change change) {
  switch (change) {
    case tree::Change::added:
      return '+';
    case tree::Change::removed:
      return '-';
    case tree::Change::content:
      return 'M';
    case tree::Change::metadata:
      return 'm';
  }
  return ' ';
}

class Diff final : public Command {
 public:
  const char* name() const override { return "diff"; }
  const char* summary() const override { return "Show what changed between two runs"; }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE] A B",
                  "A, B: two times or runs, the earlier first. + added, - removed, M content, "
                  "m metadata only",
                  2, 3);
    declare_target(options, url_);
  }

  int run(Context& context) override {
    Target target(context, url_, words_, 2, 2);
    const auto first = target.open(words_[0], {}, context.now());
    const auto second = target.open(words_[1], {}, context.now());
    tree::compare(*first, *second, [&](const tree::Difference& difference) {
      base::check_stop(context.stop());
      const std::string path =
          difference.entry.path.empty() ? "." : base::printable(difference.entry.path);
      if (context.json) {
        const nlohmann::json line = {
            {"change", word(difference.change)}, {"path", path}, {"what", difference.what}};
        fmt::print("{}\n", line.dump());
      } else {
        const bool detail = difference.change == tree::Change::metadata;
        fmt::print("{} {}{}\n", sign(difference.change), path,
                   detail ? " (" + difference.what + ")" : std::string());
      }
    });
    return context.status();
  }

 private:
  std::vector<std::string> words_;
  std::string url_;
};

}  // namespace

std::unique_ptr<Command> make_diff() { return std::make_unique<Diff>(); }

}  // namespace rota::cli
