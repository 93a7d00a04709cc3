#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rota::cli::pages {

/// A piece of a line in roff: what the functions below return, and these joined.
using Roff = std::string;

/// The text as it is. Every hyphen, quote and tilde stays what it was typed as, because much of it
/// is to be copied into a shell.
Roff plain(std::string_view text);
Roff bold(std::string_view text);
Roff italic(std::string_view text);
/// Text with `code` in backquotes, which becomes bold.
Roff marked(std::string_view text);
/// "rota-disk-attach(1)"
Roff reference(std::string_view page, int section);

/// A man page in the macros of man(7), and tbl(1) for tables; UTF-8.
class ManPage {
 public:
  /// It bears the version and no date: the same sources make the same page.
  ManPage(std::string_view name, int section, const Roff& summary);

  void heading(const Roff& text);
  void subheading(const Roff& text);
  void paragraph(const Roff& text);
  /// A term, and below it, indented, what it means.
  void term(const Roff& term, const Roff& meaning);
  /// Lines as they are; where they are too wide to be indented, from the left edge on.
  void lines(std::string_view text);
  /// The first row is the heading.
  void table(const std::vector<std::vector<Roff>>& rows);

  /// A list, in which items may hold paragraphs, lines and lists.
  void begin_list();
  void item(std::string_view mark);
  void end_list();

  /// The page, whole.
  std::string text() const;

 private:
  void add(const Roff& line);
  void begin();

  std::string text_;
  bool tables_ = false;
  bool begun_ = false;     // what comes next is in a paragraph that has begun
  std::size_t lists_ = 0;  // that are open
};

}  // namespace rota::cli::pages
