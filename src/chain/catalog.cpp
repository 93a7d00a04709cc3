#include "chain/catalog.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/error.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

Catalog::Catalog(store::Store& store, const LocalState* state) : store_(store), state_(state) {
  std::map<std::string, ChainInfo> by_name;
  store::for_each_object(store, std::string(kRecordPrefix), [&](const store::ObjectInfo& object) {
    const auto id = parse_record_name(object.name);
    if (!id) return;  // not rota's
    ChainInfo& chain = by_name[id->chain];
    chain.chain = id->chain;
    chain.runs.push_back({id->run, id->chain, id->kind, *run_time(id->run), object.size});
  });
  for (auto& [name, chain] : by_name) {
    order(chain);
    (chain.runs.empty() ? broken_ : chains_).push_back(std::move(chain));
  }
}

/// Brings the runs into the order of their parents. The record of the newest run names all before
/// it; when the clock went back, that is not the one whose name sorts last.
void Catalog::order(ChainInfo& chain) const {
  std::vector<RunInfo> listed = std::move(chain.runs);
  chain.runs.clear();
  std::vector<std::string> known;  // in order
  const auto is_known = [&](const RunInfo& run) {
    return std::ranges::find(known, run.run) != known.end();
  };
  for (auto run = listed.rbegin(); run != listed.rend(); ++run) {
    if (is_known(*run)) continue;
    if (listed.size() == 1 && run->kind == RunKind::full) {
      known = {run->run};
      break;
    }
    try {
      const RunRecord read = record(*run);
      if (read.runs.size() > known.size()) known = read.runs;
    } catch (const Error& error) {
      // A damaged or missing record: its run is not to be restored, the others may be.
      if (error.kind() != ErrorKind::corrupt && error.kind() != ErrorKind::not_found) throw;
    }
  }
  // A run can be read while every run before it is there: its extents may lie in any of them.
  bool whole = true;
  for (const std::string& name : known) {
    const auto found = std::ranges::find(listed, name, &RunInfo::run);
    whole = whole && found != listed.end();
    if (whole) chain.runs.push_back(*found);
  }
  for (RunInfo& run : listed) {
    if (std::ranges::find(chain.runs, run.run, &RunInfo::run) == chain.runs.end()) {
      chain.stray.push_back(std::move(run));
    }
  }
}

const RunInfo* Catalog::newest() const {
  return chains_.empty() ? nullptr : &chains_.back().runs.back();
}

const RunInfo* Catalog::find(const std::string& run) const {
  for (const ChainInfo& chain : chains_) {
    for (const RunInfo& info : chain.runs) {
      if (info.run == run) return &info;
    }
  }
  return nullptr;
}

const ChainInfo* Catalog::chain(const std::string& name) const {
  const auto found = std::ranges::find(chains_, name, &ChainInfo::chain);
  return found == chains_.end() ? nullptr : &*found;
}

const RunInfo& Catalog::at(base::Instant when) const {
  const RunInfo* best = nullptr;
  const RunInfo* oldest = nullptr;
  for (const ChainInfo& chain : chains_) {
    for (const RunInfo& run : chain.runs) {
      if (oldest == nullptr || run.time < oldest->time) oldest = &run;
      if (run.time <= when && (best == nullptr || run.time >= best->time)) best = &run;
    }
  }
  if (best != nullptr) return *best;
  if (oldest == nullptr) {
    throw Error(ErrorKind::not_found, fmt::format("there is no run in {} yet; `rota backup` makes "
                                                  "the first",
                                                  store_.description()));
  }
  throw Error(
      ErrorKind::not_found,
      fmt::format("there is no run as old as {}; the oldest in {} is {} of {}", base::local(when),
                  store_.description(), oldest->run, base::local(oldest->time)));
}

const RunInfo& Catalog::select(const std::string& text, base::Instant now) const {
  if (text.empty() || text == "now" || text == "latest") {
    if (const RunInfo* run = newest()) return *run;
    return at(now);
  }
  if (run_time(text)) {
    if (const RunInfo* run = find(text)) return *run;
    throw Error(ErrorKind::not_found, fmt::format("there is no run {} in {}; `rota list` shows "
                                                  "those that there are",
                                                  text, store_.description()));
  }
  if (const auto when = base::parse_moment(text, now)) return at(*when);
  throw Error(ErrorKind::usage,
              fmt::format("\"{}\" is no time; write now, 4D, 2W, 3M, 2Y (so long ago), 2026-01-04, "
                          "2026-01-04T03:00 or a run's name from `rota list`",
                          text));
}

base::Bytes Catalog::record_bytes(const RunInfo& run) const {
  if (state_ != nullptr) {
    if (auto copy = state_->record(run.run); copy && copy->size() == run.record_size) {
      try {
        decode_record(*copy);
        return std::move(*copy);
      } catch (const Error&) {
        // A damaged copy: the store has the record.
      }
    }
  }
  return store_.get(record_name(run.chain, run.run, run.kind), store::kMaxObject);
}

RunRecord Catalog::record(const RunInfo& run) const {
  const auto read = [&](const base::Bytes& bytes) {
    RunRecord record = decode_record(bytes);
    if (record.run != run.run || record.chain != run.chain || record.kind != run.kind) {
      throw Error(ErrorKind::corrupt, "it belongs to another run");
    }
    return record;
  };
  if (state_ != nullptr) {
    if (const auto copy = state_->record(run.run); copy && copy->size() == run.record_size) {
      try {
        return read(*copy);
      } catch (const Error&) {
        // A damaged copy: the store has the record.
      }
    }
  }
  const std::string name = record_name(run.chain, run.run, run.kind);
  try {
    return read(store_.get(name, store::kMaxObject));
  } catch (const Error& error) {
    throw Error(error.kind(),
                fmt::format("the record {} in {}: {}", name, store_.description(), error.what()));
  }
}

}  // namespace rota::chain
