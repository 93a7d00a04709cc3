#include "rotation/timeline.h"

#include <algorithm>
#include <tuple>

namespace rota::rotation {

namespace {

using base::Instant;
using ledger::Claimed;
using ledger::Observed;

/// Something that was said or seen at a time.
struct Event {
  Instant time{};
  std::int64_t id = 0;
  const ledger::ClaimRow* claim = nullptr;
  const ledger::ObservationRow* observation = nullptr;
};

Phase phase_of(Claimed state) {
  switch (state) {
    case Claimed::on_site:
      return Phase::on_site;
    case Claimed::off_site:
      return Phase::off_site;
    case Claimed::in_transit_out:
    case Claimed::in_transit_back:
      return Phase::travelling;
  }
  return Phase::unknown;
}

class Line {
 public:
  Line(Instant from, Instant now) : from_(from), now_(now) {}

  /// What holds from `time` on.
  void enter(Instant time, Phase phase) {
    until(time);
    phase_ = phase;
    since_ = time;
  }
  /// At a port and idle: for kAtPort that belongs to the copy, then it is exposed.
  void at_port(Instant time) {
    if (port_) return;
    enter(time, Phase::copying);
    port_ = true;
  }
  void leave_port() { port_ = false; }

  std::vector<Stretch> end() {
    until(now_);
    return std::move(stretches_);
  }

 private:
  void until(Instant time) {
    if (port_ && time - since_ > kAtPort) {
      add(since_, since_ + kAtPort, Phase::copying);
      add(since_ + kAtPort, time, Phase::exposed);
    } else {
      add(since_, time, phase_);
    }
    since_ = std::max(since_, time);
  }
  void add(Instant from, Instant to, Phase phase) {
    from = std::max(from, from_);
    to = std::min(to, now_);
    if (from >= to) return;
    if (!stretches_.empty() && stretches_.back().phase == phase) {
      stretches_.back().to = to;
    } else {
      stretches_.push_back({from, to, phase});
    }
  }

  Instant from_;
  Instant now_;
  Phase phase_ = Phase::unknown;
  Instant since_{};
  bool port_ = false;
  std::vector<Stretch> stretches_;
};

std::vector<Event> events_of(const std::string& disk, std::span<const ledger::ClaimRow> claims,
                             std::span<const ledger::ObservationRow> observations) {
  std::vector<Event> events;
  for (const ledger::ClaimRow& row : claims) {
    if (row.disk == disk) events.push_back({row.time, row.id, &row, nullptr});
  }
  for (const ledger::ObservationRow& row : observations) {
    if (row.disk == disk) events.push_back({row.time, row.id, nullptr, &row});
  }
  std::ranges::sort(events, [](const Event& a, const Event& b) {
    return std::tie(a.time, a.id) < std::tie(b.time, b.id);
  });
  return events;
}

}  // namespace

const char* word(Phase phase) {
  switch (phase) {
    case Phase::unknown:
      return "unknown";
    case Phase::on_site:
      return "on site";
    case Phase::travelling:
      return "travelling";
    case Phase::off_site:
      return "off site";
    case Phase::copying:
      return "copying";
    case Phase::exposed:
      return "exposed";
    case Phase::gone:
      return "gone";
  }
  return "";
}

std::vector<Stretch> timeline(const ledger::DiskState& state,
                              std::span<const ledger::ClaimRow> claims,
                              std::span<const ledger::ObservationRow> observations, Instant from,
                              Instant now) {
  Line line(from, now);
  bool said = false;  // by a person, and nothing was seen at a port since
  for (const Event& event : events_of(state.disk.name, claims, observations)) {
    if (event.claim != nullptr) {
      line.enter(event.time, phase_of(event.claim->state));
      line.leave_port();
      said = true;
      continue;
    }
    switch (event.observation->state) {
      case Observed::enrolled:
        line.enter(event.time, Phase::on_site);
        break;
      case Observed::copying:
      case Observed::verifying:
        line.enter(event.time, Phase::copying);
        line.leave_port();
        said = false;
        break;
      case Observed::away:
        // Noticed late, perhaps: where it went, a person has said already.
        if (!said) line.enter(event.time, Phase::on_site);
        line.leave_port();
        break;
      case Observed::connected:
      case Observed::sealed:
      case Observed::safe_to_remove:
      case Observed::interrupted:
      case Observed::suspect:
      case Observed::damaged:
      case Observed::full:
        line.at_port(event.time);
        said = false;
        break;
    }
  }
  const bool gone =
      state.disk.end == ledger::DiskEnd::lost || state.disk.end == ledger::DiskEnd::retired;
  if (gone && state.disk.end_time) {
    line.enter(*state.disk.end_time, Phase::gone);
    line.leave_port();
  }
  return line.end();
}

}  // namespace rota::rotation
