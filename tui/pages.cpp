#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "tui/view_parts.h"

namespace rota::tui {

namespace {

void add_table(std::vector<Line>& lines, const std::vector<std::string>& headings,
               const std::vector<std::vector<std::string>>& rows, std::size_t selected) {
  const std::string text = base::table(headings, rows);
  std::size_t begin = 0;
  std::size_t row = 0;  // 0: the headings
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const Style style = row == 0              ? Style::heading
                        : row == selected + 1 ? Style::selected
                                              : Style::plain;
    lines.push_back({{text.substr(begin, end - begin), style}});
    ++row;
    begin = end + 1;
  }
}

std::string verified(const ledger::CopyRow& copy) {
  if (copy.last_verified) {
    return (copy.last_good ? "good " : "BAD ") + base::local(*copy.last_verified).substr(0, 10);
  }
  return copy.verified ? "at the seal" : "never";
}

}  // namespace

std::vector<Line> details_lines(const Model& model, const DiskModel& disk, int columns) {
  std::vector<Line> lines;
  const auto line = [&](const char* what, const std::string& text, Style style = Style::plain) {
    if (text.empty()) return;
    add_wrapped(lines, fmt::format("  {:<14}", what), text, style, columns);
  };
  const rotation::DiskStatus& status = disk.status;
  const ledger::DiskRow& row = disk.rows.disk;
  line("state", fmt::format("{} {}", status.symbol, status.word), style_of(status.level));
  line("place", status.place);
  line("by", status.by);
  if (status.since) line("since", base::local(*status.since));
  line("reason", row.end_reason);
  line("last seen", status.last_seen ? base::local(*status.last_seen) : "never");
  if (status.newest) {
    line("newest copy", fmt::format("{} of {}, {} old", base::local(status.newest->snapshot_time()),
                                    status.newest->server, days(*status.newest_age)));
  } else {
    line("newest copy", "none that counts");
  }
  if (status.due) {
    line("due", day(*status.due) + (status.next ? ", the next of its set" : ""));
  }
  line("set", status.set);
  if (status.used) {
    line("room", fmt::format("{} of {} used; the next copy {}", base::human_size(row.used),
                             base::human_size(row.capacity),
                             status.next_fits ? "will fit" : "WILL NOT FIT"));
  }
  if (status.oldest_read) line("oldest read", base::relative(*status.oldest_read, model.now));
  if (status.replace) line("replace", day(*status.replace));
  line("filesystem", row.filesystem + (row.luks_uuid.empty() ? "" : ", encrypted"));
  line("device", fmt::format("{} {}, {}", row.model, row.serial, base::human_size(row.size)));
  line("prepared", base::local(row.prepared));
  lines.emplace_back();
  for (const auto* notices : {&model.status.rotation.notices, &model.status.rotation.duties}) {
    for (const rotation::Notice& notice : *notices) {
      if (notice.disk != status.name) continue;
      const bool duty = notice.level == rotation::Level::good;
      add_wrapped(lines, duty ? "i " : fmt::format("{} ", mark(notice.level)), notice.text,
                  duty ? Style::plain : style_of(notice.level), columns);
    }
  }
  return lines;
}

std::vector<const ledger::CopyRow*> shown_copies(const DiskModel& disk) {
  std::vector<const ledger::CopyRow*> copies;
  for (auto copy = disk.rows.copies.rbegin(); copy != disk.rows.copies.rend(); ++copy) {
    copies.push_back(&*copy);
  }
  return copies;
}

std::vector<Line> copies_lines(const State& state, const DiskModel& disk, int) {
  std::vector<Line> lines;
  std::vector<std::vector<std::string>> rows;
  for (const ledger::CopyRow* copy : shown_copies(disk)) {
    rows.push_back({rows.size() == state.copy ? ">" : " ", copy->server, copy->snapshot,
                    ledger::word(copy->state), base::human_count(copy->entries),
                    base::human_size(copy->bytes), base::human_size(copy->new_bytes),
                    verified(*copy), copy->source});
  }
  if (rows.empty()) return {{{"There is no copy on this disk yet.", Style::plain}}};
  add_table(lines, {"", "SERVER", "COPY", "STATE", ">ENTRIES", ">SIZE", ">NEW", "VERIFIED", "FROM"},
            rows, state.copy);
  return lines;
}

void add_job(std::vector<Line>& lines, const Job& job, int columns) {
  for (const std::string& step : job.done) add_wrapped(lines, "  ", step, Style::plain, columns);
  add_wrapped(lines, "* ", progress_text(job), Style::strong, columns);
  if (job.total_bytes == 0) return;
  const double share = static_cast<double>(job.bytes) / static_cast<double>(job.total_bytes);
  lines.push_back({{"  " + bar(std::min(share, 1.0), columns - 4), Style::strong}});
}

