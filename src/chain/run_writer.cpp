#include "chain/run_writer.h"

#include <fmt/core.h>

#include <map>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/pipeline.h"
#include "base/signals.h"
#include "chain/large_file.h"
#include "chain/system_facts.h"
#include "chain/uploader.h"
#include "tree/unchanged.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;
using tree::Entry;
using tree::EntryKind;

namespace {

bool is_same(const Entry& now, const IndexRecord& before) {
  return !before.racy && tree::is_unchanged(now, before.entry);
}

}  // namespace

RunWriter::RunWriter(store::Store& store, LocalState& state, RunPlan plan, KeyRing* keys,
                     base::Clock& clock, base::Warnings& warnings, base::Progress& progress,
                     std::stop_token stop)
    : store_(store),
      state_(state),
      plan_(std::move(plan)),
      clock_(clock),
      warnings_(warnings),
      progress_(progress),
      stop_(std::move(stop)),
      clear_(store, plan_.parent ? *plan_.parent : record_, keys),
      index_(clear_, plan_.chain, state.index_copies(plan_.chain),
             plan_.parent && plan_.parent->encrypted()),
      contents_(state.chain_directory(plan_.chain, true)) {
  record_.run = plan_.run;
  record_.chain = plan_.chain;
  record_.kind = plan_.kind;
  record_.time = plan_.time;
  record_.source = plan_.source;
  record_.host = plan_.host;
  record_.program = plan_.program;
  record_.store_hash = store_.hash_kind();
  if (plan_.parent) {
    record_.runs = plan_.parent->runs;
    record_.parent = plan_.parent->run;
    record_.parent_sha256 = plan_.parent_sha256;
    record_.facts = plan_.parent->facts;
    record_.envelopes = plan_.parent->envelopes;
    for (const Piece& piece : plan_.parent->pieces) {
      index_.copy(plan_.parent->runs.at(piece.run), piece);
    }
  }
  record_.runs.push_back(plan_.run);
  if (plan_.object_lock) record_.locked_until = plan_.object_lock->until;
  if (plan_.key) {
    record_.recipients = plan_.lock.recipients;
    record_.envelopes.push_back(plan_.lock.envelope);
  }
}

RunWriter::~RunWriter() = default;

/// The newest pieces that this run's own takes in: those that cover as many runs as it does by
/// then, so that a run always has at most log2(n) + 1 pieces. The full's piece is never taken in.
std::unique_ptr<IndexView> RunWriter::absorb(std::uint32_t& span) {
  span = 1;
  if (!plan_.parent) return nullptr;
  record_.pieces = plan_.parent->pieces;
  const std::size_t all = record_.pieces.size();
  while (record_.pieces.size() > 1 && record_.pieces.back().span == span) {
    record_.pieces.pop_back();
    span *= 2;
  }
  if (record_.pieces.size() == all) return nullptr;
  return std::make_unique<IndexView>(index_, *plan_.parent, true, record_.pieces.size());
}

void RunWriter::consume(tree::Source& source) {
  if (plan_.object_lock) store_.set_lock(plan_.object_lock);
  state_.set_journal({plan_.run, plan_.chain, plan_.kind, record_.parent, record_.locked_until,
                      plan_.key, plan_.lock});
  ResumeLog log(state_.resume_log(), record_.number(), state_.files());
  context_.reset(new WriterContext{source, clock_, warnings_, progress_, plan_.level,
                                   record_.number(), contents_, index_,
                                   plan_.parent ? &*plan_.parent : nullptr, stop_});
  recall_contents();
  std::uint32_t span = 1;
  std::unique_ptr<IndexView> absorbed = absorb(span);
  RecordRoom room(plan_.source);
  for (const Piece& piece : record_.pieces) room.take(piece);
  Uploader uploader(store_, plan_.chain, plan_.run, plan_.key ? &*plan_.key : nullptr, log, room);
  const Resumed* resumed = plan_.resumed ? &*plan_.resumed : nullptr;
  if (resumed != nullptr) {
    uploader.add_rows(resumed->volumes);
    resumed_.emplace(resumed->entries);
    has_resumed_ = resumed_->next(resumed_head_);
  }
  const std::string copies = state_.index_copies(plan_.chain) + "/" + plan_.run;
  state_.files().make_directories(copies, 0700);
  sequencer_ = std::make_unique<Sequencer>(
      record_.number(), uploader, contents_, log, resumed, room, std::move(absorbed),
      [&](std::uint32_t number, const base::Bytes& object) {
        const std::string name = index_name(plan_.chain, plan_.run, number);
        base::write_file(copies + name.substr(name.find_last_of('/')), base::as_text(object), 0600,
                         state_.files());
      });

  base::Pipeline pipeline;
  pipeline.on_failure([this] {
    slots_.abandon();
    to_pack_.abandon();
    packed_.abandon();
  });
  for (unsigned i = 0; i < kSlots; ++i) slots_.send(0);
  uploader.start(pipeline);
  for (unsigned i = 0; i < kPackers; ++i) pipeline.add([this] { pack(); });
  pipeline.add([this, &uploader] {
    sequence();
    uploader.close();
  });
  pipeline.run([&] {
    put_facts(uploader);
    walk(source);
  });
  pipeline.join();

  record_.objects = uploader.take_rows();
  record_.stored = uploader.stored();
  Piece piece = sequencer_->take_piece(span);
  for (const ObjectRow& object : record_.objects) {
    if (object.type == ObjectType::index) piece.objects.push_back(object);
  }
  record_.pieces.push_back(std::move(piece));
  record_.files = kept_files_ + sequencer_->files();
  record_.bytes = kept_bytes_ + sequencer_->bytes();
  record_.warnings = warnings_.count();
  commit();
}

