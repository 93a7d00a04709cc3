#include "tui/view_parts.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace rota::tui {

Style style_of(rotation::Level level) {
  switch (level) {
    case rotation::Level::good:
      return Style::good;
    case rotation::Level::warning:
      return Style::warning;
    case rotation::Level::alarm:
      return Style::alarm;
  }
  return Style::plain;
}

const char* mark(rotation::Level level) {
  switch (level) {
    case rotation::Level::good:
      return " ";
    case rotation::Level::warning:
      return "!";
    case rotation::Level::alarm:
      return "X";
  }
  return " ";
}

std::string day(base::Instant time) { return base::local(time).substr(0, 10); }

std::string days(std::chrono::seconds span) {
  return fmt::format("{} d", std::chrono::floor<std::chrono::days>(span).count());
}

std::string bar(double share, int cells) {
  const int full = static_cast<int>(std::clamp(share, 0.0, 1.0) * cells);
  std::string text;
  for (int i = 0; i < cells; ++i) {
    text += share > 1 && i == cells - 1 ? "▶" : i < full ? "█" : "░";
  }
  return text;
}

void add_wrapped(std::vector<Line>& lines, const std::string& first, const std::string& text,
                 Style style, int columns) {
  const int indent = width(first);
  bool begins = true;
  for (const std::string& part : wrapped(text, columns - indent)) {
    const std::string before = begins ? first : std::string(static_cast<std::size_t>(indent), ' ');
    lines.push_back({{before, style}, {part, style}});
    begins = false;
  }
}

std::string name_of(const Job& job) {
  if (!job.drill) return job.disk;
  return job.disk.empty() ? "drill" : "drill from " + job.disk;
}

std::string progress_text(const Job& job) {
  std::string text = job.server.empty() ? job.step : job.step + " " + job.server;
  if (job.state != "begins") text += " " + job.state;
  if (job.files == 0 && job.bytes == 0) return text;
  text += fmt::format(": {} files, {}", base::human_count(job.files), base::human_size(job.bytes));
  if (job.total_bytes > 0) text += " of " + base::human_size(job.total_bytes);
  if (job.rate == 0) return text;
  text += fmt::format(", {}/s", base::human_size(job.rate));
  if (job.total_bytes > job.bytes) {
    const std::uint64_t left = (job.total_bytes - job.bytes) / job.rate;
    text += fmt::format(", {} left", base::human_duration(static_cast<std::int64_t>(left)));
  }
  return text;
}

std::vector<std::string> safe_to_unplug(const Model& model) {
  std::vector<std::string> banners;
  for (const DiskModel& disk : model.disks) {
    if (disk.status.custody != rotation::Custody::safe_to_remove ||
        model.job_of(disk.status.name) != nullptr) {
      continue;
    }
    const auto place = model.places.find(disk.status.set);
    banners.push_back(
        fmt::format("SAFE TO UNPLUG {} – take it {}", disk.status.label,
                    place == model.places.end() ? "off site" : "to " + place->second));
  }
  return banners;
}

}  // namespace rota::tui
