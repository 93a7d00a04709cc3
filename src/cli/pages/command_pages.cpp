#include "cli/pages/command_pages.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "cli/pages/document.h"
#include "cli/pages/roff.h"
#include "cli/program.h"
#include "profile/place_list.h"

namespace rota::cli::pages {

namespace {

/// Which document says more about a command, or about a group's commands; the manual about all.
struct Reading {
  const char* command;
  const char* document;
};
constexpr Reading kReadings[] = {
    {"init", "stores"},   {"cost", "stores"},     {"disk", "disks"},    {"disk attach", "plug-in"},
    {"watch", "plug-in"}, {"remind", "plug-in"},  {"drill", "drills"},  {"label", "labels"},
    {"plan", "labels"},   {"doctor", "security"}, {"restore", "disks"}, {"ls", "disks"},
};

constexpr std::string_view kExitStatus = "Exit status";

/// A note as one line, without what it says of the exit status, and that.
struct Note {
  explicit Note(std::string note) {
    std::ranges::replace(note, '\n', ' ');
    const std::size_t at = std::min(note.find(kExitStatus), note.size());
    text = note.substr(0, at);
    while (text.ends_with(' ')) text.pop_back();
    exit_status = note.substr(at);
  }
  std::string text;
  std::string exit_status;
};

Roff with_type(const OptionText& option) {
  Roff roff = bold(option.names);
  if (!option.type.empty()) roff += " " + italic(option.type);
  return roff;
}

std::string group_of(const std::string& name) { return name.substr(0, name.find(' ')); }

class Pages {
 public:
  Pages(const std::vector<CommandText>& texts, const CommandText& tui,
        const std::vector<std::string>& documents)
      : texts_(texts), tui_(tui), documents_(documents) {}

  std::string page(const CommandText& text) const {
    ManPage page(command_page_name(text.name), 1, marked(text.summary));
    synopsis(page, text);
    const Note note(text.note);
    description(page, text, note);
    if (!text.words.empty()) {
      page.heading("WORDS");
      page.term(italic(text.form), marked(text.words));
    }
    options(page, "OPTIONS", text.options);
    if (text.name == "tui") options(page, "OPTIONS OF THE PROGRAM rota\\-tui", tui_.options);
    if (text.group) commands(page, text);
    exit_status(page, text, note);
    if (text.name.empty()) places(page);
    see_also(page, text);
    return page.text();
  }

 private:
  static void synopsis(ManPage& page, const CommandText& text) {
    page.heading("SYNOPSIS");
    Roff line = bold("rota" + (text.name.empty() ? "" : " " + text.name));
    if (text.group) {
      page.paragraph(line + " " + italic("COMMAND") + " [" + italic("OPTIONS") + "] [" +
                     italic("WORDS") + "]");
      return;
    }
    for (const OptionText& option : text.options) {
      if (option.required) line += " " + with_type(option);
    }
    line += " [" + italic("OPTIONS") + "]";
    if (!text.form.empty()) line += " " + italic(text.form);
    page.paragraph(line);
    if (text.name == "tui") page.paragraph(bold("rota-tui") + " [" + italic("OPTIONS") + "]");
  }

  static void description(ManPage& page, const CommandText& text, const Note& note) {
    page.heading("DESCRIPTION");
    page.paragraph(marked(text.summary) + (text.summary.ends_with('.') ? "" : "."));
    if (!note.text.empty()) page.paragraph(marked(note.text));
    if (text.name.empty()) {
      page.paragraph("Each command has a page of its own: " + reference("rota-backup", 1) +
                     " is that of " + bold("rota backup") + ".");
    }
    if (text.passed_on) {
      page.paragraph("The command hands its words to the program " +
                     bold(command_page_name(text.name)) +
                     ", which may be left out where nothing is printed, and which is not run by "
                     "itself.");
    }
    if (text.name == "tui") {
      page.paragraph("The command runs the program " + bold("rota-tui") +
                     ", which may be left out where there is no screen. It can be run by itself, "
                     "and then knows more options.");
    }
  }

  static void options(ManPage& page, const Roff& heading, const std::vector<OptionText>& options) {
    page.heading(heading);
    for (const OptionText& option : options) {
      Roff help = marked(option.help);
      if (option.required) help += " (required)";
      page.term(with_type(option), help.empty() ? "\\&" : help);
    }
  }

