#include <fmt/core.h>

#include <algorithm>

#include "tui/view_parts.h"

namespace rota::tui {

namespace {

using base::Instant;
using rotation::Phase;

constexpr int kName = 9;

/// What the cells of the picture are moments of.
struct Scale {
  Instant from;
  Instant to;
  int cells;

  Instant at(int cell) const { return from + (to - from) * cell / cells; }
  int of(Instant time) const {
    if (time <= from) return 0;
    return static_cast<int>((time - from).count() * cells / (to - from).count());
  }
};

Span sign(Phase phase) {
  switch (phase) {
    case Phase::unknown:
      return {" ", Style::dim};
    case Phase::on_site:
      return {"·", Style::plain};
    case Phase::travelling:
      return {"~", Style::warning};
    case Phase::off_site:
      return {"█", Style::good};
    case Phase::copying:
      return {"C", Style::strong};
    case Phase::exposed:
      return {"!", Style::alarm};
    case Phase::gone:
      return {"x", Style::dim};
  }
  return {" ", Style::dim};
}

/// A cell is days wide: what is rare and short must not vanish between what lasts.
int weight(Phase phase) {
  switch (phase) {
    case Phase::copying:
      return 3;
    case Phase::exposed:
      return 2;
    case Phase::travelling:
      return 1;
    default:
      return 0;
  }
}

Line disk_line(const DiskModel& disk, const Scale& scale, Instant now) {
  Line line{{padded(disk.status.name, kName - 1) + " ", Style::plain}};
  const int today = scale.of(now);
  const std::optional<Instant> due = disk.status.due;
  // What is late is due today.
  const int swap = due ? scale.of(std::max(*due, now)) : -1;
  auto stretch = disk.timeline.begin();
  for (int cell = 0; cell < scale.cells; ++cell) {
    if (cell == swap && cell > today) {
      line.push_back({"S", Style::strong});
    } else if (cell == today) {
      line.push_back(swap == today ? Span{"S", Style::warning} : Span{"│", Style::strong});
    } else if (cell > today) {
      line.push_back({" ", Style::plain});
    } else {
      const Instant begin = scale.at(cell);
      const Instant end = scale.at(cell + 1);
      while (stretch != disk.timeline.end() && stretch->to <= begin) ++stretch;
      Phase phase = stretch == disk.timeline.end() ? Phase::unknown : stretch->phase;
      for (auto next = stretch; next != disk.timeline.end() && next->from < end; ++next) {
        if (weight(next->phase) > weight(phase)) phase = next->phase;
      }
      line.push_back(sign(phase));
    }
  }
  return line;
}

Line months(const Scale& scale) {
  static constexpr const char* kNames[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::string text;
  std::string before = base::local(scale.from).substr(5, 2);
  for (int cell = 0; cell < scale.cells; ++cell) {
    const std::string month = base::local(scale.at(cell)).substr(5, 2);
    if (month != before && width(text) <= cell && cell + 3 <= scale.cells) {
      text = padded(text, cell) + kNames[std::clamp(std::stoi(month), 1, 12) - 1];
    }
    before = month;
  }
  text = padded(text, scale.cells);
  return {{std::string(kName, ' '), Style::plain}, {text, Style::heading}};
}

/// The time in which damage must have been noticed, of the set where that is the shortest.
Line window(const Model& model, const Scale& scale) {
  std::optional<std::chrono::seconds> shortest;
  for (const rotation::SetStatus& set : model.status.rotation.sets) {
    if (set.disks >= 2 && set.detection_window &&
        (!shortest || *set.detection_window < *shortest)) {
      shortest = set.detection_window;
    }
  }
  const int today = scale.of(model.now);
  const int begin = shortest ? scale.of(model.now - *shortest) : today;
  std::string text;
  for (int cell = 0; cell < scale.cells; ++cell) {
    text += cell == today ? "│" : cell >= begin && cell < today ? "▒" : " ";
  }
  return {{padded("detect", kName), Style::dim}, {text, Style::warning}};
}

}  // namespace

std::vector<Line> timeline_lines(const Model& model, std::size_t first, int count, int columns) {
  const Scale scale{base::before(model.now, kBack), base::after(model.now, kAhead),
                    std::max(columns - kName, 1)};
  std::vector<Line> lines{months(scale)};
  for (int i = 0; i < count && first + static_cast<std::size_t>(i) < model.disks.size(); ++i) {
    lines.push_back(disk_line(model.disks[first + static_cast<std::size_t>(i)], scale, model.now));
  }
  lines.push_back(window(model, scale));
  const char* gap = columns >= 90 ? "  " : " ";
  std::string legend;
  for (const char* one : {"· on site", "█ off site", "~ travelling", "C copying", "! exposed",
                          "x gone", "│ today", "S due"}) {
    legend += (legend.empty() ? "" : gap) + std::string(one);
  }
  lines.push_back({{legend, Style::dim}});
  return lines;
}

}  // namespace rota::tui
