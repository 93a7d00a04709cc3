#include "disk/verify_copy.h"

#include <fmt/core.h>

#include <cerrno>

#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "disk/copies.h"
#include "disk/damage_list.h"
#include "disk/index_source.h"
#include "disk/read_back.h"
#include "disk/small_file.h"
#include "tree/compare.h"
#include "tree/local_source.h"

namespace rota::disk {

using base::Error;
using base::ErrorKind;

namespace {

void differs(CheckResult& result, const std::string& path, const std::string& what) {
  ++result.differing;
  if (result.differences.size() < CheckResult::kMostDifferences) {
    result.differences.emplace_back(path, what);
  }
}

/// What the walk of the tree cannot read is a difference.
class Unreadable final : public base::Warnings {
 public:
  explicit Unreadable(CheckResult& result) : result_(result) {}

 protected:
  void show(const std::string& path, const std::string& message) override {
    differs(result_, path, message);
  }

 private:
  CheckResult& result_;
};

/// Counts, and can be stopped.
class Watched final : public tree::Source {
 public:
  Watched(tree::Source& inner, CheckResult& result, std::stop_token stop)
      : inner_(inner), result_(result), stop_(std::move(stop)) {}
  bool next(tree::Entry& entry) override {
    base::check_stop(stop_);
    if (!inner_.next(entry)) return false;
    ++result_.entries;
    return true;
  }
  bool complete(tree::Entry& entry) override { return inner_.complete(entry); }
  std::unique_ptr<tree::Content> open(tree::Entry& entry) override { return inner_.open(entry); }

 private:
  tree::Source& inner_;
  CheckResult& result_;
  std::stop_token stop_;
};

std::string text_of(const tree::Difference& difference) {
  switch (difference.change) {
    case tree::Change::added:
      return "stands in the tree, but not in the index";
    case tree::Change::removed:
      return "is missing";
    case tree::Change::content:
      return "its " + (difference.what == "kind" ? std::string("kind") : std::string("size")) +
             " is another";
    case tree::Change::metadata:
      return "another " + difference.what;
  }
  return "is another";
}

void compare_metadata(int copy, const std::string& shown, CheckResult& result,
                      const std::stop_token& stop) {
  Unreadable unreadable(result);
  const base::Fd tree = open_directory(copy, kTree);
  if (!tree.valid()) base::throw_os("cannot open the files of", shown, errno);
  IndexSource index(open_directory(copy, "."), shown, unreadable);
  Watched wanted(index, result, stop);
  tree::LocalSource found(fmt::format("/proc/self/fd/{}", tree.get()), {}, unreadable);
  tree::compare(
      wanted, found,
      [&](const tree::Difference& difference) {
        differs(result, difference.entry.path, text_of(difference));
      },
      tree::Contents::trust, stop);
}

/// Verifies one copy; throws for damage of the files that describe it, of which `looking_at` is the
/// one that was looked at.
class Verification {
 public:
  Verification(base::Fd copy, CopyName name, std::string shown, CheckResult& result)
      : copy_(std::move(copy)), name_(name), shown_(std::move(shown)), result_(result) {}

  std::string looking_at = kRecord;

  void run(const std::string& server, const CheckOptions& options, base::Progress& progress,
           const std::stop_token& stop) {
    const CopyRecord record =
        parse_copy_record(read_small_file(copy_.get(), kRecord, kMaxRecordBytes, shown_));
    if (record.time != name_.time || record.server != server) {
      throw Error(ErrorKind::corrupt, "it speaks of another copy");
    }
    looking_at = kTree;
    const base::Fd tree = open_directory(copy_.get(), kTree);
    if (!tree.valid()) base::throw_os("cannot open the files of", shown_, errno);
    ReadBack read_back(tree.get(), options.bypass_cache, result_, progress, stop);
    hash(read_back, kSums, record.sums_sha256);
    hash(read_back, kIndex, record.index_sha256);
    contents(read_back, options.what);
    if (options.metadata) compare_metadata(copy_.get(), shown_, result_, stop);
  }

 private:
  void hash(ReadBack& read_back, const char* file, const base::Sha256Digest& digest) {
    looking_at = file;
    if (read_back.hash(copy_.get(), file, shown_) != digest) {
      throw Error(ErrorKind::corrupt, "its content is not what was written");
    }
  }

  void contents(ReadBack& read_back, What what) {
    CopyIndexReader index = open_index(copy_.get(), CopyIndexReader::Extent::whole, shown_);
    const std::int64_t own = name_.time.time_since_epoch().count();
    CopyEntry line;
    read_back.run([&](Expected& expected) {
      while (index.next(line)) {
        if (!line.entry.is_file() || (what == What::fresh && line.born != 0)) continue;
        expected = {std::move(line.entry.path), line.entry.size, *line.entry.digest,
                    line.born != 0 ? line.born : own};
        return true;
      }
      return false;
    });
  }

  const base::Fd copy_;
  const CopyName name_;
  const std::string shown_;
  CheckResult& result_;
};

}  // namespace

CheckResult verify_copy(int root, const std::string& server, const std::string& directory,
                        const CheckOptions& options, base::Progress& progress,
                        const std::stop_token& stop) {
  CheckResult result;
  const std::string shown = fmt::format("{}/{}/{}", kTop, server, directory);
  const auto name = parse_copy_directory(directory);
  if (!name) throw Error(ErrorKind::usage, fmt::format("{} is no copy", base::printable(shown)));
  Verification verification(open_copy(root, server, directory), *name, shown, result);
  try {
    verification.run(server, options, progress, stop);
  } catch (const Error& error) {
    if (!is_damage(error)) throw;
    ++result.damaged;
    result.damage.push_back(
        {name->time.time_since_epoch().count(), verification.looking_at, error.what()});
  }
  return result;
}

void note_damage(int root, const std::string& server, const CheckResult& result) {
  if (result.good()) return;
  const base::Fd directory = open_server(root, server);
  if (!directory.valid()) base::throw_os("cannot open", fmt::format("{}/{}", kTop, server), ENOENT);
  DamageList list = DamageList::load(directory.get());
  list.add(result);
  list.save(directory.get());
}

}  // namespace rota::disk
