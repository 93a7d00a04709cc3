#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "tui/view_parts.h"

namespace rota::tui {

std::vector<Line> welcome_lines(const Model& model, int columns) {
  std::vector<Line> lines;
  lines.push_back({{"What to do first", Style::strong}});
  if (model.profiles.empty()) {
    add_wrapped(lines, "  1  ", "Say what is backed up and where to: rota init", Style::plain,
                columns);
    add_wrapped(lines, "  2  ", "Make the first backup: rota backup", Style::plain, columns);
  }
  const int next = model.profiles.empty() ? 3 : 1;
  add_wrapped(lines, fmt::format("  {}  ", next),
              "Plug in an empty disk and prepare it: rota disk prepare /dev/sdX --name A. "
              "`rota disk prepare --help` says what it checks before it writes.",
              Style::plain, columns);
  add_wrapped(lines, fmt::format("  {}  ", next + 1),
              "Plug it in again: the copy begins. Or start it here, with Enter and c.",
              Style::plain, columns);
  add_wrapped(lines, fmt::format("  {}  ", next + 2),
              "When it is safe to unplug, take it off site and say so here, with Enter and p.",
              Style::plain, columns);
  add_wrapped(lines, fmt::format("  {}  ", next + 3),
              "Prepare a second one, B: while one is away, the other takes its turn.", Style::plain,
              columns);
  return lines;
}

std::vector<Line> menu_lines(const Model& model, const State& state, int) {
  std::vector<Line> lines;
  const DiskModel* disk = selected_disk(model, state);
  if (disk == nullptr) return lines;
  lines.push_back({{fmt::format("  {} {}{}", disk->status.symbol, disk->status.word,
                                disk->status.place.empty() ? "" : ", " + disk->status.place),
                    Style::strong}});
  lines.emplace_back();
  for (std::size_t i = 0; i < acts().size(); ++i) {
    const Act& act = acts()[i];
    const bool chosen = i == state.item;
    lines.push_back({{fmt::format("{} {}  {}", chosen ? ">" : " ", act.key, act.title),
                      chosen ? Style::selected : Style::plain}});
  }
  return lines;
}

namespace {

/// "B: Check out: it leaves now"
std::string what_is_done(const Act& act, const Subject& subject) {
  const std::string name = name_of(subject);
  return (name.empty() ? "" : name + ": ") + act.title;
}

}  // namespace

std::vector<Line> form_lines(const State& state, int columns) {
  std::vector<Line> lines;
  if (state.act == nullptr) return lines;
  lines.push_back({{what_is_done(*state.act, state.subject), Style::strong}});
  add_wrapped(lines, "", state.act->note, Style::plain, columns);
  lines.emplace_back();
  for (std::size_t i = 0; i < state.fields.size(); ++i) {
    const Field& field = state.fields[i];
    const bool here = i == state.field;
    const std::string question = fmt::format("{} {}: ", here ? ">" : " ", field.question);
    // Where one types is always seen.
    const int room = std::max(columns - width(question), 4);
    lines.push_back(
        {{question, here ? Style::strong : Style::plain},
         {here ? fitted_end(field.answer + "_", room) : fitted(field.answer, room), Style::plain}});
  }
  if (state.fields.empty()) {
    lines.push_back({{"> Enter: do it    Esc: leave it", Style::strong}});
  }
  return lines;
}

std::vector<Line> result_lines(const Model& model, const State& state, int columns) {
  std::vector<Line> lines;
  if (state.done == nullptr) return lines;
  const DiskModel* disk = model.find(state.done_with.disk);
  const std::string what = what_is_done(*state.done, state.done_with);
  if (state.busy) {
    lines.push_back({{what + ": under way", Style::strong}});
    for (const Job& job : model.jobs) {
      const bool same = disk != nullptr ? job.disk == disk->status.name : job.drill;
      if (same) add_job(lines, job, columns);
    }
    return lines;
  }
  lines.push_back(
      {{what + (state.good ? ": done" : ": NOT DONE"), state.good ? Style::good : Style::alarm}});
  std::size_t begin = 0;
  while (begin < state.result.size()) {
    const std::size_t end = std::min(state.result.find('\n', begin), state.result.size());
    add_wrapped(lines, "  ", state.result.substr(begin, end - begin), Style::plain, columns);
    begin = end + 1;
  }
  for (const std::string& banner : safe_to_unplug(model)) {
    lines.emplace_back();
    lines.push_back({{padded("", columns), Style::banner}});
    lines.push_back({{padded("   " + banner, columns), Style::banner}});
    lines.push_back({{padded("", columns), Style::banner}});
  }
  return lines;
}

std::vector<Line> help_lines(int columns) {
  static constexpr const char* kHelp[][2] = {
      {"↑ ↓ j k", "another disk, or a line further"},
      {"PgUp PgDn g G", "a screen further, to the begin, to the end"},
      {"Enter l", "what to do with the disk: check in and out, copy, verify, eject, …"},
      {"d", "details of the disk"},
      {"C", "copies on the disk; Enter: what is in one, f: restore from it"},
      {"J", "the job that runs with the disk"},
      {"t", "history of the disk"},
      {"H", "history of all"},
      {"A", "alarms, with the files of a tripwire"},
      {"T", "the runs of the online chains; Enter: what is in one, f: restore from it"},
      {"← h", "in the files: to the directory above"},
      {"D S", "make a drill: try whether a server can be restored; stop the one that runs"},
      {"/ n", "search for a disk, a place, a word; the next one"},
      {"r", "look at the ports and read everything again"},
      {"q Esc h", "back; from the first page: quit"},
      {"a label", "a barcode scanner that types ROTA-B and Enter selects that disk"},
      {"mouse", "click selects a disk, again: what to do; the wheel scrolls"},
  };
  static constexpr const char* kSigns[][2] = {
      {"X ! i", "alarm, warning, duty"},
      {". + > <", "on site, off site, on its way there, on its way back"},
      {"* ^ o", "connected, safe to remove, new"},
      {"! x - =", "failed, lost, retired, held"},
      {"TURN", "how much of the time between its copy and its next turn is over"},
      {"detect", "damage that is younger than the shaded time is not yet in every offline copy"},
  };
  std::vector<Line> lines;
  for (const auto& row : kHelp) {
    add_wrapped(lines, "  " + padded(row[0], 16), row[1], Style::plain, columns);
  }
  lines.emplace_back();
  for (const auto& row : kSigns) {
    add_wrapped(lines, "  " + padded(row[0], 16), row[1], Style::plain, columns);
  }
  return lines;
}

std::vector<Line> page_lines(const Model& model, const State& state, int columns) {
  const DiskModel* disk = selected_disk(model, state);
  switch (state.page()) {
    case Page::menu:
      return menu_lines(model, state, columns);
    case Page::form:
      return form_lines(state, columns);
    case Page::result:
      return result_lines(model, state, columns);
    case Page::help:
      return help_lines(columns);
    case Page::alarms:
      return alarm_lines(model, columns);
    case Page::runs:
      return run_lines(model, state, columns);
    case Page::history:
      return history_lines(model, state.this_disk && disk != nullptr ? disk->status.name : "",
                           columns);
    case Page::details:
      if (disk != nullptr) return details_lines(model, *disk, columns);
      break;
    case Page::copies:
      if (disk != nullptr) return copies_lines(state, *disk, columns);
      break;
    case Page::job:
      if (disk != nullptr) return job_lines(model, *disk, columns);
      break;
    case Page::overview:
    case Page::files:  // it has its own way of drawing
      break;
  }
  return {};
}

}  // namespace rota::tui
