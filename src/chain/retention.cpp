#include "chain/retention.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "chain/backup.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

namespace {

/// Of all of a chain, in the order of parents: backwards, no run loses one that it is built on.
void add(std::vector<Verdict>& verdicts, const ChainInfo& chain, const Verdict& verdict) {
  for (const auto* runs : {&chain.runs, &chain.stray}) {
    for (const RunInfo& run : *runs) {
      verdicts.push_back(verdict);
      verdicts.back().run = run;
    }
  }
}

std::string remove_by_hand(const ChainInfo& chain) {
  return fmt::format("`rota purge --chain {}` removes it", chain.chain);
}

/// newest: the time of its newest run.
Verdict judge(base::Instant newest, const base::Span& max_age, const Ageing& ageing) {
  Verdict verdict;
  const std::string age = base::to_string(max_age);
  if (newest < base::before(ageing.now_since(newest), max_age)) {
    verdict.remove = true;
    verdict.why = fmt::format("all of its chain is older than {}", age);
  } else if (newest < base::before(ageing.now(), max_age)) {
    verdict.held = true;
    verdict.why = fmt::format(
        "its chain is older than {} only if the clock is right; if it is, "
        "say so with --clock-is-right",
        age);
  } else {
    verdict.why =
        fmt::format("its chain's newest run, {}, is younger than {}", base::local(newest), age);
  }
  return verdict;
}

}  // namespace

Ageing::Ageing(const Catalog& catalog, const base::Span& max_full_age, base::Instant now,
               std::optional<base::Instant> believed)
    : now_(now) {
  const base::Instant vouched_for =
      believed.value_or(base::Instant::max()) <= now ? *believed : base::Instant::min();
  std::vector<base::Instant> times{now};
  if (vouched_for != base::Instant::min()) times.push_back(vouched_for);
  for (const auto* chains : {&catalog.chains(), &catalog.broken()}) {
    for (const ChainInfo& chain : *chains) {
      for (const auto* runs : {&chain.runs, &chain.stray}) {
        for (const RunInfo& run : *runs) {
          if (run.time < now && run.time > vouched_for) times.push_back(run.time);
        }
      }
    }
  }
  std::ranges::sort(times);
  for (std::size_t i = 1; i < times.size(); ++i) {
    if (base::after(times[i - 1], max_full_age) + kSpareGap < times[i]) {
      gaps_.push_back({times[i - 1], times[i]});
    }
  }
}

base::Instant Ageing::now_since(base::Instant then) const {
  base::Instant now = now_;
  for (const Gap& gap : gaps_) {
    if (gap.to > then) now -= gap.to - std::max(gap.from, then);
  }
  return now;
}

std::optional<Ageing::Gap> Ageing::doubt() const {
  if (gaps_.empty()) return std::nullopt;
  return std::ranges::max(gaps_, {}, [](const Gap& gap) { return gap.to - gap.from; });
}

std::vector<Verdict> older_than(const std::vector<ChainInfo>& chains, const base::Span& max_age,
                                const Ageing& ageing, const std::vector<ChainInfo>& broken) {
  std::vector<Verdict> verdicts;
  for (const ChainInfo& chain : broken) {
    Verdict verdict =
        judge(std::ranges::max(chain.stray, {}, &RunInfo::time).time, max_age, ageing);
    if (chains.empty()) {
      verdict = {{}, false, "no chain can be restored; `rota backup` begins a new one", false};
    } else if (!verdict.remove && !verdict.held) {
      verdict.why += "; nothing of it can be restored, and " + remove_by_hand(chain);
    }
    add(verdicts, chain, verdict);
  }
  for (std::size_t i = 0; i < chains.size(); ++i) {
    const bool newest = i + 1 == chains.size();
    add(verdicts, chains[i],
        newest ? Verdict{{}, false, "it is the newest chain", false}
               : judge(std::ranges::max(chains[i].runs, {}, &RunInfo::time).time, max_age, ageing));
  }
  return verdicts;
}

std::vector<Verdict> increments_but(const std::vector<ChainInfo>& chains, int fulls,
                                    const std::vector<ChainInfo>& broken) {
  if (fulls < 1) {
    throw Error(ErrorKind::usage, "increments must be kept for at least one full");
  }
  std::vector<Verdict> verdicts;
  for (const ChainInfo& chain : broken) {
    add(verdicts, chain,
        {{},
         false,
         "nothing of its chain can be restored, and it goes by max_age; " + remove_by_hand(chain),
         false});
  }
  for (std::size_t i = 0; i < chains.size(); ++i) {
    if (i + static_cast<std::size_t>(fulls) >= chains.size()) {
      add(verdicts, chains[i],
          {{}, false, fmt::format("its chain is one of the newest {}", fulls), false});
      continue;
    }
    const std::size_t first = verdicts.size();
    add(verdicts, chains[i],
        {{}, true, fmt::format("its chain is not one of the newest {}", fulls), false});
    verdicts[first].remove = false;
    verdicts[first].why = "fulls are kept until max_age";
  }
  return verdicts;
}