/// Once for each time that they changed.
void RunWriter::put_facts(Uploader& uploader) {
  if (plan_.facts.empty()) {
    record_.facts.reset();
    return;
  }
  const base::Sha256Digest digest = base::sha256(base::as_bytes(plan_.facts));
  if (record_.facts && record_.facts->sha256 == digest) return;
  record_.facts = Facts{record_.number(), digest};
  uploader.put(ObjectType::facts, 0, facts_object(plan_.facts, plan_.level));
}

/// After the cache was lost: where the chain's contents stand is read from its index; their
/// signatures are made when the walk meets the files.
void RunWriter::recall_contents() {
  resign_ = plan_.parent && !contents_.has_all_signatures();
  if (plan_.parent && !contents_.has_all_places()) {
    for (const Piece& piece : plan_.parent->pieces) {
      PieceCursor cursor(index_, plan_.parent->runs.at(piece.run), piece, true);
      IndexRecord record;
      while (cursor.next(record)) {
        base::check_stop(stop_);
        if (!record.entry.is_file() || record.entry.size == 0 || record.removed) continue;
        contents_.add(*record.entry.digest, base::Bytes());
        contents_.placed(piece.run, cursor.block());
      }
    }
  }
  contents_.set_whole();
}

/// The last step, and the only one that makes the run visible.
void RunWriter::commit() {
  const std::string name = record_name(plan_.chain, plan_.run, plan_.kind);
  const base::Bytes clear = encode(record_);
  const base::Bytes bytes = plan_.key ? encrypt_record(name, *plan_.key, plan_.lock, clear) : clear;
  base::check_stop(stop_);
  store_.put(name, bytes);
  record_.stored += bytes.size();
  // From here on the run exists. A crash before set_last is mended by the journal, which names it.
  afterwards([&] { state_.keep_record(plan_.run, bytes, clear); });
  afterwards([&] { contents_.commit(); });
  try {
    state_.set_last({plan_.run, plan_.chain, base::sha256(bytes)});
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("run {} is complete, but this machine could not note it, "
                                          "which the next run makes up for: {}",
                                          plan_.run, error.what()));
  }
  afterwards([&] { state_.clear_journal(); });
  state_.forget_chains_but(plan_.chain);
}

/// What is lacking then is read from the store again, or stored again.
void RunWriter::afterwards(const std::function<void()>& note) {
  try {
    note();
  } catch (const Error& error) {
    warnings_.warn("run " + plan_.run,
                   fmt::format("it is complete, but not all of it was noted on this machine, which "
                               "the next run makes up for: {}",
                               error.what()));
  }
}

void RunWriter::walk(tree::Source& source) {
  std::optional<IndexView> view;
  IndexRecord before;
  bool has_before = false;
  if (plan_.parent) {
    view.emplace(index_, *plan_.parent, true);
    has_before = view->next(before);
  }
  Entry entry;
  while (source.next(entry)) {
    base::check_stop(stop_);
    while (has_before && tree::compare_paths(before.entry.path, entry.path) < 0) {
      gone(std::move(before));
      has_before = view->next(before);
    }
    if (has_before && before.entry.path == entry.path) {
      meet(entry, std::move(before));
      has_before = view->next(before);
    } else {
      meet(entry, std::nullopt);
    }
  }
  while (has_before) {
    gone(std::move(before));
    has_before = view->next(before);
  }
  flush();
  to_pack_.close();
}

/// The chain's word on this path stays.
void RunWriter::keep(const IndexRecord& before) {
  ++kept_files_;
  kept_bytes_ += before.entry.size;
}

void RunWriter::gone(IndexRecord before) {
  const bool below = has_unreadable_ && tree::is_within(before.entry.path, unreadable_);
  if (below || !context_->source.can_tell(before.entry.path)) {
    // Nobody could look: what the chain has of it is the best that there is.
    return keep(before);
  }
  Item item;
  item.record.entry.path = std::move(before.entry.path);
  item.record.removed = true;
  add(std::move(item));
}

