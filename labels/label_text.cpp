#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "labels/label.h"

namespace rota::labels {

namespace {

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

std::string label_text(const Label& label) {
  std::vector<std::string> lines{label.id};
  for (const Label::Line& line : label.lines) lines.push_back(base::printable(line.text));
  lines.push_back(fmt::format("[QR {}]", label.qr.front()));
  if (!label.barcode.empty()) lines.push_back(fmt::format("[Code 128 {}]", label.barcode));
  std::size_t width = 0;
  for (const std::string& line : lines) width = std::max(width, width_of(line));
  std::string border = "+" + std::string(width + 2, '-') + "+\n";
  std::string text = border;
  for (const std::string& line : lines) {
    text += "| " + line + std::string(width - width_of(line), ' ') + " |\n";
  }
  text += border;
  // For whoever has no printer.
  std::string by_hand = label.id;
  if (label.lines.size() > 0 && label.barcode.empty()) by_hand += "  " + lines[1];
  return text + "By hand: " + by_hand + "\n";
}

}  // namespace rota::labels