std::vector<Line> job_lines(const Model& model, const DiskModel& disk, int columns) {
  std::vector<Line> lines;
  const Job* job = model.job_of(disk.status.name);
  if (job == nullptr) {
    for (const std::string& banner : safe_to_unplug(model)) {
      lines.push_back({{padded("", columns), Style::banner}});
      lines.push_back({{padded("   " + banner, columns), Style::banner}});
      lines.push_back({{padded("", columns), Style::banner}});
    }
    lines.push_back({{"No job runs with this disk.", Style::plain}});
    return lines;
  }
  add_job(lines, *job, columns);
  return lines;
}

std::vector<Line> history_lines(const Model& model, const std::string& disk, int columns) {
  std::vector<Line> lines;
  for (const Told& told : model.history) {
    if (!disk.empty() && told.disk != disk) continue;
    add_wrapped(lines, base::local(told.time) + "  ", told.text, Style::plain, columns);
  }
  if (lines.empty()) lines.push_back({{"Nothing has happened yet.", Style::plain}});
  return lines;
}

std::vector<Line> alarm_lines(const Model& model, int columns) {
  std::vector<Line> lines;
  const auto add = [&](rotation::Level level, const std::string& text) {
    const bool duty = level == rotation::Level::good;
    add_wrapped(lines, duty ? "i " : fmt::format("{} ", mark(level)), text,
                duty ? Style::plain : style_of(level), columns);
  };
  for (const auto& notice : model.status.rotation.notices) add(notice.level, notice.text);
  for (const auto& profile : model.status.profiles) {
    for (std::size_t i = 0; i < profile.messages.size(); ++i) {
      add(profile.message_levels[i], profile.profile + ": " + profile.messages[i]);
    }
  }
  for (const auto& duty : model.status.rotation.duties) add(duty.level, duty.text);
  for (auto alarm = model.alarms.rbegin(); alarm != model.alarms.rend(); ++alarm) {
    lines.emplace_back();
    const bool open = alarm->open();
    const Style style = !open                                        ? Style::dim
                        : alarm->severity == ledger::Severity::alarm ? Style::alarm
                                                                     : Style::warning;
    add_wrapped(lines,
                fmt::format("{} {}  {} {}: ", open ? "X" : "-", base::local(alarm->opened),
                            alarm->kind, alarm->disk.empty() ? alarm->server : alarm->disk),
                alarm->message, style, columns);
    if (alarm->acknowledged) {
      add_wrapped(lines, "  ",
                  fmt::format("noted by {} on {}: {}", alarm->acknowledged_by,
                              base::local(*alarm->acknowledged), alarm->reason),
                  style, columns);
    } else if (alarm->closed) {
      lines.push_back({{"  over since " + base::local(*alarm->closed), style}});
    }
    for (const std::string& detail : alarm->details) {
      if (open) lines.push_back({{"    " + detail, Style::plain}});
    }
  }
  if (lines.empty())
    lines.push_back({{"Nothing is wrong, and nothing is to be done.", Style::good}});
  return lines;
}

std::vector<const ledger::RunRow*> shown_runs(const Model& model) {
  constexpr std::size_t kMostRuns = 500;  // of each profile
  std::vector<const ledger::RunRow*> runs;
  for (const rotation::ProfileRows& profile : model.profiles) {
    std::size_t count = 0;
    for (auto run = profile.runs.rbegin(); run != profile.runs.rend() && count < kMostRuns; ++run) {
      runs.push_back(&*run);
      ++count;
    }
  }
  return runs;
}

std::vector<Line> run_lines(const Model& model, const State& state, int columns) {
  std::vector<Line> lines;
  const std::vector<const ledger::RunRow*> runs = shown_runs(model);
  std::size_t next = 0;
  for (const rotation::ProfileStatus& status : model.status.profiles) {
    if (!lines.empty()) lines.emplace_back();
    add_wrapped(lines, fmt::format("{} ", mark(status.level)),
                fmt::format("{}: {}, {} runs in {} chains, {}", status.profile,
                            rotation::word(status.level), status.runs, status.chains,
                            base::human_size(status.stored)),
                style_of(status.level), columns);
    for (const std::string& message : status.messages) {
      add_wrapped(lines, "  ", message, Style::plain, columns);
    }
    lines.push_back({{fmt::format("  {:<16}  {:<9}  {:>12}  {:>8}  {:>8}  NAME", "RUN", "KIND",
                                  "ENTRIES", "SIZE", "STORED"),
                      Style::heading}});
    for (; next < runs.size() && runs[next]->profile == status.profile; ++next) {
      const ledger::RunRow& run = *runs[next];
      const bool selected = next == state.run;
      lines.push_back(
          {{fmt::format("{} {:<16}  {:<9}  {:>12}  {:>8}  {:>8}  {}", selected ? ">" : " ",
                        base::local(run.time), ledger::word(run.kind), base::human_count(run.files),
                        base::human_size(run.bytes), base::human_size(run.stored), run.name),
            selected ? Style::selected : Style::plain}});
    }
  }
  if (lines.empty()) {
    lines.push_back({{"There is no profile yet: `rota init` makes one.", Style::plain}});
  }
  return lines;
}

}  // namespace rota::tui
