#include "job/attach_report.h"

#include <fmt/core.h>

#include <algorithm>

namespace rota::job {

bool AttachReport::all_sealed() const {
  return !copies.empty() && std::ranges::all_of(copies, [](const ServerCopy& copy) {
    return copy.end == ServerCopy::End::sealed || copy.end == ServerCopy::End::up_to_date;
  });
}

std::string AttachReport::failures() const {
  std::string all;
  for (const ServerCopy& copy : copies) {
    if (copy.end != ServerCopy::End::failed) continue;
    all +=
        fmt::format("{}{} was not copied: {}", all.empty() ? "" : "; ", copy.server, copy.problem);
  }
  return all;
}

std::string AttachReport::notes() const {
  std::string all;
  for (const ServerCopy& copy : copies) {
    for (const std::string& note : copy.notes) all += " " + note;
  }
  return all;
}

std::string AttachReport::held() const {
  std::string all;
  for (const ServerCopy& copy : copies) {
    if (copy.end != ServerCopy::End::held) continue;
    all += fmt::format(
        "{}the new copy of {} on disk {} is {}: {}", all.empty() ? "" : "; ", copy.server, disk,
        copy.is_written() ? "written but held"
                          : "held, and there is no room for it beside the older ones",
        copy.problem);
  }
  if (all.empty()) return all;
  if (pruned.empty()) return all + "; nothing older was removed";
  all += "; removed before that: " + pruned.front();
  if (pruned.size() > 1) all += fmt::format(" and {} more", pruned.size() - 1);
  return all;
}

std::string AttachReport::accepted() const {
  std::string all;
  for (const ServerCopy& copy : copies) {
    for (const std::string& one : copy.accepted) {
      all += fmt::format("{}{}: {}", all.empty() ? "" : "; ", copy.server, one);
    }
  }
  return all;
}

bool AttachReport::any(ServerCopy::End end) const {
  return std::ranges::find(copies, end, &ServerCopy::end) != copies.end();
}

}  // namespace rota::job
