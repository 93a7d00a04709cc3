#include <CLI/CLI.hpp>

#include "base/atomic_file.h"
#include "base/error.h"
#include "labels/commands.h"
#include "labels/plan_page.h"
#include "recovery/plan.h"

namespace rota::labels {

int plan_command(int argc, char** argv) {
  CLI::App app("Writes the recovery plan as a document", "rota plan");
  std::string file;
  std::string paper_name = "A4";
  std::string key_file;
  bool with_key = false;
  app.add_option("--pdf", file)->required();
  app.add_option("--paper", paper_name)->check(CLI::IsMember({"A4", "Letter"}));
  app.add_flag("--with-key", with_key);
  app.add_option("--key", key_file);
  if (!parse(app, argc, argv)) return base::kExitDone;

  const recovery::Installation installation =
      recovery::read_installation(profile::find_places(), base::real_clock().now());
  recovery::PlanOptions options;
  if (with_key) options.secret_keys = recovery::read_secret_keys(installation, key_file);
  const recovery::Plan plan = recovery::make_plan(installation, options);
  const bool letter = paper_name == "Letter";
  const double width = letter ? 215.9 : 210;
  const double height = letter ? 279.4 : 297;
  if (file.ends_with(".png")) {
    PngPaper paper(100);
    render_plan(paper, plan, width, height);
    base::write_output(file, paper.finish().front(), 0600);
    return base::kExitDone;
  }
  PdfPaper paper(plan.title);
  render_plan(paper, plan, width, height);
  // It names people, places and how to reach the store, if not the key itself.
  base::write_output(file, paper.finish(), 0600);
  return base::kExitDone;
}

}  // namespace rota::labels