  /// A line for each command of the program or of a group.
  void commands(ManPage& page, const CommandText& of) const {
    page.heading("COMMANDS");
    list(page, of.name);
    if (!of.name.empty()) return;
    for (const CommandText& group : texts_) {
      if (!group.group || group.name.empty()) continue;
      page.subheading(marked(group.summary));
      list(page, group.name);
    }
  }

  void list(ManPage& page, const std::string& group) const {
    for (const CommandText& text : texts_) {
      const bool inside = group.empty() ? text.name.find(' ') == std::string::npos
                                        : text.name.starts_with(group + " ");
      if (text.group || !inside) continue;
      page.term(reference(command_page_name(text.name), 1), marked(text.summary));
    }
  }

  /// What a command says of it is more exact; when it begins with what 0 means, it is all.
  static void exit_status(ManPage& page, const CommandText& text, const Note& note) {
    page.heading("EXIT STATUS");
    const bool own = !text.name.empty() && !note.exit_status.empty();
    if (own) page.paragraph(marked(note.exit_status));
    if (own && note.exit_status.starts_with("Exit status: 0")) return;
    if (own) page.paragraph("As for every command:");
    for (const ExitStatus& status : exit_statuses()) {
      page.term(bold(std::to_string(status.status)), marked(status.meaning));
    }
  }

  static void places(ManPage& page) {
    page.heading("ENVIRONMENT");
    for (const profile::Place& place : profile::all_places()) {
      page.term(bold(place.override_name),
                "The absolute path of another directory than " + bold(place.system) + ".");
    }
    page.term(
        bold("CREDENTIALS_DIRECTORY"),
        marked("Where systemd has put credentials that a profile names without a directory."));
    page.term(bold("NO_COLOR"), marked("When it is set and not empty, `rota tui` has no colours."));
    page.term(bold("SUDO_USER"),
              marked("Whose word it is where a disk is, unless `--by` names somebody."));
    page.term(bold("TMPDIR"), marked("Where large temporary files go instead of `/var/tmp`."));
    page.heading("FILES");
    for (const profile::Place& place : profile::all_places()) {
      page.term(bold(place.system),
                marked(fmt::format("{}. For users who are not root `$XDG_{}/rota`, by default "
                                   "`~/{}/rota`.",
                                   place.what, std::string_view(place.xdg_name).substr(4),
                                   place.below_home)));
    }
  }

  void see_also(ManPage& page, const CommandText& text) const {
    page.heading("SEE ALSO");
    std::vector<Roff> all;
    if (!text.name.empty()) all.push_back(reference("rota", 1));
    for (const std::string& command : related(text)) {
      all.push_back(reference(command_page_name(command), 1));
    }
    for (const std::string& document : documents_) {
      const bool says_more = std::ranges::any_of(kReadings, [&](const Reading& reading) {
        return document == reading.document &&
               (text.name == reading.command || group_of(text.name) == reading.command);
      });
      if (text.name.empty() || document == "manual" || says_more) {
        all.push_back(reference(document_page_name(document), 7));
      }
    }
    Roff line;
    for (const Roff& one : all) line += (line.empty() ? "" : ", ") + one;
    page.paragraph(line);
  }

  /// The other commands of its group, and those that its own texts name.
  std::set<std::string> related(const CommandText& text) const {
    std::string said = text.summary + ' ' + text.words + ' ' + text.note;
    for (const OptionText& option : text.options) said += ' ' + option.help;
    std::set<std::string> names;
    for (const CommandText& other : texts_) {
      if (other.name.empty() || other.name == text.name) continue;
      const bool same_group =
          text.name.find(' ') != std::string::npos && group_of(text.name) == group_of(other.name);
      if ((text.name.empty() && other.group) || same_group ||
          said.find("`rota " + other.name) != std::string::npos) {
        names.insert(other.name);
      }
    }
    return names;
  }

  const std::vector<CommandText>& texts_;
  const CommandText& tui_;
  const std::vector<std::string>& documents_;
};

}  // namespace

std::map<std::string, std::string> command_pages(const std::vector<CommandText>& texts,
                                                 const CommandText& tui,
                                                 const std::vector<std::string>& documents) {
  const Pages pages(texts, tui, documents);
  std::map<std::string, std::string> all;
  for (const CommandText& text : texts) all[command_page_name(text.name)] = pages.page(text);
  return all;
}

std::string command_page_name(const std::string& command) {
  std::string name = "rota" + (command.empty() ? "" : "-" + command);
  std::ranges::replace(name, ' ', '-');
  return name;
}

}  // namespace rota::cli::pages
