#pragma once

#include <string>
#include <vector>

#include "recovery/installation.h"

namespace rota::labels {

/// Permanent: stays on the disk for life. Monthly: says what the newest copies are, and is replaced
/// at each turn.
enum class Kind { permanent, monthly };

/// Full: for a shelf of one's own. Discreet: names no server, company, place or set.
enum class Style { full, discreet };

/// What one label says.
struct Label {
  std::string disk;  ///< "B"
  std::string id;    ///< "ROTA-B-7": the largest text on it
  /// Texts of the QR code, the whole one first; shorter ones are for small labels, where a code
  /// with more in it could not be read.
  std::vector<std::string> qr;
  std::string barcode;  ///< text of the Code 128; empty: none
  struct Line {
    std::string text;
    bool bold = false;
    bool must = false;  ///< never left out, however small the label is
  };
  std::vector<Line> lines;  ///< the most important first
};

/// Throws Error(not_found) for a disk that the ledger does not know, and Error(refused) for the
/// monthly label of one that holds no copy. Pure.
Label make_label(const recovery::Installation& installation, const std::string& disk, Kind kind,
                 Style style);

/// The label on a terminal: a frame, its lines, and a line to copy by hand with a marker pen.
std::string label_text(const Label& label);

}  // namespace rota::labels
