#include "cli/pages/roff.h"

#include <fmt/core.h>

#include <algorithm>
#include <sstream>

#include "base/version.h"

namespace rota::cli::pages {

namespace {

constexpr std::size_t kTerminal = 79;            // what is sure to fit a terminal of 80 columns
constexpr std::size_t kColumns = kTerminal - 8;  // and what man's indentation leaves of it
constexpr std::size_t kIndent = 4;
constexpr std::size_t kListIndent = 3;
constexpr std::size_t kBetween = 3;  // tbl's own gap between two columns
// Beyond this a line without columns in it is a sentence, which may be folded.
constexpr std::size_t kSentence = 110;

/// Characters, not bytes.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned>(c) & 0xC0U) != 0x80U; }));
}

/// A line that begins like a request is text all the same.
Roff as_text(const Roff& line) {
  return line.starts_with('.') || line.starts_with('\'') ? "\\&" + line : line;
}

/// A sentence in lines of a terminal of 80 columns.
std::string folded(const std::string& line) {
  std::istringstream words(line);
  std::string all;
  std::size_t column = 0;
  for (std::string word; words >> word;) {
    const std::size_t wide = width(word);
    if (column > 0) {
      const bool fits = column + 1 + wide <= kTerminal;
      all += fits ? ' ' : '\n';
      column = fits ? column + 1 : 0;
    }
    all += word;
    column += wide;
  }
  return all;
}

/// A column of a table: how wide it would like to be, and must be at least.
struct Column {
  std::size_t widest = 0;
  std::size_t word = 0;
  std::size_t share = 0;
};

/// Divides a line: columns that want less than an equal share have what they want, those with a
/// long word have room for it, and the others share what is left.
void divide(std::vector<Column>& columns) {
  std::size_t left = kColumns - kBetween * (columns.size() - 1);
  std::size_t open = columns.size();
  bool changed = true;
  while (changed && open > 0) {
    changed = false;
    const std::size_t equal = left / open;
    for (Column& column : columns) {
      const std::size_t fixed =
          std::max<std::size_t>(1, column.widest <= equal ? column.widest : column.word);
      if (column.share > 0 || (column.widest > equal && column.word <= equal)) continue;
      column.share = fixed;
      left -= std::min(left, fixed);
      --open;
      changed = true;
      break;
    }
  }
  for (Column& column : columns) {
    if (column.share == 0) column.share = left / open;
  }
}

/// What is shown of a line: its length, and that of its longest word.
Column shown(const Roff& text) {
  Column column;
  std::size_t word = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {  // a change of the font, or one character
      const char next = text[i + 1];
      i += next == 'f' ? 2 : next == '(' ? 3 : 1;
      if (next == 'f') continue;
    } else if ((static_cast<unsigned>(text[i]) & 0xC0U) == 0x80U) {
      continue;
    }
    ++column.widest;
    word = text[i] == ' ' ? 0 : word + 1;
    column.word = std::max(column.word, word);
  }
  return column;
}

}  // namespace

Roff plain(std::string_view text) {
  Roff roff;
  for (const char c : text) {
    switch (c) {
      case '\\':
        roff += "\\e";
        break;
      case '-':
        roff += "\\-";
        break;
      case '\'':
        roff += "\\(aq";
        break;
      case '"':
        roff += "\\(dq";
        break;
      case '`':
        roff += "\\(ga";
        break;
      case '^':
        roff += "\\(ha";
        break;
      case '~':
        roff += "\\(ti";
        break;
      case '\t':
      case '\n':
        roff += ' ';
        break;
      default:
        roff += c;
    }
  }
  return roff;
}

Roff bold(std::string_view text) { return "\\fB" + plain(text) + "\\fR"; }

Roff italic(std::string_view text) { return "\\fI" + plain(text) + "\\fR"; }

Roff marked(std::string_view text) {
  Roff roff;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find('`'), text.size());
    const std::size_t end = text.find('`', std::min(begin + 1, text.size()));
    if (end == std::string_view::npos) return roff + plain(text);
    roff += plain(text.substr(0, begin)) + bold(text.substr(begin + 1, end - begin - 1));
    text.remove_prefix(end + 1);
  }
  return roff;
}

