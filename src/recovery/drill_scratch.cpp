#include "recovery/drill_scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "disk/remove_tree.h"
#include "disk/small_file.h"

namespace rota::recovery {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::string_view kPrefix = "rota-drill-";
constexpr std::string_view kKeptPrefix = "rota-restored-";

/// Source: Cache Directory Tagging Specification, bford.info/cachedir.
constexpr std::string_view kCacheTag =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# What a drill of rota restored: no backup needs it.\n";

/// Blocks and inodes of ext4: what the least file takes.
constexpr std::uint64_t kLeast = 4096;

std::string random_name(bool keep) {
  std::array<std::byte, 6> bytes{};
  base::random_bytes(bytes);
  return fmt::format("{}{}", keep ? kKeptPrefix : kPrefix, base::to_hex(bytes));
}

void check_place(int fd, const std::string& place) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) base::throw_os("cannot look at", base::printable(place), errno);
  const bool ours = st.st_uid == 0 || st.st_uid == ::geteuid();
  const bool open = (st.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (st.st_mode & S_ISVTX) == 0;
  if (ours && !open) return;
  throw Error(
      ErrorKind::config,
      fmt::format("no drill in {}: {}, who could exchange what is restored there; name "
                  "another place with --scratch or [drill] scratch",
                  base::printable(place),
                  ours ? "others than its owner can write in it" : "it belongs to another user"));
}

}  // namespace

DrillScratch::DrillScratch(const std::string& place, bool keep, base::Progress& progress,
                           base::Warnings& warnings)
    : place_(place), progress_(progress), warnings_(warnings), keep_(keep) {
  place_fd_ = base::Fd(::open(place.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!place_fd_.valid()) {
    throw Error(ErrorKind::config,
                fmt::format("cannot restore below {}: {}; name another place with --scratch or "
                            "[drill] scratch",
                            base::printable(place), base::os_reason(errno)));
  }
  check_place(place_fd_.get(), place);
  remove_left_behind();
  for (;;) {
    name_ = random_name(keep);
    path_ = (place == "/" ? "" : place) + "/" + name_;
    if (::mkdirat(place_fd_.get(), name_.c_str(), 0700) != 0) {
      base::throw_os("cannot create the directory", base::printable(path_), errno);
    }
    fd_ = disk::open_directory(place_fd_.get(), name_);
    // Another drill that begins just now may have taken it for one that was left behind.
    struct stat st {};
    if (fd_.valid() && ::flock(fd_.get(), LOCK_EX) == 0 && ::fstat(fd_.get(), &st) == 0 &&
        st.st_nlink > 0) {
      break;
    }
  }
  if (!keep) disk::write_small_file(fd_.get(), "CACHEDIR.TAG", kCacheTag, path_);
}

DrillScratch::~DrillScratch() {
  if (keep_ && !done_) warnings_.warn(path_, "holds what was restored until then");
  remove();
}

void DrillScratch::remove_left_behind() {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(
      ::fdopendir(::openat(place_fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), &::closedir);
  if (!directory) return;
  std::vector<std::string> names;
  while (const dirent* item = ::readdir(directory.get())) {
    if (std::string_view(item->d_name).starts_with(kPrefix)) names.emplace_back(item->d_name);
  }
  for (const std::string& name : names) {
    const base::Fd left = disk::open_directory(place_fd_.get(), name);
    struct stat st {};
    if (!left.valid() || ::fstat(left.get(), &st) != 0 || st.st_uid != ::geteuid() ||
        (st.st_mode & 0777) != 0700 || ::flock(left.get(), LOCK_EX | LOCK_NB) != 0) {
      continue;
    }
    const std::string shown = place_ + "/" + name;
    try {
      disk::remove_tree(place_fd_.get(), name, shown, progress_, {});
    } catch (const Error& error) {
      warnings_.warn(shown, fmt::format("was left behind by a drill and stays: {}", error.what()));
    }
  }
}

void DrillScratch::require_room(std::uint64_t bytes, std::uint64_t files, bool sample) const {
  struct statvfs st {};
  if (::fstatvfs(fd_.get(), &st) != 0) base::throw_os("cannot look at", path_, errno);
  // Without the blocks that are root's alone: a drill must not leave a server without room.
  const std::uint64_t room = static_cast<std::uint64_t>(st.f_bavail) * st.f_frsize;
  const std::uint64_t needed = bytes + files * kLeast;
  const char* advice = sample ? "take a smaller --sample" : "restore a part only with --sample";
  if (needed > room) {
    throw Error(
        ErrorKind::refused,
        fmt::format("there is no room for the drill: {} needs {}, and {} are free in {}; "
                    "{}, or name another place with --scratch",
                    sample ? "the sample" : "all that is restored", base::human_size(needed),
                    base::human_size(room), base::printable(place_), advice));
  }
  if (st.f_files != 0 && files > st.f_favail) {
    throw Error(ErrorKind::refused,
                fmt::format("there is no room for the drill: {} files are to be restored, and {} "
                            "can be made in {}; {}, or name another place with --scratch",
                            base::human_count(files), base::human_count(st.f_favail),
                            base::printable(place_), advice));
  }
}

void DrillScratch::remove() {
  if (done_) return;
  done_ = true;
  if (keep_) return;
  progress_.set_activity("removing what was restored");
  try {
    disk::remove_tree(place_fd_.get(), name_, path_, progress_, {});
  } catch (const Error& error) {
    warnings_.warn(path_, fmt::format("is left, with all that was restored: {}", error.what()));
  }
}

}  // namespace rota::recovery
