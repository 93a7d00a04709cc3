#include "chain/catalog.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <ranges>

#include "base/error.h"
#include "chain/encryption.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

Catalog::Catalog(store::Store& store, const LocalState* state, KeyRing* keys)
    : store_(store), state_(state), keys_(keys) {
  std::map<std::string, ChainInfo> by_name;
  store::for_each_object(store, std::string(kRecordPrefix), [&](const store::ObjectInfo& object) {
    const auto id = parse_record_name(object.name);
    if (!id) return;  // not rota's
    ChainInfo& chain = by_name[id->chain];
    chain.chain = id->chain;
    chain.runs.push_back({id->run, id->chain, id->kind, *run_time(id->run), object.size});
  });
  for (auto& [name, chain] : std::views::reverse(by_name)) {
    order(chain, chains_.empty());
    (chain.runs.empty() ? broken_ : chains_).push_back(std::move(chain));
  }
  std::ranges::reverse(broken_);
  std::ranges::reverse(chains_);
}

/// Brings the runs into the order of their parents. The record of the newest run names all before
/// it; when the clock went back, that is not the one whose name sorts last. newest: no younger
/// chain can be restored.
void Catalog::order(ChainInfo& chain, bool newest) const {
  std::vector<RunInfo> listed = std::move(chain.runs);
  chain.runs.clear();
  std::vector<std::string> known;  // in order
  const auto is_known = [&](const RunInfo& run) {
    return std::ranges::find(known, run.run) != known.end();
  };
  for (auto run = listed.rbegin(); run != listed.rend(); ++run) {
    if (is_known(*run)) continue;
    const bool lone = listed.size() == 1 && run->kind == RunKind::full;
    if (lone && !newest) {
      known = {run->run};
      break;
    }
    try {
      const RunRecord read = record(*run);
      if (read.runs.size() > known.size()) known = read.runs;
    } catch (const NoKeyError&) {
      // Without the key of an encrypted chain there are only the names to go by: the full first,
      // also when an increment was made in the same second.
      if (!known.empty()) continue;
      chain.ordered = lone;
      std::stable_partition(listed.begin(), listed.end(),
                            [](const RunInfo& info) { return info.kind == RunKind::full; });
      if (listed.front().kind == RunKind::increment) break;
      std::ranges::transform(listed, std::back_inserter(known), &RunInfo::run);
      break;
    } catch (const Error& error) {
      // A damaged or missing record: its run is not to be restored, the others may be.
      if (error.kind() == ErrorKind::corrupt || error.kind() == ErrorKind::not_found) continue;
      if (error.kind() != ErrorKind::config || !lone) throw;
      known = {run->run};  // of a newer rota: who opens it says so
    }
  }
  // A run's record holds all that it needs of the runs before it, but for their data: it can be
  // restored without their records.
  for (const std::string& name : known) {
    const auto found = std::ranges::find(listed, name, &RunInfo::run);
    if (found != listed.end()) {
      chain.runs.push_back(*found);
    } else {
      chain.missing.push_back(name);
    }
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

Catalog::OpenedRecord Catalog::open_record(const RunInfo& run) const {
  if (const auto kept = state_ != nullptr ? state_->record(run.run) : std::nullopt;
      kept && kept->stored_size == run.record_size) {
    try {
      return checked(run, kept->clear, kept->stored_sha256);
    } catch (const Error&) {
      // A damaged copy: the store has the record.
    }
  }
  const std::string name = record_name(run.chain, run.run, run.kind);
  try {
    return open_record(run, store_.get(name, store::kMaxPut));
  } catch (const NoKeyError&) {
    throw;
  } catch (const Error& error) {
    throw Error(error.kind(),
                fmt::format("the record {} in {}: {}", name, store_.description(), error.what()));
  }
}

Catalog::OpenedRecord Catalog::open_record(const RunInfo& run, const base::Bytes& object) const {
  const base::Sha256Digest sha256 = base::sha256(object);
  if (!is_encrypted(object, ObjectType::record)) return checked(run, object, sha256);
  if (const auto kept = state_ != nullptr ? state_->record(run.run) : std::nullopt;
      kept && kept->stored_sha256 == sha256) {
    return checked(run, kept->clear, sha256);
  }
  const Lock lock = read_lock(object);
  KeyRing none;
  const RunKey key =
      (keys_ != nullptr ? *keys_ : none).open(lock.envelope, lock.recipients, run.run);
  return checked(run, decrypt_record(record_name(run.chain, run.run, run.kind), key, object),
                 sha256);
}

Catalog::OpenedRecord Catalog::checked(const RunInfo& run, base::Bytes clear,
                                       const base::Sha256Digest& sha256) {
  OpenedRecord opened{decode_record(clear), std::move(clear), sha256};
  const RunRecord& record = opened.record;
  if (record.run != run.run || record.chain != run.chain || record.kind != run.kind) {
    throw Error(ErrorKind::corrupt, "it belongs to another run");
  }
  return opened;
}

}  // namespace rota::chain
