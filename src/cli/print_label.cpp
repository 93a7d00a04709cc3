#include "cli/print_label.h"

#include <fmt/core.h>

#include "base/error.h"
#include "cli/label_program.h"
#include "profile/rotation.h"

namespace rota::cli {

namespace {

/// "" when it was printed, else why not.
std::string print(Context& context, const std::string& disk, const std::string& printer) {
  try {
    const base::ProcessResult result = context.surroundings().processes.run(
        {{label_program(), "label", disk, "--kind", "monthly", "--print", printer}, {}});
    if (result.status == 0) return "";
    std::string reason = result.output;
    while (!reason.empty() && reason.back() == '\n') reason.pop_back();
    reason = reason.substr(reason.rfind('\n') + 1);
    return reason.starts_with("rota: ") ? reason.substr(6) : reason;
  } catch (const base::Error& error) {
    return error.what();
  }
}

}  // namespace

job::AttachOptions::LabelResult offer_label(Context& context, const std::string& disk) {
  std::string problem;
  try {
    const std::string printer = profile::load_rotation(context.places()).paper.print_after_copy;
    if (printer.empty()) {
      return {"offered",
              fmt::format("the monthly label: rota label {} --kind monthly --print", disk)};
    }
    problem = print(context, disk, printer);
    if (problem.empty()) return {"done", "printed on " + printer};
  } catch (const base::Error& error) {
    problem = error.what();
  }
  context.warnings().warn(disk, "the monthly label was not printed: " + problem);
  return {"failed", problem};
}

}  // namespace rota::cli
