#include "chain/retention.h"

#include <fmt/core.h>

#include <algorithm>

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
  for (auto verdict = verdicts.rbegin(); verdict != verdicts.rend(); ++verdict) {
    if (!verdict->remove) continue;
    base::check_stop(stop);
    const RunInfo& run = verdict->run;
    std::vector<store::ObjectInfo> objects;
    store::for_each_object(store, data_prefix(run.chain, run.run),
                           [&](const store::ObjectInfo& object) { objects.push_back(object); });
    // Until its data is gone, the journal names the run: an interruption leaves no orphans.
    state.set_journal({run.run, run.chain, run.kind, true});
    store.remove(record_name(run.chain, run.run, run.kind));
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
  }
  return removed;
}

}  // namespace rota::chain
