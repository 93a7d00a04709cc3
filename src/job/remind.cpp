#include "job/remind.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/error.h"
#include "job/rotation_status.h"

namespace rota::job {

using nlohmann::json;
using rotation::Level;
using rotation::Said;

namespace {

constexpr std::uint64_t kMostBytes = 4 << 20;

std::map<std::string, Said> load(const std::string& path) {
  try {
    return read_said(base::read_file(path, kMostBytes));
  } catch (const base::Error&) {
    return {};
  }
}

}  // namespace

std::string said_json(const std::map<std::string, Said>& said) {
  json value = json::object();
  for (const auto& [key, what] : said) {
    value[key] = {{"level", word(what.level)},
                  {"first", base::iso(what.first)},
                  {"last", base::iso(what.last)},
                  {"times", what.times}};
  }
  return value.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::map<std::string, Said> read_said(const std::string& text) {
  std::map<std::string, Said> said;
  const json value = json::parse(text, nullptr, false);
  if (!value.is_object()) return said;
  for (const auto& [key, what] : value.items()) {
    try {
      const auto first = base::parse_iso(what.at("first").get<std::string>());
      const auto last = base::parse_iso(what.at("last").get<std::string>());
      const std::string level = what.at("level").get<std::string>();
      if (!first || !last) continue;
      said[key] = {level == "alarm"     ? Level::alarm
                   : level == "warning" ? Level::warning
                                        : Level::good,
                   *first, *last, what.at("times").get<int>()};
    } catch (const json::exception&) {
      continue;
    }
  }
  return said;
}

namespace {

std::string memory_file(const profile::Places& places) { return places.state + "/reminders.json"; }

}  // namespace

void remember(const profile::Places& places, const Reminder& reminder) {
  base::write_file(memory_file(places), reminder.memory, 0600);
}

Reminder remind(const profile::Places& places, udev::DeviceProbe& devices,
                const Surroundings& around) {
  const base::Instant now = around.clock.now();
  ledger::Ledger ledger(places.ledger());
  const rotation::Status status = read_status(places, ledger, devices, now);
  const rotation::Reminders what =
      rotation::reminders(status.rotation, load(memory_file(places)), now);
  Reminder reminder{std::nullopt, said_json(what.said)};
  if (what.notices.empty()) return reminder;
  Message& message = reminder.message.emplace();
  message.time = now;
  message.level = what.level;
  const rotation::Notice& worst = what.notices.front();
  message.event = worst.kind;
  message.disk = worst.disk;
  message.text = worst.text;
  if (what.times > 1) message.text += fmt::format(" (Said {} times now.)", what.times);
  for (std::size_t i = 1; i < what.notices.size(); ++i)
    message.more.push_back(what.notices[i].text);
  return reminder;
}

}  // namespace rota::job
