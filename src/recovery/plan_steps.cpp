#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "chain/key.h"
#include "recovery/drill.h"
#include "recovery/plan_parts.h"

namespace rota::recovery {

namespace {

/// How long it takes, by the last time that somebody tried.
void add_drills(PlanBuilder& plan, const Installation& installation) {
  for (const rotation::DrillStatus& drill : installation.status.rotation.drills) {
    if (!drill.passed) continue;
    plan.paragraph(fmt::format("How long it takes: the last drill of {} that passed, {} on {}, {}.",
                               drill.server, where_from(*drill.passed),
                               base::local(drill.passed->time).substr(0, 10),
                               restored_text(*drill.passed)));
  }
}

/// The command that restores a server on a machine that has no profile of it.
std::string restore_command(const profile::Profile& profile) {
  std::string command = "rota restore --target " + base::printable(profile.target);
  for (const auto& [option, value] : reached_by(profile)) {
    command += fmt::format(" --{} {}", option, base::printable(value));
  }
  if (!profile.credentials.empty()) command += " --credentials FILE";
  // A passphrase is asked for.
  if (!profile.encrypt_to.empty() && !opened_by_passphrase(profile)) command += " --key KEYFILE";
  return command + " --to /mnt/target";
}

void add_disk_command(PlanBuilder& plan, const Installation& installation,
                      const std::string& disk) {
  const bool encrypted = std::ranges::any_of(installation.disks, [&](const auto& state) {
    return state.disk.name == disk && !state.disk.luks_uuid.empty();
  });
  plan.paragraph("From a disk, plugged into a clean machine; it is only read:");
  plan.command(fmt::format("rota restore --disk {}{} --to /mnt/target", disk,
                           encrypted ? " --disk-key FILE" : ""));
  if (!encrypted) return;
  plan.paragraph(
      "FILE is the disk's key file, or a file with the recovery passphrase; without --disk-key "
      "rota "
      "asks for the passphrase.");
}

}  // namespace

std::vector<std::pair<std::string, std::string>> reached_by(const profile::Profile& profile) {
  std::vector<std::pair<std::string, std::string>> options;
  const bool b2 = profile.target.starts_with("b2://");
  if (!b2 && !profile.target.starts_with("s3://")) return options;
  const std::string& endpoint = b2 ? profile.b2.api_url : profile.s3.endpoint;
  if (!endpoint.empty()) options.emplace_back("endpoint", endpoint);
  if (b2) return options;
  if (!profile.s3.region.empty()) options.emplace_back("region", profile.s3.region);
  if (profile.s3.path_style) {
    options.emplace_back("path-style", *profile.s3.path_style ? "true" : "false");
  }
  return options;
}

bool opened_by_passphrase(const profile::Profile& profile) {
  return std::ranges::any_of(profile.encrypt_to, [](const std::string& recipient) {
    return recipient.starts_with(chain::kLockPrefix);
  });
}

void add_steps(PlanBuilder& plan, const Installation& installation, bool open) {
  plan.heading("A server is lost: the order of steps");
  plan.tick(
      "Find out what happened before anything is restored: hardware, a mistake, an intruder?");
  plan.tick(
      "An intruder: take the server off the network, leave it switched on if somebody is to "
      "look at it, and do not use its passwords any more.");
  plan.tick("Get a clean machine and start it from a live system whose download was checked.");
  if (open) {
    plan.tick("Fetch a disk with a good copy. This one may be the last: only read it.");
  } else {
    for (const rotation::Exposure& exposure : installation.status.rotation.exposures) {
      if (!exposure.any_offsite_copy || !exposure.falls_back_to) continue;
      plan.tick(fmt::format("{}: the newest copy out of reach is on disk {} at '{}', as of {}.",
                            exposure.server, exposure.disk, base::printable(exposure.place),
                            base::local(*exposure.falls_back_to)));
    }
    plan.tick(
        "Is the online store whole and newer? Then restore from it; a disk is for when it is "
        "not, or when nobody can tell.");
    plan.tick("Fetch one disk only, and leave the others where they are.");
  }
  plan.tick("Restore into an empty directory (commands below) and check it.");
  plan.tick(
      "Partitions, mounts, packages and network as they were: FACTS.txt beside the copy on "
      "a disk, or `rota facts`.");
  plan.tick("Make it start: /etc/fstab with the new UUIDs, chroot, install the boot loader.");
  plan.tick("Load the databases from their dumps (below).");
  plan.tick("New passwords and keys for everything that the lost server knew, the store's first.");
  plan.tick("Let rota go on: `rota adopt`, and `rota disk adopt` for each disk.");
  plan.tick("Test what people need, then tell them. Write down how long each step took.");
  plan.blank("Noticed at (date, time, by whom)");
  plan.blank("Running again at");
}

void add_commands(PlanBuilder& plan, const Installation& installation, const std::string& disk,
                  bool open) {
  plan.heading("Restore with rota");
  if (!open && !installation.profiles.empty()) {
    plan.paragraph(
        "From the online store, on any machine that has rota. The credentials are those "
        "of section 3, in a file that only you can read (mode 0600).");
    for (const profile::Profile& profile : installation.profiles) {
      plan.command(restore_command(profile));
    }
    if (std::ranges::any_of(installation.profiles, opened_by_passphrase)) {
      plan.paragraph("rota asks for the passphrase where one opens the backups.");
    }
  }
  if (!open) add_drills(plan, installation);
  add_disk_command(plan, installation, disk);
  plan.paragraph(
      "An earlier state: --at 2026-09-24; a part only: --path etc/mysql. A disk that "
      "holds several servers: put the server's name behind `restore`.");

  plan.heading("Restore without rota");
  plan.paragraph(
      "A copy on a disk is plain files. RECOVER.txt on the disk has these commands with "
      "the names filled in; put the partition that lsblk shows for /dev/sdX1.");
  plan.command("lsblk -o NAME,SIZE,FSTYPE,LABEL");
  const bool encrypted = std::ranges::any_of(
      installation.disks, [](const auto& state) { return !state.disk.luks_uuid.empty(); });
  if (encrypted && !open) plan.command("cryptsetup open --readonly /dev/sdX1 rota-recover");
  plan.command("mkdir -p /mnt/rota /mnt/target");
  plan.command(fmt::format("mount -o ro,nosuid,nodev,noexec LABEL=ROTA-{} /mnt/rota", disk));
  plan.command("ls /mnt/rota/rota/*");
  plan.command("cd /mnt/rota/rota/SERVER/TIME/tree && sha256sum --check --quiet ../SHA256SUMS");
  plan.command("cp -a /mnt/rota/rota/SERVER/TIME/tree/. /mnt/target/");
  if (!open) {
    plan.paragraph(
        "The online store is not plain files: rota reads it, and docs/format.md of rota "
        "says exactly enough to write another reader. Its objects can be fetched with "
        "any tool that knows the store, such as rclone.");
  }
}

void add_databases(PlanBuilder& plan, const Installation& installation) {
  plan.heading("Databases");
  plan.paragraph(
      "Files of a database that was running when they were copied may not fit each "
      "other. Load the dumps instead, into an empty server of the same version:");
  plan.command("zcat DUMP.sql.gz | mysql            # MariaDB, MySQL");
  plan.command("psql -f DUMP.sql postgres           # PostgreSQL, from pg_dumpall");
  plan.command("pg_restore -d DATABASE DUMP         # PostgreSQL, from pg_dump -Fc");
  for (const profile::Profile& profile : installation.profiles) {
    if (profile.pre.empty()) continue;
    plan.paragraph(
        fmt::format("{}: the program `pre` beside its profile makes the dumps before each "
                    "copy, and says where they lie: {}",
                    profile.name, base::printable(profile.pre)));
  }
  plan.blank("Where the dumps lie");
}

}  // namespace rota::recovery