bool RunWriter::lacks_signature(const IndexRecord& record) {
  return record.entry.is_file() && record.entry.size >= kMinResigned && record.extents &&
         !contents_.has_signature(*record.entry.digest);
}

void RunWriter::meet(Entry& entry, std::optional<IndexRecord> before) {
  if (entry.unreadable) {
    unreadable_ = entry.path;
    has_unreadable_ = true;
  }
  if (before && is_same(entry, *before) && resign_ && lacks_signature(*before)) {
    ++progress_.files;
    Item item;
    item.record.entry = std::move(entry);
    item.before = std::move(before);
    item.read = item.resign = true;
    item.record.entry.size > kSmallFile ? stream(std::move(item)) : add(std::move(item));
    return;
  }
  ++progress_.files;
  if (before && is_same(entry, *before)) return keep(*before);
  if (resume(entry)) return;
  if (before && before->entry.kind != entry.kind) before->extents.reset();
  Item item;
  item.record.entry = std::move(entry);
  item.before = std::move(before);
  Entry& taken = item.record.entry;
  if (taken.is_file()) {
    item.read = true;
    if (taken.size > kSmallFile) {
      stream(std::move(item));
    } else {
      add(std::move(item));
    }
    return;
  }
  const base::Instant now = clock_.now();
  if (taken.kind != EntryKind::hard_link && !context_->source.complete(taken)) {
    if (!taken.is_directory()) {
      if (!item.before) return;
      return taken.unreadable ? keep(*item.before) : gone(std::move(*item.before));
    }
    // Moved away, or unreadable just now: entries below it may come all the same, and none of them
    // could be restored without it. The next run looks again.
    if (item.before && item.before->entry.is_directory()) {
      taken.xattrs = item.before->entry.xattrs;
    }
    item.record.racy = true;
    add(std::move(item));
    return;
  }
  item.record.racy = taken.kind != EntryKind::hard_link && tree::is_racy(taken, now);
  add(std::move(item));
}

/// A file that this run had stored before it was interrupted, and that has not changed since.
bool RunWriter::resume(const Entry& entry) {
  while (has_resumed_ && tree::compare_paths(resumed_head_.entry.path, entry.path) < 0) {
    has_resumed_ = resumed_->next(resumed_head_);
  }
  if (!has_resumed_ || resumed_head_.entry.path != entry.path || !is_same(entry, resumed_head_)) {
    return false;
  }
  progress_.bytes += entry.size;
  Item item;
  item.record = std::move(resumed_head_);
  has_resumed_ = resumed_->next(resumed_head_);
  add(std::move(item));
  return true;
}

void RunWriter::add(Item item) {
  if (item.before) item.before->entry.xattrs = {};  // of no use any more, and may be large
  const std::uint64_t size =
      (item.read ? item.record.entry.size : 0) + tree::xattr_bytes(item.record.entry);
  if (batch_ && (batch_bytes_ + size > kSmallFile || batch_->items.size() >= kBatchItems)) flush();
  if (!batch_) batch_ = new_batch();
  batch_bytes_ += size;
  batch_->items.push_back(std::move(item));
}

void RunWriter::flush() {
  if (batch_) send(std::move(batch_));
  batch_bytes_ = 0;
}

/// Waits for a slot, so that what is under way stays bounded.
RunWriter::BatchPtr RunWriter::new_batch() {
  if (!slots_.receive()) {
    throw Error(ErrorKind::interrupted, "the run was given up because another part of it failed");
  }
  auto batch = std::make_unique<Batch>();
  batch->sequence = next_sequence_++;
  return batch;
}

void RunWriter::send(BatchPtr batch) { to_pack_.send(std::move(batch)); }

void RunWriter::stream(Item item) {
  flush();
  LargeFile file(*context_, stop_, [this](RawBuffer raw) {
    BatchPtr batch = new_batch();
    batch->large = true;
    batch->raw = std::move(raw);
    send(std::move(batch));
  });
  file.work(item);
  item.read = false;
  item.large = true;
  add(std::move(item));
}

void RunWriter::pack() {
  Packer packer(*context_);
  while (auto batch = to_pack_.receive()) {
    base::check_stop(stop_);
    packer.work(**batch);
    packed_.send(std::move(*batch));
  }
  if (--packers_left_ == 0) packed_.close();
}

/// Batches come in any order; they go on in the walk's.
void RunWriter::sequence() {
  std::map<std::uint64_t, BatchPtr> early;
  std::uint64_t next = 0;
  while (auto batch = packed_.receive()) {
    early.emplace((*batch)->sequence, std::move(*batch));
    for (auto first = early.begin(); first != early.end() && first->first == next;
         first = early.erase(first), ++next) {
      sequencer_->take(*first->second);
      slots_.send(0);
    }
  }
  sequencer_->finish();
}

}  // namespace rota::chain
