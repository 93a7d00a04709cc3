#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "recovery/plan.h"

namespace rota::recovery {

namespace {

constexpr std::size_t kColumns = 79;

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

/// Words in lines; `first` and `rest` stand before the first line and the others. A word that is
/// too long has a line of its own.
std::string wrapped(std::string_view text, std::string_view first, std::string_view rest) {
  std::string result(first);
  std::size_t column = width_of(first);
  bool begins = true;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (word.empty()) continue;
    if (!begins && column + 1 + width_of(word) > kColumns) {
      result += '\n';
      result += rest;
      column = width_of(rest);
      begins = true;
    }
    if (!begins) result += ' ';
    result += word;
    column += width_of(word) + (begins ? 0 : 1);
    begins = false;
  }
  return result + "\n";
}

std::string indented(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    result += "    " + text.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return result;
}

std::string blank_line(const std::string& text) {
  const std::size_t used = text.empty() ? 0 : width_of(text) + 2;
  return (text.empty() ? text : text + ": ") +
         std::string(used + 20 < kColumns ? kColumns - used : 20, '_') + "\n";
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

}  // namespace

std::string plan_text(const Plan& plan) {
  using Kind = PlanBlock::Kind;
  std::string text = plan.title + "\n\n" + wrapped(plan.made, "", "");
  std::optional<Kind> before;
  for (const PlanBlock& block : plan.blocks) {
    const bool together =
        before == block.kind && (block.kind == Kind::command || block.kind == Kind::tick);
    if (!together) text += '\n';
    switch (block.kind) {
      case Kind::heading:
        text += upper(block.text) + "\n";
        break;
      case Kind::paragraph:
        text += wrapped(block.text, "", "");
        break;
      case Kind::command:
        text += "    " + block.text + "\n";
        break;
      case Kind::tick:
        text += wrapped(block.text, "[ ] ", "    ");
        break;
      case Kind::table:
        text += indented(base::table(block.headings, block.rows));
        break;
      case Kind::blank:
        text += blank_line(block.text);
        break;
    }
    before = block.kind;
  }
  return text;
}

}  // namespace rota::recovery
