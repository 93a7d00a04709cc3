#include "cli/print_label.h"

#include <fmt/core.h>

#include "base/error.h"
#include "cli/disk_log.h"
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

void offer_label(Context& context, const std::string& disk) {
  job::DiskEvent event{context.now(), disk, "", "label", "offered", ""};
  event.detail = fmt::format("rota label {} --kind monthly --print", disk);
  try {
    const std::string printer =
        profile::load_rotation(context.places()).paper.print_after_copy;
    if (!printer.empty()) {
      const std::string problem = print(context, disk, printer);
      event.state = problem.empty() ? "done" : "failed";
      event.detail = problem.empty() ? "printed on " + printer : problem;
    }
  } catch (const base::Error& error) {
    event.state = "failed";
    event.detail = error.what();
  }
  if (event.state == "failed") {
    context.warnings().warn(disk, "the monthly label was not printed: " + event.detail);
  }
  if (const job::OnDiskEvent show = show_disk_events(context)) show(event);
}

}  // namespace rota::cli