std::vector<Verdict> only_chain(const std::vector<ChainInfo>& chains,
                                const std::vector<ChainInfo>& broken, const std::string& name) {
  std::vector<Verdict> verdicts;
  bool found = false;
  for (const auto* all : {&broken, &chains}) {
    for (const ChainInfo& chain : *all) {
      const bool is_it = chain.chain == name;
      found = found || is_it;
      add(verdicts, chain,
          {{}, is_it, is_it ? "its chain is to go" : "its chain was not named", false});
    }
  }
  if (!found) {
    throw Error(ErrorKind::usage,
                fmt::format("there is no chain \"{}\"; a chain has the name of its full, and `rota "
                            "purge --dry-run` shows them all",
                            base::printable(name)));
  }
  if (chains.empty() || chains.back().chain == name) {
    throw Error(
        ErrorKind::refused,
        fmt::format("the chain {} is {}, which is never removed; `rota backup --full` begins "
                    "a new one",
                    name, chains.empty() ? "all that there is" : "the newest"));
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
  // Until its data is gone, the state names the run: an interruption leaves no orphans.
  state.set_removal({run.run, run.chain, run.kind});
  const store::Removal record = store.remove(record_name(run.chain, run.run, run.kind));
  if (record == store::Removal::later) {
    state.clear_removal();
    return false;
  }
  removed.hidden = removed.hidden || record == store::Removal::hidden;
  for (const store::ObjectInfo& object : objects) {
    store.remove(object.name);
    ++removed.objects;
    removed.bytes += object.size;
  }
  state.forget_record(run.run);
  state.clear_removal();
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
  if (const auto apart = clocks_apart(store, clock); apart && *apart > kClocksApart) {
    throw Error(ErrorKind::refused,
                fmt::format("this machine's clock and that of {} differ by {} seconds; set the "
                            "clock before anything is removed by age",
                            store.description(), apart->count()));
  }
  // The state names one run that is being removed: that one comes first, or would be forgotten.
  recover_interrupted(store, state, Unfinished::keep);
  if (state.removal()) {
    throw Error(ErrorKind::refused,
                fmt::format("an interrupted removal could not be ended in {}, which does not show "
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

std::optional<std::chrono::seconds> clocks_apart(store::Store& store, base::Clock& clock) {
  const auto theirs = store.now();
  if (!theirs) return std::nullopt;
  return std::chrono::abs(*theirs - clock.now());
}

namespace {

/// The runs of a store that data may belong to.
class Known {
 public:
  Known(const Catalog& catalog, const LocalState& state) {
    const auto last = state.last();
    for (const auto* chains : {&catalog.chains(), &catalog.broken()}) {
      for (const ChainInfo& chain : *chains) take(chain, last ? last->run : "");
    }
    if (const auto journal = state.journal()) add(journal->chain, journal->run);
    if (const auto removal = state.removal()) add(removal->chain, removal->run);
  }

  bool shows_last() const { return shows_last_; }
  bool may_need(const std::string& chain, const std::string& run) const {
    return prefixes_.contains(data_prefix(chain, run)) || unclear_.contains(chain);
  }

 private:
  void add(const std::string& chain, const std::string& run) {
    prefixes_.insert(data_prefix(chain, run));
  }
  void take(const ChainInfo& chain, const std::string& last) {
    for (const auto* runs : {&chain.runs, &chain.stray}) {
      for (const RunInfo& run : *runs) {
        add(chain.chain, run.run);
        shows_last_ = shows_last_ || run.run == last;
      }
    }
    for (const std::string& run : chain.missing) add(chain.chain, run);
    // A record that cannot be read may name any run.
    if (!chain.ordered || !chain.stray.empty()) unclear_.insert(chain.chain);
  }

  std::set<std::string> prefixes_;  ///< of data
  std::set<std::string> unclear_;   ///< chains
  bool shows_last_ = false;
};

}  // namespace

std::vector<Forgotten> find_forgotten(store::Store& store, const LocalState& state,
                                      const Catalog& catalog, const Ageing& ageing) {
  std::vector<Forgotten> found;
  const Known known(catalog, state);
  if (!known.shows_last()) return found;
  store::for_each_object(store, std::string(kDataPrefix), [&](const store::ObjectInfo& object) {
    const std::size_t end = object.name.find_last_of('/');
    const std::size_t middle = object.name.find_last_of('/', end - 1);
    if (middle == std::string::npos || middle < kDataPrefix.size()) return;
    const std::string run = object.name.substr(middle + 1, end - middle - 1);
    const std::string chain = object.name.substr(kDataPrefix.size(), middle - kDataPrefix.size());
    const auto begun = run_time(run);
    if (!begun || known.may_need(chain, run)) return;
    if (ageing.now_since(*begun) - *begun <= kResumable) return;
    if (found.empty() || found.back().run != run) found.push_back({chain, run});
    ++found.back().objects;
    found.back().bytes += object.size;
  });
  return found;
}

Removed remove_forgotten(store::Store& store, const std::vector<Forgotten>& forgotten,
                         const std::stop_token& stop) {
  Removed removed;
  for (const Forgotten& run : forgotten) {
    std::vector<store::ObjectInfo> objects;
    store::for_each_object(store, data_prefix(run.chain, run.run),
                           [&](const store::ObjectInfo& object) { objects.push_back(object); });
    for (const store::ObjectInfo& object : objects) {
      base::check_stop(stop);
      if (store.remove(object.name) == store::Removal::later) continue;
      ++removed.objects;
      removed.bytes += object.size;
    }
  }
  return removed;
}

}  // namespace rota::chain
