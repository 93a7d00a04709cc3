#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "tui/view_parts.h"

namespace rota::tui {

namespace {

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

std::string chain_text(const rotation::ProfileStatus& profile, base::Instant now) {
  std::string text = fmt::format("{}: {}", profile.profile, rotation::word(profile.level));
  if (!profile.newest) return text + " · no run yet";
  text += fmt::format(" · {} {}", ledger::word(profile.newest->kind),
                      base::relative(profile.newest->time, now));
  if (profile.next_full_due) {
    text += " · next full " + (*profile.next_full_due <= now
                                   ? std::string("now")
                                   : base::relative(*profile.next_full_due, now));
  }
  text += " · verified ";
  if (!profile.last_verification) return text + "never";
  return text + base::relative(profile.last_verification->time, now) +
         (profile.last_verification->good ? "" : " BAD");
}

/// "web: drill passed 3 weeks ago from disk B · next drill in 2 months"; empty: there is none, and
/// none is asked for.
std::string drill_text(const rotation::DrillStatus& drill, base::Instant now) {
  if (!drill.last && !drill.due) return "";
  std::string text = drill.server + ": ";
  if (!drill.last) {
    text += "no drill yet";
  } else {
    text += fmt::format("drill {} {} {}", drill.last->passed ? "passed" : "FAILED",
                        base::relative(drill.last->time, now), ledger::where_from(*drill.last));
  }
  if (!drill.due) return text;
  return text + (*drill.due <= now ? " · next drill now"
                                   : " · next drill " + base::relative(*drill.due, now));
}

/// Everything that is wrong and everything that is to be done, the worst first.
std::vector<rotation::Notice> findings(const Model& model) {
  std::vector<rotation::Notice> all = model.status.rotation.notices;
  for (const rotation::ProfileStatus& profile : model.status.profiles) {
    for (std::size_t i = 0; i < profile.messages.size(); ++i) {
      rotation::Notice& notice = all.emplace_back();
      notice.level = profile.message_levels[i];
      notice.text = profile.profile + ": " + profile.messages[i];
    }
  }
  std::ranges::stable_sort(all, std::ranges::greater(), &rotation::Notice::level);
  const auto& duties = model.status.rotation.duties;
  all.insert(all.end(), duties.begin(), duties.end());
  if (!duties.empty()) return all;
  for (const rotation::SetStatus& set : model.status.rotation.sets) {
    if (set.next_disk.empty() || !set.due || *set.due <= model.now) continue;  // told above
    rotation::Notice& next = all.emplace_back();
    next.level = rotation::Level::good;
    next.text =
        fmt::format("Next: disk {} is to be plugged in on {}.", set.next_disk, day(*set.due));
  }
  return all;
}

void add_findings(std::vector<Line>& lines, const Model& model, int columns, std::size_t most) {
  const std::vector<rotation::Notice> all = findings(model);
  std::vector<Line> told;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const rotation::Notice& notice = all[i];
    const bool duty = notice.level == rotation::Level::good;
    std::vector<Line> one;
    add_wrapped(one, duty ? "i " : fmt::format("{} ", mark(notice.level)), notice.text,
                duty ? Style::plain : style_of(notice.level), columns);
    const std::size_t room = most - told.size() - (i + 1 < all.size() ? 1 : 0);
    // The worst one is shown as far as there is room, the others whole or not at all.
    if (i == 0 && one.size() > room) one.resize(std::max<std::size_t>(room, 1));
    if (one.size() > room && i > 0) {
      told.push_back({{fmt::format("  and {} more: A", all.size() - i), Style::dim}});
      break;
    }
    told.insert(told.end(), one.begin(), one.end());
  }
  lines.insert(lines.end(), told.begin(), told.end());
}

void add_running(std::vector<Line>& lines, const Model& model, int columns) {
  for (const std::string& banner : safe_to_unplug(model)) {
    const int left = std::max((columns - width(banner)) / 2, 0);
    const std::string blank = padded("", columns);
    lines.push_back({{blank, Style::banner}});
    lines.push_back({{padded(std::string(static_cast<std::size_t>(left), ' ') + banner, columns),
                      Style::banner}});
    lines.push_back({{blank, Style::banner}});
  }
  for (const Job& job : model.jobs) {
    lines.push_back({{fmt::format("* {}: {}", name_of(job), progress_text(job)), Style::strong}});
    if (job.total_bytes > 0) {
      const double share = static_cast<double>(job.bytes) / static_cast<double>(job.total_bytes);
      lines.push_back({{"  " + bar(std::min(share, 1.0), columns - 4), Style::strong}});
    }
  }
}

}  // namespace

