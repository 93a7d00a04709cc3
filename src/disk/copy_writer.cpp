#include "disk/copy_writer.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/signals.h"
#include "disk/checksum_file.h"
#include "disk/copies.h"
#include "disk/copy_index.h"
#include "disk/predecessors.h"
#include "disk/remove_tree.h"
#include "disk/small_file.h"
#include "tree/link_table.h"
#include "tree/tree_writer.h"

namespace rota::disk {

using base::Error;
using base::ErrorKind;

namespace {

/// What an attempt that is cut off loses at most.
constexpr std::chrono::seconds kCheckpointTime(30);
constexpr std::uint64_t kCheckpointBytes = 1 << 30;
/// Entries between two looks at the clock.
constexpr std::uint64_t kClockEntries = 64;

}  // namespace

class CopyWriter::Work final : public tree::Observer {
 public:
  Work(int root, CopyPlan plan, base::Clock& clock, base::Warnings& warnings,
       base::Progress& progress, std::stop_token stop)
      : root_(root),
        plan_(std::move(plan)),
        clock_(clock),
        warnings_(warnings),
        progress_(progress),
        stop_(std::move(stop)) {
    summary_.directory = copy_directory(plan_.time, CopyState::partial);
    shown_ = fmt::format("{}/{}/{}", kTop, plan_.server, summary_.directory);
  }

  void run(tree::Source& source);
  void placed(tree::Placed&& placed) override;
  const CopySummary& summary() const { return summary_; }

 private:
  void make_way();
  void count(const tree::Placed& placed);
  void add_checksum(const tree::Entry& entry);
  void checkpoint();
  void save_what_is_there();
  void finish(std::uint64_t warnings_before);
  void clear_unfinished();

