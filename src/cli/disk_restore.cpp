#include "cli/disk_restore.h"

#include <fmt/core.h>

#include "base/error.h"
#include "base/text.h"

namespace rota::cli {

using base::Error;
using base::ErrorKind;

void declare_disk(Options& options, DiskOptions& disk) {
  options.text("--disk", disk.disk, "DISK",
               "From a rotation disk that is plugged in: B, ROTA-B, /dev/sdb1");
  options.text("--copy", disk.copy, "DIR",
               "From a copy whose disk is mounted already: the directory with \"tree\" in it");
  options.text("--disk-key", disk.key_file, "FILE",
               "The key file of an encrypted disk, or one that holds its recovery passphrase "
               "without a line feed");
}

DiskTree::DiskTree(Context& context, const DiskOptions& options, const std::string& server,
                   const std::string& at, const std::vector<std::string>& paths) {
  if (!options.disk.empty() && !options.copy.empty()) {
    throw Error(ErrorKind::usage, "--disk finds the copies on a disk, --copy names one: not both");
  }
  if (!options.copy.empty()) {
    if (!at.empty()) throw Error(ErrorKind::usage, "--at chooses a copy, and --copy names one");
    tree_ = job::open_copy_directory(options.copy, context.warnings());
    name_ = base::printable(options.copy);
  } else {
    reader_ =
        std::make_unique<job::DiskReader>(context.places(), udev::real_devices(), options.disk,
                                          options.key_file, context.surroundings());
    const disk::CopyInfo copy = reader_->select(server, at, context.now());
    name_ = fmt::format("{} {}", copy.server, base::compact(copy.time));
    tree_ = reader_->open(copy, context.warnings());
  }
  if (paths.empty()) return;
  std::vector<std::string> relative;
  for (std::string path : paths) {
    while (path.starts_with('/') || path.starts_with("./")) path.erase(0, path[0] == '/' ? 1 : 2);
    while (path.ends_with('/')) path.pop_back();
    relative.push_back(path == "." ? "" : path);
  }
  selected_ = std::make_unique<tree::SelectedSource>(*tree_, std::move(relative));
}

tree::Source& DiskTree::source() {
  if (selected_) return *selected_;
  return *tree_;
}

void DiskTree::check_paths() const {
  if (!selected_) return;
  const std::vector<std::string> missing = selected_->missing();
  if (missing.empty()) return;
  throw Error(ErrorKind::not_found, fmt::format("there is no {} in the copy {}",
                                                base::printable(missing.front()), name_));
}

}  // namespace rota::cli
