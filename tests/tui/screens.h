#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "rotation/disks.h"
#include "tui/keys.h"
#include "tui/views.h"

namespace rota::test {

/// Two disks at the bank and on the shelf, one server "web" with a run of this night.
inline tui::Rows two_disks(const std::string& now = "2026-11-10T12:00:00Z") {
  REQUIRE(kUtc);
  tui::Rows rows;
  rows.now = when(now);
  rows.facts.sets.resize(1);
  rows.places["monthly"] = "bank";
  rows.facts.disks = {here("A", "20260924T030000Z", "2026-09-24T12:00:00Z"),
                      away("B", "20261024T030000Z", "2026-10-25T10:00:00Z")};
  rows.facts.disks[1].claim->place = "bank";
  rotation::ProfileRows profile;
  profile.profile = "web";
  profile.policy.max_full_age = {.months = 3};
  ledger::RunRow run;
  run.profile = "web";
  run.name = run.chain = "20261110T030000Z-abcd";
  run.time = when("2026-11-10T03:00:00Z");
  run.files = 250'000;
  run.bytes = 400'000'000'000;
  run.stored = 90'000'000'000;
  profile.runs = {run};
  ledger::VerifyRow verified;
  verified.profile = "web";
  verified.time = when("2026-11-10T04:00:00Z");
  verified.run = run.name;
  verified.good = true;
  profile.verifications = {verified};
  rows.facts.profiles = {profile};
  rows.facts.servers = {"web"};
  for (const ledger::DiskState& state : rows.facts.disks) {
    ledger::ObservationRow row = *state.observation;
    row.id = static_cast<std::int64_t>(rows.observations.size()) + 1;
    rows.observations.push_back(row);
    if (state.claim) rows.claims.push_back(*state.claim);
  }
  if (!rows.claims.empty()) rows.claims.back().id = 9;
  return rows;
}

/// A screen with somebody before it.
struct Screen {
  tui::Model model;
  tui::State state;
  int columns = 80;
  int rows = 24;
  tui::Wish wish;  ///< of the last key

  explicit Screen(tui::Rows from = two_disks()) : model(tui::make_model(std::move(from))) {}

  std::string text(bool ascii = false) const {
    return tui::draw(model, state, columns, rows).text(ascii);
  }
  Screen& press(tui::KeyCode code) {
    tui::Key key;
    key.code = code;
    wish = tui::handle(state, model, key, columns, rows);
    return *this;
  }
  Screen& type(const std::string& text) {
    for (const char32_t character : tui::decoded(text)) {
      tui::Key key;
      key.text = tui::encoded(std::u32string(1, character));
      wish = tui::handle(state, model, key, columns, rows);
    }
    return *this;
  }
  Screen& enter() { return press(tui::KeyCode::enter); }
};

/// The line of a text that holds `part`; fails when none does.
inline std::string line_with(const std::string& text, const std::string& part) {
  const std::size_t at = text.find(part);
  INFO(text);
  REQUIRE(at != std::string::npos);
  const std::size_t begin = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
  return text.substr(begin, text.find('\n', at) - begin);
}

inline bool shows(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace rota::test
