#include "chain/backup.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "chain/catalog.h"
#include "chain/run_writer.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

namespace {

void remember(const Catalog& catalog, const RunInfo& run, LocalState& state) {
  catalog.record(run);  // what cannot be read cannot be continued
  const base::Bytes bytes = catalog.record_bytes(run);
  state.keep_record(run.run, bytes);
  state.set_last({run.run, run.chain, base::sha256(bytes)});
}

void check_is_ours(const store::Store& store, const Catalog& catalog, const LocalState& state) {
  const auto last = state.last();
  const RunInfo* newest = catalog.newest();
  if (newest == nullptr) {
    if (last || !catalog.empty()) {
      throw Error(ErrorKind::refused,
                  fmt::format("{} should hold run {} and shows no complete chain; if it is on a "
                              "disk, see that it is mounted; to begin anew there, run `rota adopt`",
                              store.description(), last ? last->run : "(unknown)"));
    }
    return;
  }
  if (!last) {
    throw Error(ErrorKind::refused,
                fmt::format("{} already holds runs, the newest is {}, and this machine wrote none "
                            "of them; to continue them here (and nowhere else), run `rota adopt`",
                            store.description(), newest->run));
  }
  if (last->run != newest->run) {
    throw Error(ErrorKind::refused,
                fmt::format("the newest run in {} is {}, but this machine's last was {}: another "
                            "machine writes there, or runs were removed; if this one shall go on, "
                            "run `rota adopt`",
                            store.description(), newest->run, last->run));
  }
  if (base::sha256(catalog.record_bytes(*newest)) != last->record_sha256) {
    throw Error(ErrorKind::refused,
                fmt::format("the record of run {} in {} is not the one that this machine wrote: it "
                            "was damaged or replaced; `rota verify --data` says more, and `rota "
                            "adopt` goes on all the same",
                            newest->run, store.description()));
  }
}

bool is_there(store::Store& store, const std::string& name) {
  const store::Page page = store.list(name, "", 1);
  return !page.objects.empty() && page.objects.front().name == name;
}

}  // namespace

bool recover_interrupted(store::Store& store, LocalState& state) {
  const auto journal = state.journal();
  if (!journal) return false;
  if (const auto last = state.last()) {
    const RunKind kind = last->run == last->chain ? RunKind::full : RunKind::increment;
    // The store does not show what it should (its disk is not mounted): what was interrupted
    // cannot be judged there, and must not be forgotten.
    if (!is_there(store, record_name(last->chain, last->run, kind))) return false;
  }
  const std::string record = record_name(journal->chain, journal->run, journal->kind);
  const bool visible = is_there(store, record);
  if (visible && !journal->removing) {
    // It was complete: only the bookkeeping is missing.
    const base::Bytes bytes = store.get(record, store::kMaxObject);
    state.keep_record(journal->run, bytes);
    state.set_last({journal->run, journal->chain, base::sha256(bytes)});
  } else {
    if (visible) store.remove(record);
    std::vector<std::string> names;
    store::for_each_object(store, data_prefix(journal->chain, journal->run),
                           [&](const store::ObjectInfo& object) { names.push_back(object.name); });
    for (const std::string& name : names) store.remove(name);
    state.forget_record(journal->run);
  }
  state.clear_journal();
  return true;
}

std::string adopt(store::Store& store, LocalState& state) {
  const Catalog catalog(store, nullptr);
  const RunInfo* newest = catalog.newest();
  if (newest == nullptr) {
    state.clear_last();
  } else {
    remember(catalog, *newest, state);
  }
  recover_interrupted(store, state);
  return newest == nullptr ? "" : newest->run;
}

RunRecord backup(store::Store& store, LocalState& state, tree::Source& source,
                 const BackupSettings& settings, base::Clock& clock, base::Warnings& warnings,
                 base::Progress& progress, const std::stop_token& stop) {
  recover_interrupted(store, state);
  const Catalog catalog(store, &state);
  check_is_ours(store, catalog, state);

  RunPlan plan;
  plan.time = clock.now();
  plan.source = settings.source;
  plan.host = settings.host;
  plan.program = settings.program;
  plan.level = settings.level;
  const RunInfo* newest = catalog.newest();
  const ChainInfo* chain = newest != nullptr ? catalog.chain(newest->chain) : nullptr;
  const bool full = settings.force_full || chain == nullptr ||
                    base::after(chain->start(), settings.max_full_age) <= plan.time;
  if (full && chain != nullptr) {
    // Chains follow each other by name: also after the clock was set back, or within one second.
    plan.time =
        std::max(plan.time, std::max(chain->start(), newest->time) + std::chrono::seconds(1));
  }
  plan.run = new_run_name(plan.time);
  if (full) {
    plan.kind = RunKind::full;
    plan.chain = plan.run;
  } else {
    plan.kind = RunKind::increment;
    plan.chain = chain->chain;
    plan.parent = catalog.record(*newest);
    plan.parent_sha256 = state.last()->record_sha256;
  }
  progress.set_activity(full ? "full backup" : "backup");
  // A full reads about as much as the tree had last time.
  if (full && newest != nullptr) progress.total_bytes = catalog.record(*newest).bytes;
  RunWriter writer(store, state, std::move(plan), clock, warnings, progress, stop);
  writer.consume(source);
  return writer.record();
}

}  // namespace rota::chain
