#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

/// What stands on the label of a disk for machines and for people who read it aloud.
namespace rota::ledger {

/// The check digit of a disk's name: '0' to '9'. Letters count as two digits (A is 10, Z is 35),
/// then the Luhn sum, as in the number of a security (ISO 6166): one digit that was read wrong and
/// most swapped neighbours are found. Throws Error(usage) for what can be no name. Pure.
char check_digit(std::string_view name);

/// "B" -> "ROTA-B-7". The label of the filesystem is the same without the digit.
std::string printed_id(std::string_view name);

/// What a scanner reads from a label.
struct DiskCode {
  std::string name;                       ///< of the disk: "B"
  std::string set;                        ///< of the rotation; may be empty
  std::optional<base::Instant> snapshot;  ///< of the newest copy when the label was printed
  std::string sums;  ///< the first 8 hexadecimal digits of its manifest's SHA-256; may be empty
  friend bool operator==(const DiskCode&, const DiskCode&) = default;
};

/// The text of the QR code: "ROTA:B:monthly:20261024T0300Z:1a2b3c4d"; without a snapshot
/// "ROTA:B:monthly::".
std::string code_text(const DiskCode& code);

/// Reads what a scanner typed: the text of a QR code, or the printed id, with or without its digit
/// ("ROTA-B-7", "ROTA-B"), in small letters too. Nothing when it is neither, or when the digit is
/// wrong. Pure.
std::optional<DiskCode> parse_scan(std::string_view text);

}  // namespace rota::ledger