Layout layout(const Model& model, const State& state, int columns, int rows) {
  Layout result;
  const int count = static_cast<int>(model.disks.size());
  const bool large = rows >= 30;
  const rotation::RotationStatus& rotation = model.status.rotation;
  const Style style = rotation.worst.any_offsite_copy ? style_of(model.status.level) : Style::alarm;
  std::vector<Line> exposure;
  add_wrapped(exposure, "", rotation.worst.sentence, style, columns);
  if (exposure.size() > (large ? 4U : 3U)) exposure.resize(large ? 4U : 3U);
  result.top = std::move(exposure);
  add_running(result.top, model, columns);
  const std::size_t most_chains = large ? 5 : 2;
  const auto& profiles = model.status.profiles;
  const bool all_fit = profiles.size() <= most_chains;
  for (std::size_t i = 0; i < (all_fit ? profiles.size() : most_chains - 1); ++i) {
    result.top.push_back({{chain_text(profiles[i], model.now), Style::plain}});
    // Where there is no room for all: what is due or wrong is told below in any case.
    if (!large && profiles.size() > 1) continue;
    for (const rotation::DrillStatus& drill : rotation.drills) {
      const std::string text =
          drill.server == profiles[i].profile ? drill_text(drill, model.now) : "";
      if (!text.empty()) result.top.push_back({{text, Style::plain}});
    }
  }
  if (!all_fit) {
    result.top.push_back(
        {{fmt::format("and {} more servers: T", profiles.size() - (most_chains - 1)), Style::dim}});
  }
  // Heading, help, and around the table a blank line each; then what the disks need at least.
  const int least = std::min(count, 3) + 1 + (count == 0 ? 0 : std::min(count, 3) + 3);
  const int room = rows - 4 - static_cast<int>(result.top.size()) - least;
  const int wanted = rows - 4 - static_cast<int>(result.top.size()) - (2 * count + 4);
  add_findings(
      result.top, model, columns,
      static_cast<std::size_t>(std::max(2, std::min(room, std::max(wanted, large ? 6 : 3)))));

  result.table = 2 + static_cast<int>(result.top.size());
  const int rest = rows - 1 - result.table;  // headings and all below
  const bool both = rest >= 1 + std::min(count, 2) + 4 + std::min(count, 2);
  result.shown = std::clamp(both ? std::max((rest - 5) / 2, 1) : rest - 1, 0, count);
  if (both && count > 0) {
    result.timeline = result.table + 1 + result.shown + 1;
    result.lines = std::clamp(rows - 1 - result.timeline - 3, 0, result.shown);
    if (result.lines == 0) result.timeline = 0;
  }
  const auto shown = static_cast<std::size_t>(std::max(result.shown, 1));
  if (state.selected >= shown) result.first = state.selected - shown + 1;
  return result;
}

void draw_overview(Grid& grid, const Model& model, const State& state) {
  const int columns = grid.columns();
  const Layout where = layout(model, state, columns, grid.rows());
  int row = 1;
  for (const Line& line : where.top) grid.put(0, row++, line);
  if (model.disks.empty()) {
    row = where.table;
    for (const Line& line : welcome_lines(model, columns)) {
      if (row < grid.rows() - 1) grid.put(0, row++, line);
    }
    return;
  }
  const std::vector<Line> table = disk_table(model, state, columns);
  grid.put(0, where.table, table.front());
  for (int i = 0; i < where.shown; ++i) {
    grid.put(0, where.table + 1 + i, table[where.first + static_cast<std::size_t>(i) + 1]);
  }
  if (where.timeline == 0) return;
  row = where.timeline;
  for (const Line& line : timeline_lines(model, where.first, where.lines, columns)) {
    if (row < grid.rows() - 1) grid.put(0, row++, line);
  }
}

