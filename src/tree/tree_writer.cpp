#include "tree/tree_writer.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "base/error.h"
#include "base/pipeline.h"
#include "base/signals.h"
#include "base/text.h"
#include "tree/tree_writer_directory.h"

namespace rota::tree {

using base::Error;
using base::ErrorKind;

namespace {

bool is_empty(int directory) {
  DIR* dir = ::fdopendir(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir == nullptr) return false;
  int names = 0;
  while (::readdir(dir) != nullptr) ++names;
  ::closedir(dir);
  return names <= 2;
}

base::Fd open_target(const std::string& target) {
  base::real_files().make_directories(target, 0700);
  base::Fd fd(::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) base::throw_os("cannot open the target", target, errno);
  return fd;
}

}  // namespace

TreeWriter::TreeWriter(const std::string& target, TreeWriterOptions options,
                       base::Warnings& warnings, base::Progress& progress, std::stop_token stop)
    : TreeWriter(open_target(target), target, std::move(options), warnings, progress,
                 std::move(stop)) {}

TreeWriter::TreeWriter(base::Fd target, std::string shown, TreeWriterOptions options,
                       base::Warnings& warnings, base::Progress& progress, std::stop_token stop)
    : target_(std::move(shown)),
      options_(std::move(options)),
      warnings_(warnings),
      progress_(progress),
      stop_(std::move(stop)),
      target_fd_(std::move(target)) {
  check_target();
  root_has_default_acl_ =
      !options_.touch_root && ::fgetxattr(target_fd_.get(), kDefaultAcl, nullptr, 0) > 0;
}

TreeWriter::~TreeWriter() = default;

std::string TreeWriter::shown(const Entry& entry) const { return target_ + "/" + entry.path; }

void TreeWriter::check_target() const {
  if (!options_.merge && !is_empty(target_fd_.get())) {
    throw Error(ErrorKind::refused,
                fmt::format("{} is not empty; restore into an empty or new directory, or add "
                            "--overwrite to replace what has the same name",
                            target_));
  }
  if (::faccessat(target_fd_.get(), ".", W_OK, 0) != 0) {
    base::throw_os("cannot write into", target_, errno);
  }
}

void TreeWriter::consume(Source& source) {
  base::Pipeline pipeline;
  pipeline.on_failure([this] {
    batches_.abandon();
    finished_.abandon();
    slots_.abandon();
  });
  for (unsigned i = 0; i < kSlots; ++i) slots_.send(0);
  for (unsigned i = 0; i < kWorkers; ++i) pipeline.add([this, &source] { work(source); });
  if (options_.observer != nullptr) pipeline.add([this] { observe(); });
  pipeline.run([&] {
    Entry entry;
    while (source.next(entry)) {
      base::check_stop(stop_);
      take(source, entry);
    }
    flush();
    batches_.close();
  });
  pipeline.join();
  // Only now: no worker is left, so that every directory's last user is this walk.
  while (!stack_.empty()) pop();
  shortfall_.report(target_, warnings_);
  if (::syncfs(target_fd_.get()) != 0) base::throw_os("cannot make durable", target_, errno);
}

void TreeWriter::take(Source& source, Entry& entry) {
  check_path(entry.path);
  leave_until(entry.path);
  if (!entry.path.empty() && compare_paths(last_, entry.path) >= 0) {
    throw Error(ErrorKind::corrupt, fmt::format("{} stands twice in the index, or out of order",
                                                base::printable(entry.path)));
  }
  if (options_.make_lost_directories) make_lost_directories(entry.path);
  check_parent(entry.path);
  if (entry.path.empty() != stack_.empty() || (entry.path.empty() && !entry.is_directory())) {
    throw Error(ErrorKind::corrupt, "the first entry of the tree is not its root directory");
  }
  last_ = entry.path;
  if (!entry.is_directory()) return take_entry(source, entry);
  source.complete(entry);
  make_directory(entry);
  ++progress_.files;
  Job job;
  job.placed.entry = std::move(entry);
  job.made = true;
  report(std::move(job));
}

void TreeWriter::take_entry(Source& source, Entry& entry) {
  Job job;
  job.placed.entry = std::move(entry);
  consult(job);
  job.parent_fd = stack_.back()->fd;
  const bool unchanged = job.candidate && job.candidate->unchanged;
  if (job.entry().kind == EntryKind::hard_link) {
    job.made = make_link(job.entry());
  } else if (job.entry().links > 1) {
    // Other names of this inode come later in the order and need it to be there.
    if (job.entry().is_file()) {
      std::vector<std::byte> buffer(kBuffer);
      job.made = write_file(source, job, buffer);
      if (job.made) made_first(job.entry());
      return report(std::move(job));
    }
    job.made = link_unchanged(job) || make_special(source, job);
  } else if (job.entry().is_file() || unchanged) {
    job.parent = stack_.back();
    return queue(std::move(job));
  } else {
    job.made = make_special(source, job);
  }
  ++progress_.files;
  report(std::move(job));
}

void TreeWriter::check_parent(const std::string& path) const {
  if (stack_.empty() && !path.empty()) {
    throw Error(ErrorKind::corrupt,
                fmt::format("{} comes before the root of its tree", base::printable(path)));
  }
  if (path.empty()) return;
  const std::string_view parent = stack_.back()->entry.path;
  const std::string_view rest =
      std::string_view(path).substr(parent.empty() ? 0 : parent.size() + 1);
  if (rest.find('/') != std::string_view::npos) {
    throw Error(ErrorKind::corrupt, fmt::format("the directory of {} is missing from its index",
                                                base::printable(path)));
  }
}

/// What a job holds beside its names.
std::size_t TreeWriter::held_bytes(const Job& job) {
  std::size_t bytes = xattr_bytes(job.placed.entry);
  if (job.candidate) bytes += xattr_bytes(job.candidate->known.entry);
  if (job.before) bytes += xattr_bytes(job.before->entry);
  return bytes;
}

/// Leaves the entry to the workers.
void TreeWriter::queue(Job job) {
  const std::size_t held = held_bytes(job);
  if (batch_ && batch_bytes_ + held > kBatchBytes) flush();
  batch_bytes_ += held;
  if (!job.candidate || !job.candidate->unchanged) batch_bytes_ += job.entry().size;
  std::vector<Job>& batch = jobs();
  if (batch.empty() || batch.back().parent != job.parent) ++batch_directories_;
  ++job.parent->users;
  batch.push_back(std::move(job));
  if (batch.size() >= kBatchFiles || batch_bytes_ >= kBatchBytes ||
      batch_directories_ >= kBatchDirectories) {
    flush();
  }
}

/// What the walk itself has made takes its place in the order.
void TreeWriter::report(Job job) {
  if (options_.observer == nullptr || !job.made) return;
  job.parent_fd.reset();
  const std::size_t held = held_bytes(job);
  if (batch_ && batch_bytes_ + held > kBatchBytes) flush();
  std::vector<Job>& batch = jobs();
  batch_bytes_ += held;
  batch.push_back(std::move(job));
  if (batch.size() >= kBatchFiles) flush();
}

/// Of the batch that is being filled.
std::vector<TreeWriter::Job>& TreeWriter::jobs() {
  if (batch_) return batch_->jobs;
  if (options_.observer != nullptr && !slots_.receive()) {
    // The pipeline has the error of who failed, this one only ends the walk.
    throw Error(ErrorKind::interrupted, "stopped");
  }
  batch_ = Batch{next_sequence_++, {}, {}};
  return batch_->jobs;
}

void TreeWriter::flush() {
  if (batch_ && !batches_.send(*std::exchange(batch_, {}))) {
    throw Error(ErrorKind::interrupted, "stopped");
  }
  batch_bytes_ = 0;
  batch_directories_ = 0;
}

void TreeWriter::work(Source& source) {
  std::vector<std::byte> buffer(kBuffer);
  while (auto batch = batches_.receive()) {
    for (std::size_t i = 0; i < batch->jobs.size(); ++i) {
      Job& job = batch->jobs[i];
      if (job.parent) {
        base::check_stop(stop_);
        job.made = write_file(source, job, buffer);
        job.parent_fd.reset();
        job.candidate.reset();
        done(std::exchange(job.parent, nullptr));
      }
      if (options_.observer == nullptr) continue;
      if (job.made && job.before) compare_before(*job.before, job.placed);
      job.before.reset();
      batch->xattrs.keep(i, job.entry());
    }
    if (options_.observer != nullptr) finished_.send(std::move(*batch));
  }
  if (--workers_left_ == 0) finished_.close();
}

/// Batches are finished in any order; they go on in the walk's.
void TreeWriter::observe() {
  std::map<std::uint64_t, Batch> early;
  std::uint64_t next = 0;
  while (auto batch = finished_.receive()) {
    early.emplace(batch->sequence, std::move(*batch));
    for (auto first = early.begin(); first != early.end() && first->first == next;
         first = early.erase(first), ++next) {
      for (std::size_t i = 0; i < first->second.jobs.size(); ++i) {
        Job& job = first->second.jobs[i];
        first->second.xattrs.give_back(i, job.entry());
        if (!job.made) continue;
        options_.observer->placed(std::move(job.placed));
      }
      slots_.send(0);
    }
  }
}

}  // namespace rota::tree
