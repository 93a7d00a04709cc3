#include "chain/backup.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "chain/catalog.h"
#include "chain/encryption.h"
#include "chain/run_writer.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

namespace {

/// Of the record's object. A copy of it is asked first: a run with nothing new needs no request
/// then.
base::Sha256Digest record_sha256(store::Store& store, const LocalState& state, const RunInfo& run) {
  if (const auto kept = state.record(run.run); kept && kept->stored_size == run.record_size) {
    return kept->stored_sha256;
  }
  return base::sha256(store.get(record_name(run.chain, run.run, run.kind), store::kMaxPut));
}

/// force_full: nothing is going to be built on what is there.
void check_is_ours(store::Store& store, const Catalog& catalog, const LocalState& state,
                   bool force_full) {
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
  if (record_sha256(store, state, *newest) != last->record_sha256) {
    throw Error(ErrorKind::refused,
                fmt::format("the record of run {} in {} is not the one that this machine wrote: it "
                            "was damaged or replaced; `rota verify --data` says more, and `rota "
                            "adopt` goes on all the same",
                            newest->run, store.description()));
  }
  const std::vector<std::string>& missing = catalog.chain(newest->chain)->missing;
  if (!missing.empty() && !force_full) {
    throw Error(ErrorKind::refused,
                fmt::format("{} shows no record of {} run{} that the newest one, {}, is built on: "
                            "they were damaged or removed, and maybe more was; `rota verify` says "
                            "what, and `rota backup --full` begins a new chain",
                            store.description(), missing.size(), missing.size() == 1 ? "" : "s",
                            newest->run));
  }
}

bool is_there(store::Store& store, const std::string& name) {
  const store::Page page = store.list(name, "", 1);
  return !page.objects.empty() && page.objects.front().name == name;
}

void clear_data(store::Store& store, const std::string& chain, const std::string& run) {
  std::vector<std::string> names;
  store::for_each_object(store, data_prefix(chain, run),
                         [&](const store::ObjectInfo& object) { names.push_back(object.name); });
  for (const std::string& name : names) store.remove(name);
}

void end_removal(store::Store& store, LocalState& state, const LocalState::Removal& run) {
  const std::string record = record_name(run.chain, run.run, run.kind);
  // A run whose record stays needs its data.
  if (!is_there(store, record) || store.remove(record) != store::Removal::later) {
    clear_data(store, run.chain, run.run);
    state.forget_record(run.run);
  }
  state.clear_removal();
}

/// The bookkeeping of a run that had become visible.
RunRecord complete(store::Store& store, LocalState& state, const LocalState::Journal& run) {
  const std::string name = record_name(run.chain, run.run, run.kind);
  const base::Bytes bytes = store.get(name, store::kMaxPut);
  base::Bytes clear = bytes;
  if (is_encrypted(bytes, ObjectType::record)) {
    if (!run.key) throw Error(ErrorKind::corrupt, "the journal lacks the run's key");
    clear = decrypt_record(name, *run.key, bytes);
  }
  RunRecord record = decode_record(clear);
  state.keep_record(run.run, bytes, clear);
  state.set_last({run.run, run.chain, base::sha256(bytes)});
  state.clear_journal();
  return record;
}

Recovered end_interrupted(store::Store& store, LocalState& state, Unfinished unfinished) {
  Recovered recovered;
  if (const auto removal = state.removal()) {
    end_removal(store, state, *removal);
    recovered.any = true;
  }
  const auto journal = state.journal();
  if (!journal) return recovered;
  recovered.any = true;
  if (is_there(store, record_name(journal->chain, journal->run, journal->kind))) {
    recovered.completed = complete(store, state, *journal);
  } else if (unfinished == Unfinished::clear) {
    clear_data(store, journal->chain, journal->run);
    state.forget_record(journal->run);
    state.clear_journal();
  }
  return recovered;
}

}  // namespace