  int root_;
  CopyPlan plan_;
  base::Clock& clock_;
  base::Warnings& warnings_;
  base::Progress& progress_;
  std::stop_token stop_;
  CopySummary summary_;
  std::string shown_;
  base::Fd server_;
  base::Fd copy_;
  std::vector<CopyInfo> unfinished_;  ///< to go when the copy is complete
  ChangeCounter changes_;
  std::optional<Predecessors> earlier_;
  std::optional<CopyIndexWriter> index_;
  std::optional<ChecksumFile> sums_;
  tree::LinkTable digests_;  ///< of files with several names, by their first
  base::Instant last_checkpoint_{};
  std::uint64_t unsafe_bytes_ = 0;  ///< written since the last checkpoint
};

void CopyWriter::Work::run(tree::Source& source) {
  const std::uint64_t warnings_before = warnings_.count();
  server_ = open_server(root_, plan_.server, true);
  make_way();
  copy_ = make_directory(server_.get(), summary_.directory, shown_);
  base::Fd tree = make_directory(copy_.get(), kTree, shown_);
  index_.emplace(create_file(copy_.get(), kIndex, shown_), shown_ + "/" + kIndex);
  sums_.emplace(create_file(copy_.get(), kSums, shown_), shown_ + "/" + kSums);
  last_checkpoint_ = clock_.now();

  tree::TreeWriterOptions options;
  for (const auto& predecessor : earlier_->trees) options.predecessors.push_back(predecessor.get());
  options.observer = this;
  options.clock = &clock_;
  try {
    tree::TreeWriter(std::move(tree), shown_ + "/" + kTree, std::move(options), warnings_,
                     progress_, stop_)
        .consume(source);
  } catch (...) {
    save_what_is_there();
    throw;
  }
  if (earlier_->has_sealed) earlier_->trees.front()->finish();
  finish(warnings_before);
  earlier_->trees.clear();
  clear_unfinished();
  earlier_.reset();
  copy_.reset();
  server_.reset();
}

/// What an earlier attempt of the same snapshot left goes aside, and everything that is there is
/// looked at.
void CopyWriter::Work::make_way() {
  const std::string leftover = copy_directory(plan_.time, CopyState::leftover);
  for (const CopyInfo& copy : list_copies(server_.get(), plan_.server)) {
    if (copy.time != plan_.time) continue;
    if (copy.state == CopyState::sealed) {
      throw Error(ErrorKind::refused, fmt::format("a sealed copy {}/{}/{} is on this disk already",
                                                  kTop, plan_.server, copy.directory));
    }
    if (copy.state != CopyState::partial) continue;
    // Two attempts of one snapshot failed before: the newer one is the better.
    const base::Fd older = open_directory(server_.get(), leftover);
    if (older.valid()) remove_tree(server_.get(), leftover, shown_, progress_, stop_);
    rename_durably(server_.get(), copy.directory, leftover, shown_);
  }
  const std::vector<CopyInfo> copies = list_copies(server_.get(), plan_.server);
  for (const CopyInfo& copy : copies) {
    if (copy.state != CopyState::sealed) unfinished_.push_back(copy);
  }
  earlier_.emplace(server_.get(), copies, changes_, warnings_);
}

void CopyWriter::Work::placed(tree::Placed&& placed) {
  if (!earlier_->has_sealed) placed.before.reset();
  changes_.now(placed);
  count(placed);
  add_checksum(placed.entry);
  CopyEntry line;
  line.entry = std::move(placed.entry);
  line.racy = placed.racy;
  line.noise = placed.noise;
  line.born = placed.linked_from < 0 ? 0 : placed.tag;
  index_->add(line);
  if (unsafe_bytes_ >= kCheckpointBytes || (index_->entries() % kClockEntries == 0 &&
                                            clock_.now() - last_checkpoint_ >= kCheckpointTime)) {
    checkpoint();
  }
}

void CopyWriter::Work::count(const tree::Placed& placed) {
  CopyRecord& record = summary_.record;
  const tree::Entry& entry = placed.entry;
  ++record.entries;
  record.bytes += entry.size;
  if (entry.is_directory() || entry.kind == tree::EntryKind::hard_link) return;
  const bool linked = placed.linked_from >= 0;
  if (linked && placed.tag != 0) {
    ++record.linked;
    record.linked_bytes += entry.size;
    return;
  }
  ++record.new_inodes;
  record.new_bytes += entry.size;
  if (linked) {
    ++summary_.resumed;
    summary_.resumed_bytes += entry.size;
  } else {
    unsafe_bytes_ += entry.size;
  }
}

void CopyWriter::Work::add_checksum(const tree::Entry& entry) {
  if (entry.is_file()) {
    if (entry.links > 1) digests_.first_or_register(entry.path, base::to_hex(*entry.digest));
  } else if (entry.kind != tree::EntryKind::hard_link) {
    return;
  }
  base::Sha256Digest digest;
  if (entry.is_file()) {
    digest = *entry.digest;
  } else {
    const auto known = digests_.first_or_register(entry.target, "");
    if (!known || known->empty()) return;  // the group is one of devices or the like
    base::from_hex(*known, digest);
  }
  ++summary_.record.files;
  sums_->add(entry.path, digest);
}

/// Everything that was placed until now is written, so that one sync makes it durable.
void CopyWriter::Work::checkpoint() {
  if (::syncfs(copy_.get()) != 0) base::throw_os("cannot make durable", shown_, errno);
  index_->mark();
  last_checkpoint_ = clock_.now();
  unsafe_bytes_ = 0;
}

/// On the way out of a failure: a last checkpoint, if the disk still takes one.
void CopyWriter::Work::save_what_is_there() {
  try {
    checkpoint();
  } catch (const Error&) {
    // Full or gone: then the one before holds.
  }
}

void CopyWriter::Work::finish(std::uint64_t warnings_before) {
  CopyRecord& record = summary_.record;
  summary_.changes = changes_.summary();
  record.server = plan_.server;
  record.time = plan_.time;
  record.finished = clock_.now();
  record.source = plan_.source;
  record.host = plan_.host;
  record.program = plan_.program;
  record.predecessor = summary_.changes.predecessor;
  record.changed = summary_.changes.changed.count;
  record.touched = summary_.changes.touched.count;
  record.added = summary_.changes.added.count;
  record.removed = summary_.changes.removed.count;
  record.index_sha256 = index_->finish();
  record.sums_sha256 = sums_->finish();
  record.long_paths = sums_->left_out();
  record.warnings = warnings_.count() - warnings_before;
  index_.reset();
  sums_.reset();
  base::check_stop(stop_);
  write_small_file(copy_.get(), kRecord, to_json(record), shown_ + "/" + kRecord);
}

/// The copy has all that they have. Were they not to go, it would be complete all the same.
void CopyWriter::Work::clear_unfinished() {
  try {
    // What was known to be damaged in an attempt of this snapshot, and anywhere: it is written
    // anew.
    const bool own = earlier_->damage.forget(plan_.time.time_since_epoch().count());
    const bool anywhere = earlier_->damage.forget(0);
    if (own || anywhere) earlier_->damage.save(server_.get());
    for (const CopyInfo& copy : unfinished_) {
      remove_copy(root_, plan_.server, copy.directory, progress_, stop_);
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    warnings_.warn(
        shown_, std::string("what an earlier attempt left could not be removed: ") + error.what());
  }
}

CopyWriter::CopyWriter(int root, CopyPlan plan, base::Clock& clock, base::Warnings& warnings,
                       base::Progress& progress, std::stop_token stop)
    : work_(std::make_unique<Work>(root, std::move(plan), clock, warnings, progress,
                                   std::move(stop))) {}

CopyWriter::~CopyWriter() = default;

void CopyWriter::consume(tree::Source& source) { work_->run(source); }

const CopySummary& CopyWriter::summary() const { return work_->summary(); }

}  // namespace rota::disk
