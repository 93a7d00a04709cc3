#include "tui/model.h"

#include <algorithm>
#include <utility>

namespace rota::tui {

namespace {

/// "B: claimed off site" is about B.
std::string disk_of(const std::string& sentence, const std::vector<DiskModel>& disks) {
  const std::size_t colon = sentence.find(':');
  if (colon == std::string::npos) return "";
  const std::string name = sentence.substr(0, colon);
  const bool known =
      std::ranges::any_of(disks, [&](const DiskModel& disk) { return disk.status.name == name; });
  return known ? name : "";
}

}  // namespace

const DiskModel* Model::find(const std::string& name) const {
  const auto found =
      std::ranges::find_if(disks, [&](const DiskModel& disk) { return disk.status.name == name; });
  return found == disks.end() ? nullptr : &*found;
}

const Job* Model::job_of(const std::string& disk) const {
  const auto found = std::ranges::find(jobs, disk, &Job::disk);
  return found == jobs.end() ? nullptr : &*found;
}

const Job* Model::drill_of(const std::string& server) const {
  const auto found =
      std::ranges::find_if(jobs, [&](const Job& job) { return job.drill && job.server == server; });
  return found == jobs.end() ? nullptr : &*found;
}

Model make_model(Rows rows) {
  Model model;
  model.now = rows.now;
  rotation::Facts& facts = rows.facts;
  model.status = rotation::compute(facts, rows.now);

  const base::Instant from = base::before(rows.now, kBack);
  for (std::size_t i = 0; i < facts.disks.size(); ++i) {
    DiskModel& disk = model.disks.emplace_back();
    disk.rows = std::move(facts.disks[i]);
    disk.status = std::move(model.status.rotation.disks[i]);
    disk.timeline = rotation::timeline(disk.rows, rows.claims, rows.observations, from, rows.now);
    for (const ledger::CopyRow& copy : disk.rows.copies) {
      if (copy.state == ledger::CopyState::sealed &&
          std::ranges::find(disk.servers, copy.server) == disk.servers.end()) {
        disk.servers.push_back(copy.server);
      }
    }
  }
  model.status.rotation.disks.clear();
  for (auto row = rows.history.rbegin(); row != rows.history.rend(); ++row) {
    std::string text = ledger::sentence(*row);
    std::string disk = disk_of(text, model.disks);
    model.history.push_back({row->time, std::move(disk), std::move(text)});
  }
  model.alarms = std::move(facts.alarms);
  model.profiles = std::move(facts.profiles);
  model.places = std::move(rows.places);
  model.jobs = std::move(rows.jobs);
  return model;
}

}  // namespace rota::tui
