#pragma once

#include <string>
#include <utility>
#include <vector>

#include "recovery/plan.h"

namespace rota::recovery {

/// Builds a plan block by block, with numbered sections.
class PlanBuilder {
 public:
  explicit PlanBuilder(Plan& plan) : plan_(plan) {}

  void heading(const std::string& text) {
    add(PlanBlock::Kind::heading, std::to_string(++section_) + ". " + text);
  }
  void paragraph(const std::string& text) { add(PlanBlock::Kind::paragraph, text); }
  void command(const std::string& text) { add(PlanBlock::Kind::command, text); }
  void tick(const std::string& text) { add(PlanBlock::Kind::tick, text); }
  void blank(const std::string& text) { add(PlanBlock::Kind::blank, text); }
  void table(std::vector<std::string> headings, std::vector<std::vector<std::string>> rows) {
    plan_.blocks.push_back(
        {PlanBlock::Kind::table, std::string(), std::move(headings), std::move(rows)});
  }

 private:
  void add(PlanBlock::Kind kind, const std::string& text) {
    plan_.blocks.push_back({kind, text, {}, {}});
  }

  Plan& plan_;
  int section_ = 0;
};

/// What it takes to reach a profile's store beside its target, by the words of the options that
/// say the same without a profile: {"endpoint", "https://s3.example.org"}.
std::vector<std::pair<std::string, std::string>> reached_by(const profile::Profile& profile);
/// Whether a passphrase opens its backups, which rota asks for; else it takes a key file.
bool opened_by_passphrase(const profile::Profile& profile);

/// The order of steps for a lost server. open: see PlanOptions::open_disk.
void add_steps(PlanBuilder& plan, const Installation& installation, bool open);
/// The commands that restore with rota, and with stock tools alone. disk: whose name stands in
/// them.
void add_commands(PlanBuilder& plan, const Installation& installation, const std::string& disk,
                  bool open);
void add_databases(PlanBuilder& plan, const Installation& installation);

}  // namespace rota::recovery
