#pragma once

#include "ledger/disk_samples.h"
#include "recovery/installation.h"

namespace rota::test {

/// Three disks of one set, of which B, encrypted, holds two servers; all of it made up.
inline recovery::Installation sample_installation(const std::string& b = "B") {
  recovery::Installation here;
  here.host = "web1";
  here.now = when("2026-10-25T12:00:00Z");
  here.config = "/etc/rota";
  for (const char* name : {"web", "mail"}) {
    profile::Profile& profile = here.profiles.emplace_back();
    profile.name = name;
    profile.directory = std::string("/etc/rota/") + name;
    profile.target = std::string("b2://example-backup/") + name;
    profile.credentials = profile.directory + "/b2.key";
  }
  here.profiles[0].encrypt_to = {
      "rota-pub-1-abcd-efgh-ijkl-mnop-qrst-uvwx-yz23-4567-abcd-efgh-ijkl-mnop-qrst-uv"};
  here.profiles[0].key = "/root/secret.key";
  here.profiles[0].pre = "/etc/rota/web/pre";
  here.rotation = profile::default_rotation();
  here.rotation.sets[0].max_age = {.years = 1};
  here.rotation.paper.owner = "Example Ltd";
  here.rotation.paper.if_found = "call +49 30 123456";
  here.rotation.paper.contacts = {"Jo Doe, +49 30 123456", "Data centre, +49 30 654321"};
  for (const std::string& name : {std::string("A"), b, std::string("C")}) {
    ledger::DiskState& state = here.disks.emplace_back();
    state.disk = some_disk(name);
    if (name == "C") state.disk.luks_uuid.clear();
    for (const char* server : {"web", "mail"}) {
      const std::string snapshot = name == b ? "20261024T030000Z" : "20260924T030000Z";
      ledger::CopyRow& copy = state.copies.emplace_back(some_copy(name, snapshot, server));
      copy.sums_sha256 = "1a2b3c4d" + std::string(56, '0');
    }
    ledger::ClaimRow claim;
    claim.disk = name;
    claim.time = when("2026-10-24T09:00:00Z");
    claim.state = ledger::Claimed::off_site;
    claim.place = name == "A" ? "bank" : "Jo's safe";
    claim.by = "Jo Doe";
    state.claim = claim;
    state.claim_holds = true;
  }
  rotation::Facts facts;
  facts.sets.resize(1);
  facts.disks = here.disks;
  facts.servers = {"web", "mail"};
  facts.written = true;
  here.status = rotation::compute(facts, here.now);
  return here;
}

}  // namespace rota::test
