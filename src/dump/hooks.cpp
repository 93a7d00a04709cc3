#include "dump/hooks.h"

#include <fmt/core.h>

#include <cstddef>
#include <string_view>

#include "base/error.h"
#include "base/text.h"

namespace rota::dump {

namespace {

using base::Error;
using base::ErrorKind;

/// Between SIGTERM and SIGKILL.
constexpr std::chrono::seconds kGrace{5};

/// How much of the output a message repeats.
constexpr std::size_t kMaxShown = 1024;

/// The last lines of `output` that fit in kMaxShown bytes, on one line and safe for a terminal.
/// Blank lines are left out; a line that a program drew over itself (\r) counts as several.
std::string last_lines(std::string_view output) {
  std::string shown;
  while (!output.empty()) {
    const std::size_t end = output.find_last_not_of(" \t\r\n");
    if (end == std::string_view::npos) break;
    output = output.substr(0, end + 1);
    const std::size_t before = output.find_last_of("\r\n");
    std::string_view line = before == std::string_view::npos ? output : output.substr(before + 1);
    output = output.substr(0, output.size() - line.size());
    line.remove_prefix(line.find_first_not_of(" \t"));

    if (shown.empty() && line.size() > kMaxShown) {
      line = line.substr(line.size() - kMaxShown);
      // Not from the middle of a character (at most three continuation bytes).
      for (int i = 0; i < 3 && (static_cast<unsigned char>(line[0]) & 0xc0) == 0x80; ++i) {
        line.remove_prefix(1);
      }
      return "..." + base::printable(line);
    }
    if (shown.size() + line.size() > kMaxShown) break;
    shown = shown.empty() ? base::printable(line) : base::printable(line) + " / " + shown;
  }
  return shown;
}

}  // namespace

void run_hook(base::ProcessRunner& processes, const std::string& path,
              const std::string& profile_name, const std::string& when,
              const std::vector<std::pair<std::string, std::string>>& extra, const HookStop& stop) {
  if (path.empty()) return;
  base::Command command;
  command.argv = {path};
  command.environment = {{"ROTA_PROFILE", profile_name}, {"ROTA_HOOK", when}};
  command.environment.insert(command.environment.end(), extra.begin(), extra.end());
  command.stop = stop.token;
  command.after_stop = stop.after;
  command.grace = kGrace;

  base::ProcessResult result;
  try {
    result = processes.run(command);
  } catch (const Error& error) {
    throw Error(ErrorKind::io, fmt::format("the {} hook of {} did not run ({}): see that it exists "
                                           "and is executable, or take it out of the profile",
                                           when, profile_name, error.what()));
  }
  if (result.status == 0) return;
  if (result.stopped && stop.after.count() == 0) {
    throw Error(ErrorKind::interrupted,
                fmt::format("stopped as asked, while the {} hook was running", when));
  }
  if (result.stopped) {
    throw Error(ErrorKind::interrupted,
                fmt::format("the {} hook {} still ran {} after the request to stop, and was ended",
                            when, base::printable(path), base::human_duration(stop.after.count())));
  }
  const std::string said = last_lines(result.output);
  throw Error(ErrorKind::io,
              fmt::format("the {} hook {} ended with status {} and {}", when, base::printable(path),
                          result.status, said.empty() ? "printed nothing" : "printed: " + said));
}

}  // namespace rota::dump
