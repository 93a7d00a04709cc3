#include "labels/label.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "ledger/disk_code.h"

namespace rota::labels {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* kWarning =
    "Do not connect to a running or suspect computer; read page 1 of the recovery plan.";
constexpr std::size_t kShownDigits = 8;

std::string date(base::Instant time) { return base::iso(time).substr(0, 10); }

/// "2026-10-24 03:00 UTC".
std::string minute(base::Instant time) {
  std::string text = base::iso(time).substr(0, 16);
  text[10] = ' ';
  return text + " UTC";
}

const ledger::DiskState& find(const recovery::Installation& installation, const std::string& name) {
  std::vector<std::string> names;
  for (const ledger::DiskState& state : installation.disks) {
    if (state.disk.name == name || state.disk.label == name) return state;
    names.push_back(state.disk.name);
  }
  throw Error(ErrorKind::not_found,
              names.empty() ? "there is no rotation disk yet; `rota disk prepare` makes one"
                            : fmt::format("there is no disk {}; there are {}",
                                          base::printable(name), fmt::join(names, ", ")));
}

/// "disk 2 of 3", in the order of rotation.toml, else of the names.
std::string number_in_set(const recovery::Installation& installation, const std::string& name,
                          const profile::DiskSet& set) {
  std::vector<std::string> members = set.disks;
  if (members.empty()) {
    for (const ledger::DiskState& state : installation.disks) {
      if (state.disk.end != ledger::DiskEnd::retired && state.disk.end != ledger::DiskEnd::lost &&
          installation.rotation.set_of(state.disk.name) == &set) {
        members.push_back(state.disk.name);
      }
    }
  }
  const auto at = std::ranges::find(members, name);
  if (at == members.end()) return "";
  return fmt::format("disk {} of {}", at - members.begin() + 1, members.size());
}

void permanent_lines(const recovery::Installation& installation, const ledger::DiskState& state,
                     const profile::DiskSet* set, Label& label) {
  const profile::Paper& paper = installation.rotation.paper;
  if (!paper.if_found.empty()) {
    label.lines.push_back({"If found: " + paper.if_found, false, true});
  }
  if (set != nullptr) {
    const std::string number = number_in_set(installation, state.disk.name, *set);
    label.lines.push_back(
        {fmt::format("Set {}{}{}", set->name, number.empty() ? "" : ", ", number), true, false});
  }
  if (!paper.owner.empty()) label.lines.push_back({paper.owner, false, false});
  label.lines.push_back({kWarning, false, false});
}

/// The newest copy of each server that is on the disk, newest first.
std::vector<const ledger::CopyRow*> newest_copies(const ledger::DiskState& state) {
  std::vector<const ledger::CopyRow*> newest;
  std::set<std::string> seen;
  for (auto copy = state.copies.rbegin(); copy != state.copies.rend(); ++copy) {
    if (copy->state != ledger::CopyState::sealed || !seen.insert(copy->server).second) continue;
    newest.push_back(&*copy);
  }
  return newest;
}

std::string verified(const ledger::CopyRow& copy) {
  if (!copy.counts()) return "NOT VERIFIED";
  return copy.sums_sha256.empty()
             ? "verified"
             : "verified, manifest " + copy.sums_sha256.substr(0, kShownDigits);
}

void monthly_lines(const recovery::Installation& installation, const ledger::DiskState& state,
                   const profile::DiskSet* set, Style style, Label& label) {
  const auto copies = newest_copies(state);
  label.lines.push_back({"Copy of " + minute(copies.front()->snapshot_time()), true, true});
  if (style == Style::full) {
    for (const ledger::CopyRow* copy : copies) {
      std::string text = copy->server;
      if (copy->snapshot != copies.front()->snapshot)
        text += " of " + minute(copy->snapshot_time());
      label.lines.push_back(
          {fmt::format("{}: {}, {}", text, base::human_size(copy->bytes), verified(*copy)), false,
           false});
    }
  }
  for (const rotation::SetStatus& status : installation.status.rotation.sets) {
    if (set == nullptr || status.name != set->name || !status.due) continue;
    label.lines.push_back({"Next swap due " + date(*status.due), false, false});
  }
  if (style == Style::discreet) return;
  if (set != nullptr && set->max_age != base::Span{}) {
    label.lines.push_back(
        {"Discard after " + date(base::after(copies.front()->snapshot_time(), set->max_age)), false,
         false});
  }
  if (!state.disk.luks_uuid.empty()) {
    label.lines.push_back({"LUKS2 encrypted – key sheet no. ____", false, false});
  }
  label.lines.push_back({kWarning, false, false});
}

}  // namespace

Label make_label(const recovery::Installation& installation, const std::string& disk, Kind kind,
                 Style style) {
  const ledger::DiskState& state = find(installation, disk);
  const profile::DiskSet* set = installation.rotation.set_of(state.disk.name);
  Label label;
  label.disk = state.disk.name;
  label.id = ledger::printed_id(state.disk.name);
  ledger::DiskCode code;
  code.name = state.disk.name;
  if (style == Style::full && set != nullptr) code.set = set->name;
  if (kind == Kind::monthly) {
    const auto copies = newest_copies(state);
    if (copies.empty()) {
      throw Error(
          ErrorKind::refused,
          fmt::format("disk {0} holds no sealed copy, so that there is nothing for a monthly "
                      "label; `rota label {0} --kind permanent` prints the other one",
                      state.disk.name));
    }
    code.snapshot = copies.front()->snapshot_time();
    code.sums = copies.front()->sums_sha256.substr(0, kShownDigits);
    monthly_lines(installation, state, set, style, label);
  } else {
    label.barcode = label.id;
    if (style == Style::full) {
      permanent_lines(installation, state, set, label);
    } else if (const std::string& text = installation.rotation.paper.if_found_discreet;
               !text.empty()) {
      label.lines.push_back({text, false, true});
    }
  }
  label.qr.push_back(ledger::code_text(code));
  code.set.clear();
  label.qr.push_back(ledger::code_text(code));
  code.sums.clear();
  label.qr.push_back(ledger::code_text(code));
  return label;
}

}  // namespace rota::labels
