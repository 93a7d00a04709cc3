#include "cli/disk_restore.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "cli/passphrase.h"

namespace rota::cli {

using base::Error;
using base::ErrorKind;

void declare_disk(Options& options, DiskOptions& disk) {
  options.text("--disk", disk.disk, "DISK",
               "From a rotation disk that is plugged in: B, ROTA-B, /dev/sdb1");
  options.text("--copy", disk.copy, "DIR",
               "From a copy whose disk is mounted already: the directory with \"tree\" in it");
  declare_disk_key(options, disk.key_file);
}

void declare_disk_key(Options& options, std::string& key_file) {
  options.text("--disk-key", key_file, "FILE",
               "The key file of an encrypted disk, or one that holds its recovery passphrase "
               "(default: where this machine keeps it; where it has none, the passphrase is asked "
               "for at the terminal)");
}

job::DiskKey disk_key(const Context& context, const std::string& key_file) {
  return {key_file, [stop = context.stop()](const std::string& question) {
            return ask_passphrase(question, stop);
          }};
}

void check_no_store(const TargetOptions& target) {
  if (target.url.empty() && target.store_time.empty()) return;
  throw Error(ErrorKind::usage,
              "--target and --store-time are of online stores, --disk and --copy of disks: not "
              "both");
}

DiskTree::DiskTree(Context& context, const DiskOptions& options, std::vector<std::string>& words,
                   std::size_t most, const std::string& at) {
  if (!options.disk.empty() && !options.copy.empty()) {
    throw Error(ErrorKind::usage, "--disk finds the copies on a disk, --copy names one: not both");
  }
  if (!options.copy.empty()) {
    if (!at.empty()) throw Error(ErrorKind::usage, "--at chooses a copy, and --copy names one");
    take_server(words, most);
    open_ = [&context, copy = options.copy] {
      return job::open_copy_directory(copy, context.warnings());
    };
    name_ = base::printable(options.copy);
  } else {
    reader_ = std::make_unique<job::DiskReader>(context.places(), udev::real_devices(),
                                                options.disk, disk_key(context, options.key_file),
                                                context.surroundings());
    if (!reader_->doubt().empty()) context.warnings().warn(reader_->name(), reader_->doubt());
    const disk::CopyInfo copy = reader_->select(take_server(words, most), at, context.now());
    name_ = fmt::format("{} {}", copy.server, base::compact(copy.time));
    open_ = [this, &context, copy] { return reader_->open(copy, context.warnings()); };
  }
  tree_ = open_();
}

std::string DiskTree::take_server(std::vector<std::string>& words, std::size_t most) const {
  if (words.empty()) return "";
  bool named = words.size() > most;
  if (!named && reader_) {
    const std::vector<disk::CopyInfo> copies = reader_->copies();
    named = std::ranges::find(copies, words.front(), &disk::CopyInfo::server) != copies.end();
  }
  if (!named) return "";
  std::string server = std::move(words.front());
  words.erase(words.begin());
  return server;
}

std::string DiskTree::relative(std::string path) {
  while (path.starts_with('/') || path.starts_with("./")) path.erase(0, path[0] == '/' ? 1 : 2);
  while (path.ends_with('/')) path.pop_back();
  return path == "." ? "" : path;
}

void DiskTree::select(const std::vector<std::string>& paths) {
  if (paths.empty()) return;
  std::vector<std::string> wanted;
  for (const std::string& path : paths) wanted.push_back(relative(path));
  selected_ = std::make_unique<tree::SelectedSource>(*tree_, std::move(wanted));
}

tree::Source& DiskTree::source() {
  if (selected_) return *selected_;
  return *tree_;
}

void DiskTree::check_paths(const std::vector<std::string>& paths) {
  if (paths.empty()) return;
  std::vector<std::string> wanted;
  for (const std::string& path : paths) wanted.push_back(relative(path));
  const auto index = open_();
  tree::SelectedSource selected(*index, std::move(wanted));
  tree::Entry entry;
  while (selected.next(entry)) {
  }
  const std::vector<std::string> missing = selected.missing();
  if (!missing.empty()) refuse_path(missing.front());
}

void DiskTree::refuse_path(const std::string& path) const {
  throw Error(ErrorKind::not_found,
              fmt::format("there is no {} in the copy {}", base::printable(path), name_));
}

}  // namespace rota::cli
