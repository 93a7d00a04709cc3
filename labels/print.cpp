#include "labels/print.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cmath>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"

namespace rota::labels {

namespace {

using base::Error;
using base::ErrorKind;

base::ProcessResult run(base::ProcessRunner& processes, std::vector<std::string> argv) {
  try {
    return processes.run({std::move(argv), {{"LC_ALL", "C"}}});
  } catch (const Error&) {
    throw Error(ErrorKind::unavailable,
                "nothing can be printed: there is no program lp; install cups-client, or write a "
                "PDF with -o FILE");
  }
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return base::printable(text.substr(text.rfind('\n') + 1));
}

std::string media(double width, double height) {
  const auto is = [&](double w, double h) {
    return std::abs(width - w) < 0.5 && std::abs(height - h) < 0.5;
  };
  if (is(210, 297)) return "media=A4";
  if (is(215.9, 279.4)) return "media=Letter";
  return fmt::format("media=Custom.{}x{}mm", width, height);
}

/// Removed when it was printed: lp has taken a copy.
struct Removed {
  std::string path;
  ~Removed() { ::unlink(path.c_str()); }
};

}  // namespace

std::string default_printer(base::ProcessRunner& processes) {
  const base::ProcessResult result = run(processes, {"lpstat", "-d"});
  const std::size_t colon = result.output.find(": ");
  if (result.status != 0 || colon == std::string::npos) {
    throw Error(ErrorKind::config,
                "CUPS has no default printer; name one, --print PRINTER (`lpstat -e` lists them)");
  }
  return last_line(result.output.substr(colon + 2));
}

void print(const std::string& pdf, const std::string& printer, double width, double height,
           const profile::Places& places, base::ProcessRunner& processes) {
  base::real_files().make_directories(places.run, 0755);
  const Removed file{fmt::format("{}/print-{}.pdf", places.run, ::getpid())};
  base::write_file(file.path, pdf, 0600);
  const base::ProcessResult result =
      run(processes, {"lp", "-s", "-d", printer, "-o", media(width, height), "-o",
                      "print-scaling=none", "-t", "rota", "--", file.path});
  if (result.status != 0) {
    throw Error(ErrorKind::unavailable,
                fmt::format("the printer {} took nothing: {}; `lpstat -p` shows what it does",
                            printer, last_line(result.output)));
  }
}

}  // namespace rota::labels
