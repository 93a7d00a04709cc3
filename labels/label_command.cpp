#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"
#include "labels/commands.h"
#include "labels/label.h"
#include "labels/print.h"
#include "labels/render.h"

namespace rota::labels {

namespace {

using base::Error;
using base::ErrorKind;

constexpr int kPreviewDots = 203;  // to the inch: what a printer of labels makes of it

struct Words {
  std::vector<std::string> disks;
  std::string stock;
  int start = 1;
  std::string style = "full";
  std::string kind = "permanent";
  bool outline = false;
  std::string out;
  std::string printer;  ///< of --print
  std::string preview;
  std::string for_printer;
  std::string calibrate;
  Calibration measured;
  bool print = false;
  bool show = false;
  bool calibration = false;
  bool measured_any = false;
  bool list_stock = false;
};

void declare(CLI::App& app, Words& words) {
  app.add_option("DISK", words.disks, "Disks: B, ROTA-B; one label (or two) for each");
  app.add_option("--stock", words.stock,
                 "What is printed on: L7163, 99014 (default: label_stock "
                 "of rotation.toml, else L7163)")
      ->type_name("NAME");
  app.add_flag("--list-stock", words.list_stock, "List the stock that there is");
  app.add_option("--start", words.start, "Begin at this label of the first sheet")->type_name("N");
  app.add_option("--style", words.style,
                 "full, or discreet: no server, company, place or set is named")
      ->type_name("STYLE")
      ->check(CLI::IsMember({"full", "discreet"}));
  app.add_option("--kind", words.kind,
                 "permanent: which disk it is; monthly: what its newest copies are; both")
      ->type_name("KIND")
      ->check(CLI::IsMember({"permanent", "monthly", "both"}));
  app.add_flag("--outline", words.outline,
               "Draw the edges of the labels, for a try on plain paper");
  app.add_option("-o", words.out, "Write a PDF or, when the name ends in .png, pictures")
      ->type_name("FILE");
  app.add_option("--print", words.printer, "Print, on this printer or on the default one")
      ->type_name("[PRINTER]")
      ->expected(0, 1);
  app.add_option("--preview", words.preview,
                 "Show the labels on the terminal or, with a FILE, as a picture")
      ->type_name("[FILE]")
      ->expected(0, 1);
  app.add_option("--for-printer", words.for_printer, "Correct the PDF as this printer needs it")
      ->type_name("PRINTER");
  app.add_option("--calibrate", words.calibrate,
                 "Make the page to measure; with PRINTER and what was measured, keep that")
      ->type_name("[PRINTER]")
      ->expected(0, 1);
  app.add_option("--offset-x", words.measured.offset_x, "Measured from the left edge to line A, mm")
      ->type_name("MM");
  app.add_option("--offset-y", words.measured.offset_y, "Measured from the top edge to line B, mm")
      ->type_name("MM");
  app.add_option("--scale", words.measured.scale_x, "Measured length of bar C, mm")
      ->type_name("MM");
  app.add_option("--scale-y", words.measured.scale_y,
                 "Measured length of bar D, mm (default: as bar C)")
      ->type_name("MM");
  app.footer("An option's PRINTER or FILE may be left out where it stands last, behind the disks.");
}

void write_file(const std::string& path, const std::string& bytes) {
  base::write_output(path, bytes, 0644);
}

bool is_png(const std::string& path) { return path.ends_with(".png"); }

/// "a.png", "a-2.png", …
void write_pictures(const std::string& path, const std::vector<std::string>& pictures) {
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    write_file(i == 0 ? path : fmt::format("{}-{}.png", path.substr(0, path.size() - 4), i + 1),
               pictures[i]);
  }
}

class LabelCommand {
 public:
  explicit LabelCommand(Words words) : words_(std::move(words)), places_(profile::find_places()) {}

  int run() {
    if (words_.calibration) return calibrate();
    if (words_.measured_any) {
      throw Error(ErrorKind::usage,
                  "--offset-x, --offset-y and --scale go with --calibrate PRINTER");
    }
    const std::vector<Stock> all = load_stock(places_);
    if (words_.list_stock) return list(all);
    if (words_.disks.empty()) {
      throw Error(
          ErrorKind::usage,
          "which disk? For example `rota label B -o labels.pdf`; a disk's name stands before "
          "--print and --preview");
    }
    if (static_cast<int>(!words_.out.empty()) + words_.print + words_.show != 1) {
      throw Error(ErrorKind::usage,
                  "say what to do with the labels: -o FILE, --print or --preview");
    }
    installation_ = recovery::read_installation(places_, base::real_clock().now());
    stock_ = find_stock(
        all, words_.stock.empty() ? installation_.rotation.paper.label_stock : words_.stock);
    return give(make());
  }

