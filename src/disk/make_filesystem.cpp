#include "disk/make_filesystem.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace rota::disk {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::size_t kShownOutput = 600;

/// One inode for so many bytes of an ext4. Every copy has its own directories and shares the files,
/// so that a disk needs more inodes than one server: mke2fs's usual 16 KiB are kept up to where it
/// would begin to save them (4 TiB), and beyond until their number would pass 2^31.
std::uint64_t bytes_per_inode(std::uint64_t size) {
  std::uint64_t bytes = size < 512 * kMiB ? 4096 : 16384;
  while (size / bytes > 1ULL << 31) bytes *= 2;
  return bytes;
}

std::string last_lines(const std::string& output) {
  std::string text =
      output.size() > kShownOutput ? "..." + output.substr(output.size() - kShownOutput) : output;
  while (text.ends_with('\n')) text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  return base::printable(text);
}

}  // namespace

bool is_disk_filesystem(const std::string& fs_type) {
  return fs_type == "ext4" || fs_type == "xfs" || fs_type == "btrfs";
}

std::string repair_command(const std::string& node, const std::string& fs_type) {
  if (fs_type == "ext4") return "e2fsck -f " + node;
  if (fs_type == "xfs") return "xfs_repair " + node;
  return "btrfs check " + node;
}

std::vector<std::string> mkfs_command(const std::string& node, const std::string& fs_type,
                                      std::uint64_t size) {
  if (fs_type == "ext4") {
    // -m 0: what ext4 keeps for root is of no use where only root writes; the reserve file is.
    // Inode tables are filled in while the disk is first used: on 8 TB that is 125 GB, which would
    // be written before the first copy could begin.
    return {"mkfs.ext4",
            "-q",
            "-F",
            "-m",
            "0",
            "-I",
            "256",
            "-i",
            std::to_string(bytes_per_inode(size)),
            "-e",
            "remount-ro",
            "-E",
            "nodiscard,lazy_itable_init=1,lazy_journal_init=1",
            node};
  }
  if (fs_type == "xfs") {
    // -K: no discard of a device that nobody knows; many bridges take ages over it.
    return {"mkfs.xfs", "-q", "-f", "-K", "-m", "crc=1,reflink=1", node};
  }
  return {"mkfs.btrfs", "-q", "-f", "-K", "-d", "single", "-m", "dup", node};
}

std::vector<std::string> label_command(const std::string& node, const std::string& fs_type,
                                       const std::string& label) {
  if (fs_type == "ext4") return {"e2label", node, label};
  if (fs_type == "xfs") return {"xfs_admin", "-L", label, node};
  return {"btrfs", "filesystem", "label", node, label};
}

void run_tool(const std::vector<std::string>& argv, const std::string& doing,
              base::ProcessRunner& processes) {
  const base::ProcessResult result = processes.run({argv, {{"LC_ALL", "C"}}});
  if (result.status == 0) return;
  throw Error(ErrorKind::io, fmt::format("could not {}: {} ended with status {}: {}", doing,
                                         argv.front(), result.status, last_lines(result.output)));
}

std::uint64_t reserve_size(std::uint64_t size) {
  return std::clamp(size / 500 / kMiB * kMiB, kMiB, 64 * kMiB);
}

void make_reserve(int root) {
  struct statvfs fs {};
  if (::fstatvfs(root, &fs) != 0) base::throw_os("cannot look at", "the disk", errno);
  if (::mkdirat(root, "rota", 0755) != 0 && errno != EEXIST) {
    base::throw_os("cannot make", "rota/ on the disk", errno);
  }
  const base::Fd fd(
      ::openat(root, kReserveFile, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    if (errno == EEXIST) return;
    base::throw_os("cannot make", kReserveFile, errno);
  }
  const std::uint64_t size = reserve_size(static_cast<std::uint64_t>(fs.f_blocks) * fs.f_frsize);
  // Not ftruncate: the blocks themselves must be taken.
  const int failed = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(size));
  if (failed == 0 && ::fsync(fd.get()) == 0) return;
  const int error_number = failed != 0 ? failed : errno;
  ::unlinkat(root, kReserveFile, 0);
  base::throw_os("cannot make", kReserveFile, error_number);
}

void release_reserve(int root) {
  {
    // XFS frees the blocks of an unlinked file some time later, those of a shortened one now.
    const base::Fd fd(::openat(root, kReserveFile, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (fd.valid() && ::ftruncate(fd.get(), 0) != 0) {
      base::throw_os("cannot shorten", kReserveFile, errno);
    }
  }
  if (::unlinkat(root, kReserveFile, 0) != 0 && errno != ENOENT) {
    base::throw_os("cannot remove", kReserveFile, errno);
  }
  if (::syncfs(root) != 0) base::throw_os("cannot write to", "the disk", errno);
}

}  // namespace rota::disk