Roff reference(std::string_view page, int section) {
  return fmt::format("{}({})", bold(page), section);
}

ManPage::ManPage(std::string_view name, int section, const Roff& summary) {
  std::string title(name);
  std::ranges::transform(title, title.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  add(fmt::format(".TH {} {} \"\" \"rota {}\" \"rota\"", plain(title), section, base::kVersion));
  // Much of the text is code: no hyphens and no wide gaps.
  add(".nh\n.ad l");
  heading("NAME");
  add(plain(name) + " \\- " + summary);
}

void ManPage::add(const Roff& line) { text_ += line + '\n'; }

void ManPage::heading(const Roff& text) {
  add(".SH " + text);
  begun_ = true;
}

void ManPage::subheading(const Roff& text) {
  add(".SS " + text);
  begun_ = true;
}

/// A paragraph begins, unless a heading or an item has begun one.
void ManPage::begin() {
  if (!begun_) add(lists_ == 0 ? ".PP" : fmt::format(".IP \"\" {}", kListIndent));
  begun_ = false;
}

void ManPage::paragraph(const Roff& text) {
  begin();
  add(as_text(text));
}

void ManPage::term(const Roff& term, const Roff& meaning) {
  begun_ = false;
  add(".TP\n" + as_text(term));
  add(as_text(meaning));
}

void ManPage::lines(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> all;
  std::size_t widest = 0;
  for (std::string line; std::getline(in, line);) {
    const std::size_t begin = line.find_first_not_of(' ');
    if (width(line) > kSentence && line.find("  ", begin) == std::string::npos) line = folded(line);
    std::istringstream parts(line);
    if (line.empty()) all.emplace_back();
    for (std::string part; std::getline(parts, part);) {
      widest = std::max(widest, width(part));
      all.push_back(part);
    }
  }
  begin();
  // From the left edge on, 80 columns have room in a terminal of 80.
  const std::size_t room = kColumns - kListIndent * lists_;
  add(widest > room ? ".in 0" : fmt::format(".in +{}n", std::min(kIndent, room - widest)));
  add(".nf");
  for (const std::string& line : all) add(as_text(plain(line)));
  add(".fi\n.in");
}

void ManPage::table(const std::vector<std::vector<Roff>>& rows) {
  std::vector<Column> columns(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const Column cell = shown(row[i]);
      columns[i].widest = std::max(columns[i].widest, cell.widest);
      columns[i].word = std::max(columns[i].word, cell.word);
    }
  }
  divide(columns);
  std::string headings;
  std::string formats;
  for (const Column& column : columns) {
    const std::string gap = headings.empty() ? "" : " ";
    const bool last = &column == &columns.back();
    headings += gap + "lB";
    // The last one takes what a wider terminal gives.
    formats +=
        gap + (last && column.share < column.widest ? "lx" : fmt::format("lw({}n)", column.share));
  }
  // A terminal has no pages, at whose ends tbl would leave gaps.
  if (!tables_) add(".if n .pl 9999v");
  tables_ = true;
  begin();
  add(fmt::format(".TS\n{}\n{}.", headings, formats));
  for (const auto& row : rows) {
    std::string line;
    for (const Roff& cell : row) {
      line += (line.empty() ? "T{\n" : "\tT{\n") + as_text(cell.empty() ? "\\&" : cell) + "\nT}";
    }
    add(line);
    if (&row == rows.data()) add("_");
  }
  add(".TE");
}

void ManPage::begin_list() {
  if (lists_++ > 0) add(fmt::format(".RS {}", kListIndent));
}

void ManPage::item(std::string_view mark) {
  add(fmt::format(".IP {} {}", mark, kListIndent));
  begun_ = true;
}

void ManPage::end_list() {
  begun_ = false;
  if (--lists_ > 0) add(".RE");
}

std::string ManPage::text() const { return (tables_ ? "'\\\" t\n" : "") + text_; }

}  // namespace rota::cli::pages
