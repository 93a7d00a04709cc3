#include "chain/retention.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/signals.h"
#include "chain/backup.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

namespace {

void add(std::vector<Verdict>& verdicts, const ChainInfo& chain, bool remove,
         const std::string& why) {
  for (const RunInfo& run : chain.runs) verdicts.push_back({run, remove, why});
}

}  // namespace

std::vector<Verdict> older_than(const std::vector<ChainInfo>& chains, const base::Span& max_age,
                                base::Instant now) {
  std::vector<Verdict> verdicts;
  const base::Instant limit = base::before(now, max_age);
  for (std::size_t i = 0; i < chains.size(); ++i) {
    const ChainInfo& chain = chains[i];
    const auto newest = std::ranges::max(chain.runs, {}, &RunInfo::time).time;
    if (i + 1 == chains.size()) {
      add(verdicts, chain, false, "it is the newest chain");
    } else if (newest < limit) {
      add(verdicts, chain, true,
          fmt::format("all of its chain is older than {}", base::to_string(max_age)));
    } else {
      add(verdicts, chain, false,
          fmt::format("its chain's newest run, {}, is younger than {}", base::local(newest),
                      base::to_string(max_age)));
    }
  }
  return verdicts;
}

std::vector<Verdict> increments_but(const std::vector<ChainInfo>& chains, int fulls) {
  if (fulls < 1) {
    throw Error(ErrorKind::usage, "increments must be kept for at least one full");
  }
  std::vector<Verdict> verdicts;
  for (std::size_t i = 0; i < chains.size(); ++i) {
    const bool kept = i + static_cast<std::size_t>(fulls) >= chains.size();
    for (const RunInfo& run : chains[i].runs) {
      if (kept) {
        verdicts.push_back({run, false, fmt::format("its chain is one of the newest {}", fulls)});
      } else if (run.kind == RunKind::full) {
        verdicts.push_back({run, false, "fulls are kept until max_age"});
      } else {
        verdicts.push_back(
            {run, true, fmt::format("its chain is not one of the newest {}", fulls)});
      }
    }
  }
  return verdicts;
}

void Removed::add(const Removed& other) {
  runs += other.runs;
  objects += other.objects;
  bytes += other.bytes;
  later.insert(later.end(), other.later.begin(), other.later.end());
  hidden = hidden || other.hidden;
}

namespace {

/// False when the run stays whole, because its record does.
bool remove_run(store::Store& store, LocalState& state, const RunInfo& run, Removed& removed) {
  std::vector<store::ObjectInfo> objects;
  store::for_each_object(store, data_prefix(run.chain, run.run),
                         [&](const store::ObjectInfo& object) { objects.push_back(object); });
  // Until its data is gone, the journal names the run: an interruption leaves no orphans.
  state.set_journal({run.run, run.chain, run.kind, true});
  const store::Removal record = store.remove(record_name(run.chain, run.run, run.kind));
  if (record == store::Removal::later) {
    state.clear_journal();
    return false;
  }
  removed.hidden = removed.hidden || record == store::Removal::hidden;
  for (const store::ObjectInfo& object : objects) {
    store.remove(object.name);
    ++removed.objects;
    removed.bytes += object.size;
  }
  state.forget_record(run.run);
  state.clear_journal();
  ++removed.runs;
  ++removed.objects;
  removed.bytes += run.record_size;
  return true;
}

}  // namespace

Removed remove_runs(store::Store& store, LocalState& state, const std::vector<Verdict>& verdicts,
                    base::Clock& clock, const std::stop_token& stop) {
  Removed removed;
  if (std::ranges::none_of(verdicts, &Verdict::remove)) return removed;
  if (const auto theirs = store.now()) {
    const auto apart = std::chrono::abs(*theirs - clock.now());
    if (apart > std::chrono::hours(1)) {
      throw Error(ErrorKind::refused,
                  fmt::format("this machine's clock and that of {} differ by {} seconds; set the "
                              "clock before anything is removed by age",
                              store.description(),
                              std::chrono::duration_cast<std::chrono::seconds>(apart).count()));
    }
  }
  // There is one journal: what it names comes first, or would be forgotten.
  recover_interrupted(store, state);
  if (state.journal()) {
    throw Error(ErrorKind::refused,
                fmt::format("an unfinished run could not be cleared from {}, which does not show "
                            "this machine's last run; see that it is mounted, or run `rota adopt`",
                            store.description()));
  }
  // Verdicts stand in the order of parents: backwards, no run loses one that it is built on.
  std::string staying;  // the chain of which a run stays, with all that it is built on
  for (auto verdict = verdicts.rbegin(); verdict != verdicts.rend(); ++verdict) {
    if (!verdict->remove) continue;
    base::check_stop(stop);
    const RunInfo& run = verdict->run;
    if (run.chain == staying || !remove_run(store, state, run, removed)) {
      staying = run.chain;
      removed.later.push_back(run.run);
    }
  }
  return removed;
}

Removed remove_forgotten(store::Store& store, const LocalState& state, base::Instant now,
                         const std::stop_token& stop) {
  Removed removed;
  const auto last = state.last();
  bool last_is_there = false;
  std::set<std::string> visible;  // prefixes of the data of runs that have a record
  store::for_each_object(store, std::string(kRecordPrefix), [&](const store::ObjectInfo& object) {
    const auto id = parse_record_name(object.name);
    if (!id) return;
    visible.insert(data_prefix(id->chain, id->run));
    last_is_there = last_is_there || (last && id->run == last->run);
  });
  if (!last_is_there) return removed;
  const auto journal = state.journal();
  if (journal) visible.insert(data_prefix(journal->chain, journal->run));
  std::vector<store::ObjectInfo> forgotten;
  store::for_each_object(store, std::string(kDataPrefix), [&](const store::ObjectInfo& object) {
    const std::size_t end = object.name.find_last_of('/');
    const std::string prefix = object.name.substr(0, end + 1);
    const auto begun = run_time(prefix.substr(prefix.find_last_of('/', end - 1) + 1,
                                              end - prefix.find_last_of('/', end - 1) - 1));
    if (begun && now - *begun > kResumable && !visible.contains(prefix)) {
      forgotten.push_back(object);
    }
  });
  for (const store::ObjectInfo& object : forgotten) {
    base::check_stop(stop);
    if (store.remove(object.name) == store::Removal::later) continue;
    ++removed.objects;
    removed.bytes += object.size;
  }
  return removed;
}

}  // namespace rota::chain
