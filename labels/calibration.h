#pragma once

#include <string>

#include "profile/places.h"

namespace rota::labels {

/// What a person measured on the calibration page of a printer, in millimetres.
struct Calibration {
  double offset_x = 50;  ///< from the paper's left edge to the upright line, which should be at 50
  double offset_y = 50;  ///< from the top edge to the level line, at 50
  double scale_x = 100;  ///< length of the level bar, of 100
  double scale_y = 100;  ///< length of the upright bar, of 100
  friend bool operator==(const Calibration&, const Calibration&) = default;
};

/// How what is drawn must be moved and scaled so that it comes out right: printed = offset + scale
/// × drawn, solved for what to draw.
struct Correction {
  double scale_x = 1;
  double scale_y = 1;
  double shift_x = 0;  ///< millimetres
  double shift_y = 0;
};
Correction correction(const Calibration& measured);

/// Throws Error(usage) for what no ruler shows (offsets beyond 30 to 70 mm, lengths beyond 90 to
/// 110 mm), and for a name that no printer can have.
void check(const Calibration& measured);
void check_printer(const std::string& printer);

/// Kept as <state>/printers/<printer>.toml. Absent: the printer prints as it should.
Calibration load_calibration(const profile::Places& places, const std::string& printer);
void save_calibration(const profile::Places& places, const std::string& printer,
                      const Calibration& measured);

}  // namespace rota::labels
