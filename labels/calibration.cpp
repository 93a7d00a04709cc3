#include "labels/calibration.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "profile/config_file.h"
#include "profile/setting_value.h"

namespace rota::labels {

namespace {

using base::Error;
using base::ErrorKind;

struct Row {
  std::string_view key;
  double Calibration::*value;
  double lowest;
  double highest;
};
constexpr std::array kRows{Row{"offset_x", &Calibration::offset_x, 30, 70},
                           Row{"offset_y", &Calibration::offset_y, 30, 70},
                           Row{"scale_x", &Calibration::scale_x, 90, 110},
                           Row{"scale_y", &Calibration::scale_y, 90, 110}};

std::string file_of(const profile::Places& places, const std::string& printer) {
  return fmt::format("{}/printers/{}.toml", places.state, printer);
}

}  // namespace

Correction correction(const Calibration& measured) {
  Correction result;
  const double scale_x = measured.scale_x / 100;
  const double scale_y = measured.scale_y / 100;
  result.scale_x = 1 / scale_x;
  result.scale_y = 1 / scale_y;
  result.shift_x = -(measured.offset_x - 50 * scale_x) / scale_x;
  result.shift_y = -(measured.offset_y - 50 * scale_y) / scale_y;
  return result;
}

void check(const Calibration& measured) {
  for (const Row& row : kRows) {
    const double value = measured.*row.value;
    if (value >= row.lowest && value <= row.highest) continue;
    throw Error(ErrorKind::usage,
                fmt::format("{} mm cannot be what was measured as {}: it must be {} to {}. Was the "
                            "page printed in its real size?",
                            value, row.key, row.lowest, row.highest));
  }
}

void check_printer(const std::string& printer) {
  const bool plain = std::ranges::all_of(printer, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
  if (plain && !printer.empty() && printer.size() <= 127 && printer[0] != '.' &&
      printer[0] != '-') {
    return;
  }
  throw Error(ErrorKind::usage,
              fmt::format("\"{}\" is no printer's name (of A-Z a-z 0-9 _ - .); `lpstat -e` lists "
                          "them",
                          base::printable(printer)));
}

Calibration load_calibration(const profile::Places& places, const std::string& printer) {
  check_printer(printer);
  const std::string file = file_of(places, printer);
  Calibration measured;
  const auto text = profile::read_config(file);
  if (!text) return measured;
  const toml::table table = profile::parse_toml(*text, file);
  for (auto&& [key, node] : table) {
    const auto row = std::ranges::find(kRows, key.str(), &Row::key);
    if (row == kRows.end()) {
      throw Error(
          ErrorKind::config,
          fmt::format("{}:{}: unknown key \"{}\"; remove the file, and calibrate the printer "
                      "again",
                      file, key.source().begin.line, base::printable(key.str())));
    }
    measured.*row->value =
        profile::SettingValue(file, row->key, node).number(row->lowest, row->highest);
  }
  return measured;
}

void save_calibration(const profile::Places& places, const std::string& printer,
                      const Calibration& measured) {
  check_printer(printer);
  check(measured);
  std::string text =
      fmt::format("# What was measured on the calibration page of {}, in mm.\n", printer);
  for (const Row& row : kRows) text += fmt::format("{} = {:.3f}\n", row.key, measured.*row.value);
  base::real_files().make_directories(places.state + "/printers", 0755);
  base::write_file(file_of(places, printer), text, 0644);
}

}  // namespace rota::labels
