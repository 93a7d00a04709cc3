#pragma once

#include <map>
#include <string>
#include <vector>

#include "recovery/installation.h"

namespace rota::recovery {

/// A part of the plan; what it looks like is for whoever shows it.
struct PlanBlock {
  enum class Kind {
    heading,    ///< of a numbered section
    paragraph,  ///< a few sentences
    command,    ///< to be typed as it stands
    tick,       ///< a step with a box to tick
    table,      ///< headings and rows
    blank       ///< a line to write on, with what belongs there in front
  } kind = Kind::paragraph;
  std::string text;                            ///< empty for a table
  std::vector<std::string> headings;           ///< of a table
  std::vector<std::vector<std::string>> rows;  ///< of a table
};

/// Something to be scanned instead of typed.
struct PlanCode {
  std::string caption;
  std::string text;
};

/// The recovery plan of one installation.
struct Plan {
  std::string title;
  std::string made;  ///< when, by which version, where
  std::vector<PlanBlock> blocks;
  std::vector<PlanCode> codes;
  bool secret = false;  ///< holds a secret key: for the safe only
};

struct PlanOptions {
  /// The plan that lies on this disk, where it is not encrypted; empty: the whole plan. A disk that
  /// is found in the street must not tell where the others are, whom to call, or where the store
  /// is: that plan names this disk, its servers and the steps, nothing else.
  std::string open_disk;
  std::map<std::string, std::string> secret_keys;  ///< of each profile: the text of its key
};

/// Pure. Never holds a secret but those in `options`.
Plan make_plan(const Installation& installation, const PlanOptions& options);

/// For a terminal or a file: lines of at most 79 columns, but for commands and names.
std::string plan_text(const Plan& plan);

/// PLAN.txt for a disk: the whole plan where the disk is encrypted, else what is said at
/// PlanOptions::open_disk.
std::string disk_plan_text(const Installation& installation, const ledger::DiskRow& disk);

/// For --with-key: the secret keys of all profiles that are encrypted, from `key_file`, or from
/// what the profiles name when that is empty. Throws Error(usage) when there is none to print, and
/// what reading it throws.
std::map<std::string, std::string> read_secret_keys(const Installation& installation,
                                                    const std::string& key_file);

}  // namespace rota::recovery
