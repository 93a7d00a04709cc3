#include "disk/verify_copy.h"

#include <fmt/core.h>

#include <cerrno>

#include "base/error.h"
#include "base/signals.h"
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

}  // namespace

CheckResult verify_copy(int root, const std::string& server, const std::string& directory,
                        const CheckOptions& options, base::Progress& progress,
                        const std::stop_token& stop) {
  const std::string shown = fmt::format("{}/{}/{}", kTop, server, directory);
  const auto name = parse_copy_directory(directory);
  const base::Fd copy = open_copy(root, server, directory);
  const CopyRecord record =
      parse_copy_record(read_small_file(copy.get(), kRecord, kMaxRecordBytes, shown));
  if (!name || record.time != name->time || record.server != server) {
    throw Error(ErrorKind::corrupt, fmt::format("{}/{} speaks of another copy", shown, kRecord));
  }
  const base::Fd tree = open_directory(copy.get(), kTree);
  if (!tree.valid()) base::throw_os("cannot open the files of", shown, errno);

  CheckResult result;
  ReadBack read_back(tree.get(), options.bypass_cache, result, progress, stop);
  for (const auto& [file, digest] :
       {std::pair{kIndex, record.index_sha256}, std::pair{kSums, record.sums_sha256}}) {
    if (read_back.hash(copy.get(), file, shown) != digest) {
      throw Error(ErrorKind::corrupt, fmt::format("{}/{} is not what was written", shown, file));
    }
  }
  CopyIndexReader index = open_index(copy.get(), CopyIndexReader::Extent::whole, shown);
  const std::int64_t own = record.time.time_since_epoch().count();
  CopyEntry line;
  read_back.run([&](Expected& expected) {
    while (index.next(line)) {
      if (!line.entry.is_file() || (options.what == What::fresh && line.born != 0)) continue;
      expected = {std::move(line.entry.path), line.entry.size, *line.entry.digest,
                  line.born != 0 ? line.born : own};
      return true;
    }
    return false;
  });
  if (options.metadata) compare_metadata(copy.get(), shown, result, stop);
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
