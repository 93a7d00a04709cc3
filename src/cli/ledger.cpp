#include <fmt/core.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"
#include "chain/encryption.h"
#include "cli/command.h"
#include "cli/keys.h"
#include "job/backup_job.h"
#include "ledger/export.h"
#include "ledger/history.h"

namespace rota::cli {

namespace {

using base::Error;
using base::ErrorKind;

class LedgerCheck final : public Command {
 public:
  const char* name() const override { return "ledger check"; }
  const char* summary() const override { return "Whether the history is whole and unaltered"; }
  void declare(Options&) override {}

  int run(Context& context) override {
    ledger::Ledger ledger(context.places().ledger(), ledger::Ledger::Access::read);
    ledger::History history(ledger);
    const std::vector<std::string> problems = history.check();
    const ledger::Head head = history.head();
    if (context.json) {
      const nlohmann::json value = {{"good", problems.empty()},
                                    {"rows", head.rows},
                                    {"head", head.hash},
                                    {"withheld", history.withheld()},
                                    {"problems", problems}};
      fmt::print("{}\n", value.dump());
    } else {
      for (const std::string& problem : problems) fmt::print("{}\n", problem);
      if (problems.empty() && context.chatty()) {
        fmt::print("{} rows, whole and unaltered; the last has the hash {}\n", head.rows,
                   head.hash);
      }
    }
    if (const std::int64_t withheld = history.withheld(); withheld > 0) {
      context.warnings().warn(
          "ledger", fmt::format("{} rows were left out of the export from which it was rebuilt; "
                                "`rota ledger rebuild` with an export that has them, of another "
                                "disk or store, fills them in",
                                base::human_count(static_cast<std::uint64_t>(withheld))));
    }
    if (problems.empty()) return context.status();
    throw Error(ErrorKind::corrupt,
                "the ledger does not say what was recorded; `rota ledger rebuild` with the "
                "rota/ledger.json of a disk brings back what that holds");
  }
};

class LedgerExport final : public Command {
 public:
  const char* name() const override { return "ledger export"; }
  const char* summary() const override { return "The history, to rebuild the ledger from"; }

  void declare(Options& options) override {
    options.text("--out", out_, "FILE", "Write it here, for you alone to read");
    options.flag("--without-people", without_people_, "Leave out names and places of people");
  }

  int run(Context& context) override {
    ledger::Ledger ledger(context.places().ledger(), ledger::Ledger::Access::read);
    const std::string text = ledger::export_json(ledger, {.people = !without_people_});
    out_.empty() ? fmt::print("{}", text) : base::write_output(out_, text);
    return base::kExitDone;
  }

 private:
  std::string out_;
  bool without_people_ = false;
};

class LedgerRebuild final : public Command {
 public:
  const char* name() const override { return "ledger rebuild"; }
  const char* summary() const override {
    return "Make the record of the disks again from exports: the longest history counts";
  }

  void declare(Options& options) override {
    options.words(words_, "FILE…",
                  "What `rota ledger export` wrote, the rota/ledger.json of a disk, the place "
                  "where a disk is mounted, or the ledger.json of a store",
                  1, 100);
    declare_keys(options, key_options_);
    options.flag("--replace", replace_, "Give up what this machine recorded itself");
  }

  int run(Context& context) override {
    chain::KeyRing keys = make_key_ring(key_options_, "", context.stop());
    std::vector<ledger::Exported> exports;
    for (const std::string& word : words_) {
      try {
        exports.push_back(read(word, keys));
      } catch (const Error& error) {
        // One damaged disk must not keep the others from being of use.
        if (error.kind() != ErrorKind::corrupt || words_.size() == 1) throw;
        context.warnings().warn(word, error.what());
      }
    }
    ledger::Ledger ledger(context.places().ledger());
    const ledger::Rebuilt result = ledger::rebuild(ledger, exports, replace_);
    for (const std::string& warning : result.warnings) context.warnings().warn("ledger", warning);
    if (context.json) {
      const nlohmann::json value = {{"rows_before", result.rows_before},
                                    {"rows", result.rows},
                                    {"from", result.origin},
                                    {"without_people", result.without_people},
                                    {"withheld", result.withheld}};
      fmt::print("{}\n", value.dump());
    } else {
      fmt::print(
          "The ledger has {} rows, of {}{}{}.\n", result.rows,
          result.origin.empty() ? "this machine" : result.origin,
          result.withheld == 0
              ? ""
              : fmt::format("; {} of them are left out there, and other exports may have them",
                            result.withheld),
          result.without_people ? "; some names and places are missing" : "");
    }
    return context.status();
  }

 private:
  static ledger::Exported read(const std::string& word, chain::KeyRing& keys) {
    struct stat st {};
    const bool directory = ::stat(word.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
    const std::string path = directory ? word + "/rota/ledger.json" : word;
    std::string text = base::read_file(path, 2 * ledger::kMaxExport);
    const base::Bytes header = chain::object_header(chain::ObjectType::ledger);
    // Up to what the object is: a newer version is told there.
    if (text.starts_with(base::as_text(std::span(header).first(12)))) {
      try {
        text = base::as_text(chain::decrypt_alone(chain::ObjectType::ledger, job::kLedgerObject,
                                                  keys, base::as_bytes(text)));
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::interrupted) throw;
        throw Error(error.kind(), fmt::format("the ledger on {} cannot be used: {}",
                                              base::printable(word), error.what()));
      }
    }
    return ledger::parse_export(text, base::printable(word));
  }

  KeyOptions key_options_;
  std::vector<std::string> words_;
  bool replace_ = false;
};

}  // namespace

std::unique_ptr<Command> make_ledger_check() { return std::make_unique<LedgerCheck>(); }
std::unique_ptr<Command> make_ledger_export() { return std::make_unique<LedgerExport>(); }
std::unique_ptr<Command> make_ledger_rebuild() { return std::make_unique<LedgerRebuild>(); }

}  // namespace rota::cli