Recovered recover_interrupted(store::Store& store, LocalState& state, Unfinished unfinished) {
  if (!state.journal() && !state.removal()) return {};
  if (const auto last = state.last()) {
    const RunKind kind = last->run == last->chain ? RunKind::full : RunKind::increment;
    // The store does not show what it should (its disk is not mounted): what was interrupted
    // cannot be judged there, and must not be forgotten.
    if (!is_there(store, record_name(last->chain, last->run, kind))) return {};
  }
  return end_interrupted(store, state, unfinished);
}

std::string adopt(store::Store& store, LocalState& state, KeyRing* keys) {
  // First: it may take a run of this machine for the last, and what is adopted is the newest.
  end_interrupted(store, state, Unfinished::clear);
  const Catalog catalog(store, nullptr, keys);
  const RunInfo* newest = catalog.newest();
  if (newest == nullptr) {
    state.clear_last();
    return "";
  }
  const base::Bytes bytes =
      store.get(record_name(newest->chain, newest->run, newest->kind), store::kMaxPut);
  if (keys != nullptr || !is_encrypted(bytes, ObjectType::record)) {
    state.keep_record(newest->run, bytes, catalog.open_record(*newest, bytes).clear);
  }
  state.set_last({newest->run, newest->chain, base::sha256(bytes)});
  return newest->run;
}

namespace {

/// What is decided before a run is written.
class Planner {
 public:
  Planner(store::Store& store, LocalState& state, const BackupSettings& settings,
          base::Clock& clock, base::Warnings& warnings)
      : store_(store),
        state_(state),
        settings_(settings),
        catalog_(store, &state, settings.keys),
        now_(clock.now()),
        warnings_(warnings) {
    check_is_ours(store, catalog_, state, settings.force_full);
    newest_ = catalog_.newest();
    chain_ = newest_ != nullptr ? catalog_.chain(newest_->chain) : nullptr;
    decide();
  }

  RunPlan plan() {
    RunPlan plan;
    plan.time = now_;
    plan.source = settings_.source;
    plan.host = settings_.host;
    plan.program = settings_.program;
    plan.level = settings_.level;
    plan.facts = settings_.facts;
    plan.kind = full_ ? RunKind::full : RunKind::increment;
    if (!full_) {
      plan.chain = chain_->chain;
      plan.parent = parent_;
      plan.parent_sha256 = state_.last()->record_sha256;
    } else if (chain_ != nullptr) {
      // Chains follow each other by name: also after the clock was set back, or within one second.
      plan.time =
          std::max(plan.time, std::max(chain_->start(), newest_->time) + std::chrono::seconds(1));
    }
    if (resume(plan)) return plan;
    recover_interrupted(store_, state_);
    plan.object_lock = lock(plan.time);
    plan.run = new_run_name(plan.time);
    if (full_) plan.chain = plan.run;
    if (!settings_.recipients.empty()) {
      plan.key = RunKey::random();
      plan.lock = {settings_.recipients, wrap(*plan.key, settings_.recipients, plan.run)};
    }
    return plan;
  }

  /// For one more try, when it turns out that an increment cannot be made.
  void force_full(const std::string& why) {
    if (full_) return;
    full_ = true;
    warnings_.warn(settings_.source, why + "; this run is a full");
  }

  bool full() const { return full_; }
  /// About how much a full reads: as much as the tree had last time. 0: unknown.
  std::uint64_t expected_bytes() const { return full_ && parent_ ? parent_->bytes : 0; }

 private:
  void decide() {
    full_ = settings_.force_full || chain_ == nullptr;
    if (chain_ == nullptr) return;
    // A full that was made while the clock was ahead must not put off the next one: the oldest time
    // in its chain counts.
    const base::Instant begun =
        std::min(chain_->start(), std::ranges::min(chain_->runs, {}, &RunInfo::time).time);
    full_ = full_ || base::after(begun, settings_.max_full_age) <= now_;
    try {
      parent_ = catalog_.record(*newest_);
    } catch (const NoKeyError& error) {
      force_full(error.what());
      return;
    }
    // A chain can be opened by the same people throughout.
    full_ = full_ || parent_->recipients != settings_.recipients;
    if (settings_.lock) {
      full_ =
          full_ || !parent_->locked_until || now_ + settings_.lock->least > *parent_->locked_until;
    }
  }

