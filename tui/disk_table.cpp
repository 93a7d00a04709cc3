#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "tui/view_parts.h"

namespace rota::tui {

namespace {

constexpr int kBar = 8;

struct Column {
  const char* heading;
  int drop;  ///< the highest goes first where there is no room; 0: stays
  int most;  ///< cells
  std::string (*text)(const DiskModel& disk);
};

std::string verified(const DiskModel& disk) {
  const auto& newest = disk.status.newest;
  if (!newest) return "";
  if (newest->last_verified) return (newest->last_good ? "" : "BAD ") + day(*newest->last_verified);
  return newest->verified ? "at the seal" : "never";
}

std::string used(const DiskModel& disk) {
  if (!disk.status.used) return "";
  return fmt::format("{:.0f}%{}", std::floor(*disk.status.used * 100),
                     disk.status.next_fits ? "" : " FULL");
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

constexpr Column kColumns[] = {
    {"DISK", 0, 7, [](const DiskModel& disk) { return disk.status.name; }},
    {"STATE", 0, 16, [](const DiskModel& disk) { return disk.status.word; }},
    {"PLACE", 2, 16, [](const DiskModel& disk) { return disk.status.place; }},
    {"BY", 9, 12, [](const DiskModel& disk) { return disk.status.by; }},
    {"SINCE", 5, 10,
     [](const DiskModel& disk) { return disk.status.since ? day(*disk.status.since) : ""; }},
    {"SEEN", 8, 10,
     [](const DiskModel& disk) {
       return disk.status.last_seen ? day(*disk.status.last_seen) : std::string("never");
     }},
    {"COPY OF", 1, 10,
     [](const DiskModel& disk) {
       return disk.status.newest ? day(disk.status.newest->snapshot_time()) : std::string("none");
     }},
    {"AGE", 0, 6,
     [](const DiskModel& disk) {
       return disk.status.newest_age ? days(*disk.status.newest_age) : std::string();
     }},
    {"TURN", 3, kBar,
     [](const DiskModel& disk) {
       return disk.status.turn_over ? bar(*disk.status.turn_over, kBar) : std::string();
     }},
    {"SERVERS", 7, 20, [](const DiskModel& disk) { return joined(disk.servers); }},
    {"VERIFIED", 6, 14, verified},
    {"USED", 4, 9, used},
    {"HEALTH", 10, 7,
     [](const DiskModel& disk) { return std::string(rotation::word(disk.status.level)); }},
    {"DUE", 0, 15,
     [](const DiskModel& disk) {
       if (!disk.status.due) return std::string();
       return day(*disk.status.due) + (disk.status.next ? " next" : "");
     }},
};

constexpr int kMarks = 4;  // selected, level, symbol, blank

}  // namespace

std::vector<Line> disk_table(const Model& model, const State& state, int columns) {
  constexpr std::size_t kCount = std::size(kColumns);
  std::vector<std::vector<std::string>> texts;
  std::vector<int> widths;
  for (const Column& column : kColumns) widths.push_back(width(std::string_view(column.heading)));
  for (const DiskModel& disk : model.disks) {
    std::vector<std::string>& row = texts.emplace_back();
    for (std::size_t i = 0; i < kCount; ++i) {
      row.push_back(kColumns[i].text(disk));
      widths[i] = std::max(widths[i], std::min(width(row.back()), kColumns[i].most));
    }
  }
  const auto needed = [&] {
    int sum = kMarks - 1;
    for (const int one : widths) sum += one == 0 ? 0 : one + 1;
    return sum;
  };
  for (int drop = 10; drop > 0 && needed() > columns; --drop) {
    for (std::size_t i = 0; i < kCount; ++i) {
      if (kColumns[i].drop == drop) widths[i] = 0;
    }
  }
  std::vector<Line> lines;
  std::string headings(kMarks, ' ');
  for (std::size_t i = 0; i < kCount; ++i) {
    if (widths[i] > 0) headings += padded(kColumns[i].heading, widths[i]) + " ";
  }
  lines.push_back({{headings, Style::heading}});
  for (std::size_t n = 0; n < model.disks.size(); ++n) {
    const rotation::DiskStatus& status = model.disks[n].status;
    const bool selected = n == state.selected;
    const Style plain = selected ? Style::selected : Style::plain;
    const Style told = status.level == rotation::Level::good ? plain : style_of(status.level);
    Line& line = lines.emplace_back();
    line.push_back({selected ? ">" : " ", plain});
    line.push_back({mark(status.level), style_of(status.level)});
    line.push_back({std::string(1, status.symbol) + " ", plain});
    for (std::size_t i = 0; i < kCount; ++i) {
      if (widths[i] == 0) continue;
      const bool state_column = kColumns[i].text == kColumns[1].text;
      line.push_back({padded(texts[n][i], widths[i]) + " ", state_column ? told : plain});
    }
  }
  return lines;
}

}  // namespace rota::tui
