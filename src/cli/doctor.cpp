#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "cli/command.h"
#include "job/doctor.h"
#include "job/examine.h"

namespace rota::cli {

namespace {

/// Beside the word, so that a row is found at a glance.
const char* sign(job::Level level) {
  switch (level) {
    case job::Level::good:
      return "+";
    case job::Level::advice:
      return "i";
    case job::Level::warning:
      return "!";
    case job::Level::danger:
      return "X";
  }
  return "";
}

constexpr std::size_t kWidth = 100;
constexpr std::size_t kIndent = 25;

/// `text` in lines, all but the first indented.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string lines;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (column > indent && column + 1 + end > kWidth) {
      lines += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      lines += ' ';
      ++column;
    }
    lines += text.substr(0, end);
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

class Doctor final : public Command {
 public:
  const char* name() const override { return "doctor"; }
  const char* summary() const override {
    return "What an intruder on this server could destroy, and whether the backup is looked after";
  }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "The profile", 0, 1);
    options.note(
        "Reads the key's rights, the bucket's rules and locks, the clock, the room left, cron and\n"
        "timers, mail and the ledger; changes nothing. At an SFTP server, which cannot be asked, "
        "it\n"
        "tries the account's rights on an empty file of its own. Exit status 3 when there is a\n"
        "warning or a danger.");
  }

  int run(Context& context) override {
    const std::string name = context.take_profile(words_, 0, 0);
    const job::Seen seen = examine(context, name);
    const job::Diagnosis diagnosis = job::judge(seen);
    context.json ? print_json(name, seen, diagnosis) : print(diagnosis);
    return diagnosis.worst() >= job::Level::warning ? base::kExitWarnings : base::kExitDone;
  }

 private:
  static job::Seen examine(Context& context, const std::string& name) {
    context.progress().set_activity("asking the store");  // which may take minutes to say no
    const base::TerminalProgress terminal(context.progress());
    return job::examine(context.places(), name, base::real_clock(), context.stop());
  }

  static void print(const job::Diagnosis& diagnosis) {
    fmt::print("{}\n\n", wrapped(diagnosis.sentence, 0));
    for (const job::Finding& finding : diagnosis.findings) {
      fmt::print("{} {:<8} {:<13} {}\n", sign(finding.level), job::word(finding.level),
                 finding.thing, wrapped(finding.what, kIndent));
      if (!finding.to_do.empty()) {
        fmt::print("{:{}}{}\n", "", kIndent, wrapped("-> " + finding.to_do, kIndent));
      }
    }
  }

  static void print_json(const std::string& name, const job::Seen& seen,
                         const job::Diagnosis& diagnosis) {
    nlohmann::json findings = nlohmann::json::array();
    for (const job::Finding& finding : diagnosis.findings) {
      findings.push_back({{"level", job::word(finding.level)},
                          {"thing", finding.thing},
                          {"what", finding.what},
                          {"to_do", finding.to_do}});
    }
    const nlohmann::json value = {{"profile", name},
                                  {"store", seen.store},
                                  {"worst", job::word(diagnosis.worst())},
                                  {"sentence", diagnosis.sentence},
                                  {"findings", findings}};
    fmt::print("{}\n", value.dump());
  }

  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_doctor() { return std::make_unique<Doctor>(); }

}  // namespace rota::cli