  /// Of a run that began then: one date for a whole chain.
  std::optional<store::ObjectLock> lock(base::Instant begun) const {
    if (!settings_.lock) return std::nullopt;
    const base::Instant until =
        full_ ? base::after(begun, settings_.max_full_age) + settings_.lock->least
              : *parent_->locked_until;
    return store::ObjectLock{until, settings_.lock->mode};
  }

  /// True when the plan is now to go on with the run that was interrupted.
  bool resume(RunPlan& plan) {
    const auto journal = state_.journal();
    if (!journal) return false;
    const auto begun = *run_time(journal->run);
    const auto object_lock = lock(begun);
    const bool same_lock = object_lock ? journal->locked_until == object_lock->until
                                       : !journal->locked_until.has_value();
    const bool fits =
        journal->kind == plan.kind &&
        (full_ || (journal->chain == plan.chain && journal->parent == newest_->run)) &&
        (journal->key.has_value() == !settings_.recipients.empty()) &&
        journal->lock.recipients == settings_.recipients && same_lock && begun <= plan.time &&
        plan.time - begun < kResumable && (chain_ == nullptr || !full_ || begun > chain_->start());
    if (!fits) return false;
    std::map<std::string, store::ObjectInfo> listed;
    store::for_each_object(
        store_, data_prefix(journal->chain, journal->run),
        [&](const store::ObjectInfo& object) { listed.emplace(object.name, object); });
    const auto there = [&](const ObjectRow& row) {
      const auto found = listed.find(volume_name(journal->chain, journal->run, row.number));
      return found != listed.end() && found->second.size == row.size &&
             (row.store_hash.empty() || found->second.hash.empty() ||
              row.store_hash == found->second.hash);
    };
    const auto number = full_ ? 0U : static_cast<std::uint32_t>(parent_->runs.size());
    plan.resumed = read_resume_log(state_.resume_log(), number, there, state_.files());
    if (!plan.resumed) return false;
    plan.run = journal->run;
    plan.chain = journal->chain;
    plan.time = begun;
    plan.object_lock = object_lock;
    plan.key = journal->key;
    plan.lock = journal->lock;
    for (const auto& [volume, row] : plan.resumed->volumes) {
      listed.erase(volume_name(journal->chain, journal->run, volume));
    }
    // Index objects, and volumes that were cut off: they are made anew.
    for (const auto& [name, object] : listed) store_.remove(name);
    return true;
  }

  store::Store& store_;
  LocalState& state_;
  const BackupSettings& settings_;
  Catalog catalog_;
  base::Instant now_;
  base::Warnings& warnings_;
  const RunInfo* newest_ = nullptr;
  const ChainInfo* chain_ = nullptr;
  std::optional<RunRecord> parent_;
  bool full_ = false;
};

}  // namespace

RunRecord backup(store::Store& store, LocalState& state, tree::Source& source,
                 const BackupSettings& settings, base::Clock& clock, base::Warnings& warnings,
                 base::Progress& progress, const std::stop_token& stop) {
  recover_interrupted(store, state, Unfinished::keep);
  Planner planner(store, state, settings, clock, warnings);
  std::optional<RunWriter> writer;
  const auto open = [&] {
    writer.emplace(store, state, planner.plan(), settings.keys, clock, warnings, progress, stop);
  };
  try {
    open();
  } catch (const NoKeyError& error) {
    // The index of an encrypted chain has no copy here, and nobody can open that in the store.
    if (planner.full()) throw;
    planner.force_full(error.what());
    open();
  }
  progress.set_activity(planner.full() ? "full backup" : "backup");
  progress.total_bytes = planner.expected_bytes();
  writer->consume(source);
  return writer->record();
}

}  // namespace rota::chain