std::optional<std::size_t> disk_at(const Model& model, const State& state, int columns, int rows,
                                   int row) {
  if (state.page() != Page::overview) return std::nullopt;
  const Layout where = layout(model, state, columns, rows);
  const int table = row - where.table - 1;
  const int line = where.timeline == 0 ? -1 : row - where.timeline - 1;
  int found = -1;
  if (table >= 0 && table < where.shown) found = table;
  if (line >= 0 && line < where.lines) found = line;
  if (found < 0) return std::nullopt;
  const std::size_t disk = where.first + static_cast<std::size_t>(found);
  if (disk >= model.disks.size()) return std::nullopt;
  return disk;
}

namespace {

/// Scrolled so that the field that is filled in is seen, whatever the size.
std::size_t first_of_form(const std::vector<Line>& lines, std::size_t shown) {
  for (std::size_t i = shown; i < lines.size(); ++i) {
    if (!lines[i].empty() && lines[i].front().text.starts_with('>')) return i - shown + 1;
  }
  return 0;
}

}  // namespace

Grid draw(const Model& model, const State& state, int columns, int rows) {
  Grid grid(columns, rows);
  const DiskModel* disk = selected_disk(model, state);
  static constexpr const char* kTitles[] = {"",        "what to do", "details", "copies",
                                            "history", "alarms",     "runs",    "job",
                                            "",        "",           "help",    "files"};
  std::string title = kTitles[static_cast<std::size_t>(state.page())];
  const bool of_disk = state.page() == Page::menu || state.page() == Page::details ||
                       state.page() == Page::copies || state.page() == Page::job ||
                       (state.page() == Page::history && state.this_disk);
  if (of_disk && disk != nullptr) title = disk->status.label + " " + title;
  if (state.page() == Page::files) title = name_of(state.browser.subject) + " " + title;
  grid.paint(0, Style::heading);
  const std::string level = upper(rotation::word(model.status.level));
  int column = grid.put(0, 0, " rota  ", Style::heading);
  column = grid.put(column, 0, level, style_of(model.status.level));
  grid.put(column, 0, "  " + title, Style::heading);
  const std::string clock = base::local(model.now) + " ";
  grid.put(columns - width(clock), 0, clock, Style::heading);

  if (state.page() == Page::overview) {
    draw_overview(grid, model, state);
  } else if (state.page() == Page::files) {
    draw_files(grid, state);
  } else {
    const std::vector<Line> lines = page_lines(model, state, columns);
    const auto shown = static_cast<std::size_t>(std::max(rows - 2, 1));
    std::size_t first = std::min(state.scroll, lines.size() > shown ? lines.size() - shown : 0);
    if (state.page() == Page::form) first = first_of_form(lines, shown);
    for (std::size_t i = 0; i < shown && first + i < lines.size(); ++i) {
      grid.put(0, 1 + static_cast<int>(i), lines[first + i]);
    }
  }

  std::string help =
      columns < 90
          ? "↑↓ Enter act d details C copies H history A alarms T runs D drill ? help q quit"
          : "↑↓ Enter act  d details  C copies  H history  A alarms  T runs  D drill  ? help  q "
            "quit";
  if (state.page() != Page::overview) help = "↑↓ PgUp PgDn scroll   / search   ? help   q back";
  if (state.page() == Page::runs || state.page() == Page::copies) {
    help = "↑↓ Enter what is in it   f restore from it   / search   q back";
  }
  if (state.page() == Page::files) {
    help = "↑↓ Enter open   ← directory above   f restore it   / search   q back";
    if (!state.browser.wanted.empty()) help = "Reading /" + state.browser.wanted_path + " …";
  }
  if (state.page() == Page::menu) help = "↑↓ Enter or its letter: do it   q back";
  if (columns < kLeastColumns || rows < kLeastRows) {
    help = fmt::format("{}x{} is too small to show all: make it {}x{}   ? help   q back", columns,
                       rows, kLeastColumns, kLeastRows);
  }
  if (state.page() == Page::form) help = "Tab next   Enter on the last one: do it   Esc back";
  if (!state.message.empty()) help = state.message;
  if (state.searching) help = "/" + state.search + "_";
  if (!state.scanned.empty()) help = "label: " + state.scanned;
  grid.put(0, rows - 1, padded(help, columns),
           state.message.empty() ? Style::heading : Style::strong);
  return grid;
}

}  // namespace rota::tui
