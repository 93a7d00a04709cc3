#pragma once

#include <string>
#include <vector>

namespace rota::labels {

/// The dark modules of a code, row by row, without its quiet zone. A bar code has one row.
struct Modules {
  int width = 0;
  int height = 0;
  std::vector<bool> dark;
  bool at(int x, int y) const { return dark[static_cast<std::size_t>(y * width + x)]; }
};

inline constexpr int kQrQuiet = 4;     ///< modules of white around it; ISO/IEC 18004
inline constexpr int kCodeQuiet = 10;  ///< on both sides; ISO/IEC 15417

/// Error correction: medium restores 15 % of the code, low 7 % in a smaller one. Throws
/// Error(usage) for a text that is too long.
enum class Correct { medium, low };
Modules qr_modules(const std::string& text, Correct correct);

/// Code 128. Throws Error(usage) for a text that it cannot hold.
Modules code128_modules(const std::string& text);

}  // namespace rota::labels