 private:
  static int list(const std::vector<Stock>& all) {
    std::vector<std::vector<std::string>> rows;
    for (const Stock& stock : all) {
      rows.push_back({stock.name, stock.title, fmt::format("{} × {}", stock.width, stock.height),
                      stock.roll ? "roll" : fmt::format("{} × {}", stock.columns, stock.rows),
                      stock.use});
    }
    fmt::print("{}", base::table({"stock", "made by", "mm", "sheet", "for"}, rows));
    return base::kExitDone;
  }

  int calibrate() {
    if (!words_.calibrate.empty() && words_.measured_any) {
      save_calibration(places_, words_.calibrate, words_.measured);
      if (::isatty(STDOUT_FILENO) != 0) {
        fmt::print("Labels for {} are corrected from now on.\n", words_.calibrate);
      }
      return base::kExitDone;
    }
    if (words_.measured_any) {
      throw Error(ErrorKind::usage, "for which printer? `rota label --calibrate PRINTER …`");
    }
    PdfPaper paper("rota: calibration");
    constexpr double kWidth = 210;
    constexpr double kHeight = 297;
    render_calibration(paper, kWidth, kHeight);
    const std::string pdf = paper.finish();
    if (!words_.out.empty()) {
      write_file(words_.out, pdf);
    } else if (!words_.calibrate.empty()) {
      check_printer(words_.calibrate);
      print(pdf, words_.calibrate, kWidth, kHeight, places_, base::real_processes());
    } else {
      throw Error(ErrorKind::usage,
                  "`rota label --calibrate PRINTER` prints the page to measure, `rota label "
                  "--calibrate -o FILE.pdf` writes it");
    }
    return base::kExitDone;
  }

  LabelJob make() const {
    LabelJob job;
    const Style style = words_.style == "discreet" ? Style::discreet : Style::full;
    for (const std::string& disk : words_.disks) {
      for (const Kind kind : {Kind::permanent, Kind::monthly}) {
        const bool wanted =
            words_.kind == "both" || (words_.kind == "monthly") == (kind == Kind::monthly);
        if (wanted) job.labels.push_back(make_label(installation_, disk, kind, style));
      }
    }
    job.start = words_.start;
    job.outline = words_.outline;
    return job;
  }

  int give(LabelJob job) {
    const std::string picture = words_.show ? words_.preview : words_.out;
    if (words_.show && picture.empty()) {
      for (const Label& label : job.labels) fmt::print("{}\n", label_text(label));
      return base::kExitDone;
    }
    if (words_.show && !is_png(picture)) {
      throw Error(ErrorKind::usage,
                  fmt::format("--preview makes a picture: the name {} should end in .png",
                              base::printable(picture)));
    }
    if (is_png(picture)) {
      PngPaper paper(kPreviewDots);
      const auto left_out = render_labels(paper, stock_, job);
      write_pictures(picture, paper.finish());
      return told(left_out);
    }
    const std::string printer = !words_.print            ? words_.for_printer
                                : words_.printer.empty() ? default_printer(base::real_processes())
                                                         : words_.printer;
    if (!printer.empty()) job.correction = correction(load_calibration(places_, printer));
    PdfPaper paper("rota: labels");
    const auto left_out = render_labels(paper, stock_, job);
    const std::string pdf = paper.finish();
    if (words_.print) {
      print(pdf, printer, stock_.page_width, stock_.page_height, places_, base::real_processes());
    } else {
      write_file(words_.out, pdf);
    }
    return told(left_out);
  }

  int told(const std::vector<std::string>& left_out) const {
    for (const std::string& text : left_out) {
      std::fputs(
          fmt::format("rota: note: on {} there is no room for: {}\n", stock_.title, text).c_str(),
          stderr);
    }
    return base::kExitDone;
  }

  Words words_;
  profile::Places places_;
  recovery::Installation installation_;
  Stock stock_;
};

}  // namespace

int label_command(int argc, char** argv) {
  CLI::App app("Prints the labels of rotation disks", "rota label");
  Words words;
  declare(app, words);
  if (!parse(app, argc, argv)) return base::kExitDone;
  words.print = app.count("--print") != 0;
  words.show = app.count("--preview") != 0;
  words.calibration = app.count("--calibrate") != 0;
  words.measured_any = app.count("--offset-x") + app.count("--offset-y") + app.count("--scale") +
                           app.count("--scale-y") !=
                       0;
  if (app.count("--scale-y") == 0) words.measured.scale_y = words.measured.scale_x;
  return LabelCommand(std::move(words)).run();
}

}  // namespace rota::labels
