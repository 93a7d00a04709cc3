#include "recovery/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/version.h"
#include "ledger/disk_code.h"
#include "recovery/plan_parts.h"

namespace rota::recovery {

namespace {

using base::printable;

std::string date(base::Instant time) { return base::iso(time).substr(0, 10); }

void add_first(PlanBuilder& plan, const Installation& installation, bool open) {
  plan.heading("First");
  plan.tick(
      "Do not plug a disk into a running server or into a machine that somebody else may "
      "control: what reaches that machine reaches the disk.");
  plan.tick("Do not write to any disk before the files are safe elsewhere.");
  if (open) return;
  plan.tick("Call, before you begin:");
  std::vector<std::vector<std::string>> rows;
  for (const std::string& contact : installation.rotation.paper.contacts) {
    rows.push_back({printable(contact), "__________________"});
  }
  if (!rows.empty()) plan.table({"whom to call", "reached at"}, rows);
  plan.blank(rows.empty() ? "Name and number" : "Others");
}

std::string where(const rotation::DiskStatus& disk) {
  std::string text = disk.word;
  if (!disk.place.empty()) text += fmt::format(", {}", printable(disk.place));
  return text;
}

void add_places(PlanBuilder& plan, const Installation& installation) {
  plan.heading("What is where");
  for (const rotation::Exposure& exposure : installation.status.rotation.exposures) {
    if (!exposure.sentence.empty()) plan.paragraph(exposure.sentence);
  }
  std::vector<std::vector<std::string>> rows;
  for (const rotation::DiskStatus& disk : installation.status.rotation.disks) {
    rows.push_back(
        {ledger::printed_id(disk.name), where(disk), printable(disk.by),
         disk.since ? date(*disk.since) : "",
         disk.newest ? fmt::format("{} {}", disk.newest->server, date(disk.newest->snapshot_time()))
                     : "none"});
  }
  if (rows.empty()) {
    plan.paragraph("There is no rotation disk yet: `rota disk prepare` makes one.");
  } else {
    plan.table({"disk", "where", "by the word of", "since", "newest copy"}, rows);
  }
}

/// Only public keys stand here: what tells which key is the right one.
void add_store(PlanBuilder& plan, Plan& document, const profile::Profile& profile) {
  std::string place = printable(profile.target);
  std::string code = fmt::format("rota plan\nserver: {}\nstore: {}", profile.name, profile.target);
  for (const auto& [what, value] : reached_by(profile)) {
    place += fmt::format(", {} {}", what, printable(value));
    code += fmt::format("\n{}: {}", what, value);
  }
  plan.paragraph(
      fmt::format("Server {}, {} of it: {}", profile.name, printable(profile.source), place));
  if (!profile.credentials.empty()) {
    plan.paragraph(
        fmt::format("Its access key lay on the server in {}; a copy of it that can read "
                    "belongs in the safe:",
                    printable(profile.credentials)));
    plan.blank("Access key kept at");
  }
  if (profile.encrypt_to.empty()) {
    plan.paragraph("The backups are not encrypted.");
  } else {
    plan.paragraph(
        opened_by_passphrase(profile)
            ? "The backups are encrypted. This opens them: the passphrase (or the secret key) of"
            : "The backups are encrypted. This opens them: the secret key of");
    for (const std::string& recipient : profile.encrypt_to) {
      plan.command(recipient);
      code += "\nkey: " + recipient;
    }
    plan.blank(opened_by_passphrase(profile) ? "Passphrase kept at" : "Secret key kept at");
  }
  document.codes.push_back({fmt::format("{}: store and key", profile.name), code});
}

void add_stores(PlanBuilder& plan, Plan& document, const Installation& installation,
                const PlanOptions& options) {
  plan.heading("How to reach the store and the keys");
  for (const profile::Profile& profile : installation.profiles) {
    add_store(plan, document, profile);
    const auto secret = options.secret_keys.find(profile.name);
    if (secret == options.secret_keys.end()) continue;
    document.secret = true;
    plan.paragraph(
        fmt::format("THE SECRET KEY of {}: whoever holds this page can read its backups. "
                    "To be typed into a file with mode 0600:",
                    profile.name));
    plan.command(secret->second);
    document.codes.push_back({fmt::format("{}: THE SECRET KEY", profile.name), secret->second});
  }
  std::vector<std::vector<std::string>> rows;
  for (const ledger::DiskState& state : installation.disks) {
    if (state.disk.luks_uuid.empty() || state.disk.end == ledger::DiskEnd::retired) continue;
    const profile::DiskSet* set = installation.rotation.set_of(state.disk.name);
    rows.push_back({printable(state.disk.label),
                    set != nullptr && !set->key_file.empty()
                        ? printable(set->key_file)
                        : fmt::format("{}/keys/{}.key", installation.config, state.disk.name),
                    "________"});
  }
  if (rows.empty()) return;
  plan.paragraph(
      "Encrypted disks open with their key file, which lay on the server, or with the "
      "recovery passphrase that was shown once when they were prepared:");
  plan.table({"disk", "key file on the server", "passphrase: sheet no."}, rows);
}

void add_copies(PlanBuilder& plan, const ledger::DiskState& state) {
  plan.heading("What is on this disk");
  std::vector<std::vector<std::string>> rows;
  for (const ledger::CopyRow& copy : state.copies) {
    if (copy.state != ledger::CopyState::sealed) continue;
    rows.push_back({copy.server, base::iso(copy.snapshot_time()), base::human_size(copy.bytes)});
  }
  if (rows.empty()) return plan.paragraph("No complete copy yet.");
  plan.table({"server", "as it was at", ">size"}, rows);
  plan.paragraph(
      "The whole plan, with where the other disks are, whom to call and how to reach the "
      "online store, is on paper: this disk is not encrypted, and must not tell it.");
}

}  // namespace

Plan make_plan(const Installation& installation, const PlanOptions& options) {
  const bool open = !options.open_disk.empty();
  Plan plan;
  PlanBuilder builder(plan);
  plan.title = open ? fmt::format("Recovery plan on disk ROTA-{}", options.open_disk)
                    : fmt::format("Recovery plan of {}", printable(installation.host));
  plan.made = fmt::format("Made on {} by rota {}.", base::local(installation.now), base::kVersion);
  if (!open) {
    plan.made += " Make a new one when a disk, a place, a key or a telephone number changes.";
    if (const std::string& owner = installation.rotation.paper.owner; !owner.empty()) {
      plan.made += fmt::format(" Owner: {}.", printable(owner));
    }
  }
  add_first(builder, installation, open);
  std::string disk = open ? options.open_disk : installation.status.rotation.worst.disk;
  if (disk.empty()) disk = installation.disks.empty() ? "B" : installation.disks.front().disk.name;
  if (open) {
    for (const ledger::DiskState& state : installation.disks) {
      if (state.disk.name == options.open_disk) add_copies(builder, state);
    }
  } else {
    add_places(builder, installation);
    add_stores(builder, plan, installation, options);
  }
  add_steps(builder, installation, open);
  add_commands(builder, installation, disk, open);
  if (!open) add_databases(builder, installation);
  builder.heading("Notes");
  for (int line = 0; line < 6; ++line) builder.blank("");
  return plan;
}

std::string disk_plan_text(const Installation& installation, const ledger::DiskRow& disk) {
  PlanOptions options;
  if (disk.luks_uuid.empty()) options.open_disk = disk.name;
  return plan_text(make_plan(installation, options));
}

}  // namespace rota::recovery
