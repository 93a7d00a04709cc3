#include "tui/options.h"

#include <fmt/core.h>

#include <charconv>
#include <string_view>

#include "base/error.h"
#include "base/text.h"

namespace rota::tui {

namespace {

using base::Error;
using base::ErrorKind;

[[noreturn]] void refuse(const std::string& problem) {
  throw Error(ErrorKind::usage, problem + "; `rota-tui --help` shows what there is");
}

int size_of(std::string_view text, int least) {
  constexpr int kMost = 1'000;
  int number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end || number < least || number > kMost) {
    refuse("--snapshot needs columns and rows, such as 120x40 (20x5 to 1000x1000)");
  }
  return number;
}

void take_size(std::string_view text, Options& options) {
  const std::size_t by = text.find('x');
  if (by == std::string_view::npos) refuse("--snapshot needs columns and rows, such as 120x40");
  options.snapshot = true;
  options.columns = size_of(text.substr(0, by), 20);
  options.rows = size_of(text.substr(by + 1), 5);
}

base::Instant time_of(const std::string& text) {
  const auto time = base::parse_iso(text);
  if (!time) refuse("--now needs a time in UTC, such as 2026-01-04T03:00:00Z");
  return *time;
}

}  // namespace

const char* const kUsage =
    "rota-tui: which disk is where, how old each copy is, and what to do next\n"
    "\n"
    "  --snapshot COLUMNSxROWS  print one frame as text and end, such as 120x40\n"
    "  --ascii                  nothing but ASCII (default: where the terminal needs it)\n"
    "  --record FILE            write what is shown, as JSON, and end unless there is --snapshot\n"
    "  --replay FILE            show what was recorded; nothing can be done with its disks\n"
    "  --now TIME               with --snapshot or --replay: as if it were then (UTC, ISO 8601)\n"
    "  --keys TEXT              with --snapshot: keys to press first; a line feed is Enter\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 usage or configuration, 130 interrupted.\n";

Options parse_options(int argc, const char* const* argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string name = argv[i];
    std::optional<std::string> given;
    if (const std::size_t equal = name.find('='); equal != std::string::npos) {
      given = name.substr(equal + 1);
      name.resize(equal);
    }
    const auto value = [&] {
      if (!given) {
        if (i + 1 >= argc) refuse(base::printable(name) + " needs a value");
        given = argv[++i];
      }
      if (given->empty()) refuse(base::printable(name) + " needs a value");
      return *given;
    };
    if (name == "--help" || name == "-h") {
      options.help = true;
    } else if (name == "--version") {
      options.version = true;
    } else if (name == "--ascii") {
      options.ascii = true;
    } else if (name == "--snapshot") {
      take_size(value(), options);
    } else if (name == "--replay") {
      options.replay = value();
    } else if (name == "--record") {
      options.record = value();
    } else if (name == "--keys") {
      options.keys = value();
    } else if (name == "--now") {
      options.now = time_of(value());
    } else {
      refuse("there is no option " + base::printable(name));
    }
  }
  if (options.now && !options.snapshot && options.replay.empty()) {
    refuse("--now is for --snapshot and --replay: a screen that lives has the time of the clock");
  }
  if (!options.keys.empty() && !options.snapshot) refuse("--keys is for --snapshot");
  return options;
}

}  // namespace rota::tui
