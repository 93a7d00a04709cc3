#include "rotation/reminders.h"

#include <fmt/core.h>

#include <algorithm>

namespace rota::rotation {

namespace {

using std::chrono::hours;

/// A little less than whole days: a timer does not fire at the same second every day.
constexpr hours kSlack{2};

hours repeat_after(Level level) {
  switch (level) {
    case Level::alarm:
      return hours(24) - kSlack;
    case Level::warning:
      return hours(3 * 24) - kSlack;
    case Level::good:
      break;
  }
  return hours(7 * 24) - kSlack;
}

/// What is the same thing from day to day, though its text tells other dates. Open alarms of one
/// sort are told apart by what they say, which does not change.
std::string key_of(const Notice& notice, const RotationStatus& status) {
  const std::string key =
      fmt::format("{}/{}/{}/{}", notice.kind, notice.set, notice.disk, notice.server);
  const auto alike = [&](const Notice& other) {
    return other.kind == notice.kind && other.set == notice.set && other.disk == notice.disk &&
           other.server == notice.server;
  };
  return std::ranges::count_if(status.notices, alike) > 1 ? key + "/" + notice.text : key;
}

bool is_due(const Said* before, Level level, base::Instant now) {
  if (before == nullptr || level > before->level) return true;
  if (before->last > now) return true;  // the clock was set back: nothing is known
  return now - before->last >= repeat_after(level);
}

}  // namespace

Reminders reminders(const RotationStatus& status, const std::map<std::string, Said>& said,
                    base::Instant now) {
  Reminders result;
  std::vector<Notice> standing = status.notices;
  // Of what is not wrong yet, only that a swap or a drill is near is worth a mail.
  std::ranges::copy_if(status.duties, std::back_inserter(standing), [](const Notice& duty) {
    return duty.kind == "due" || duty.kind == "drill due" || duty.kind == "no drill";
  });
  bool due = false;
  for (const Notice& notice : standing) {
    const std::string key = key_of(notice, status);
    const auto before = said.find(key);
    due = due || is_due(before == said.end() ? nullptr : &before->second, notice.level, now);
    Said& kept = result.said[key];
    if (before != said.end()) kept = before->second;
    kept.level = notice.level;
  }
  if (!due) {
    // What grew less grave stays as it was said, so that its return to what it was is no news.
    for (auto& [key, kept] : result.said) kept.level = std::max(kept.level, said.at(key).level);
    return result;
  }
  for (auto& [key, kept] : result.said) {
    if (kept.times == 0) kept.first = now;
    kept.last = now;
    ++kept.times;
  }
  result.notices = std::move(standing);
  for (const Notice& notice : result.notices) result.level = std::max(result.level, notice.level);
  result.times = result.said.at(key_of(result.notices.front(), status)).times;
  return result;
}

}  // namespace rota::rotation
