#pragma once

#include <string>
#include <vector>

#include "chain/key.h"

namespace rota::cli {

/// `text` as a QR code (error correction M) with its quiet zone: lines of half-block characters,
/// one character a module wide and two modules high, for ink on white paper. Throws Error(usage)
/// for a text that is too long.
std::vector<std::string> qr_code(const std::string& text);

/// A page of A4 (80 columns, fewer than 66 lines) with everything that somebody needs who finds it
/// in a safe in ten years: what it is, the key to be typed or scanned, and the commands of a
/// restore.
///
/// date: when it was printed, as people write it.
std::string key_page(const chain::SecretKey& key, const std::string& date);

}  // namespace rota::cli
