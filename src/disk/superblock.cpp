#include "disk/superblock.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "disk/make_filesystem.h"

namespace rota::disk {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t kHead = 128 << 10;

// Places and values: fs/ext4/ext4.h.
constexpr std::size_t kExt4 = 1024;
constexpr std::size_t kExt4Magic = kExt4 + 0x38;
constexpr std::size_t kExt4State = kExt4 + 0x3a;
constexpr std::size_t kExt4Compatible = kExt4 + 0x5c;
constexpr std::size_t kExt4Incompatible = kExt4 + 0x60;
constexpr std::size_t kExt4ErrorCount = kExt4 + 0x194;
constexpr std::size_t kExt4End = kExt4 + 1024;
constexpr std::uint64_t kExt4Valid = 1;
constexpr std::uint64_t kExt4Errors = 2;
constexpr std::uint64_t kExt4HasJournal = 4;
constexpr std::uint64_t kExt4NeedsRecovery = 4;

// fs/xfs/libxfs/xfs_format.h, big-endian.
constexpr std::size_t kXfsVersion = 100;
constexpr std::size_t kXfsInProgress = 126;
constexpr std::size_t kXfsIncompatible = 216;
constexpr std::size_t kXfsEnd = 512;
constexpr std::uint64_t kXfsNeedsRepair = 1 << 4;

// include/uapi/linux/btrfs_tree.h.
constexpr std::size_t kBtrfs = 64 << 10;
constexpr std::size_t kBtrfsFlags = kBtrfs + 0x38;
constexpr std::size_t kBtrfsMagic = kBtrfs + 0x40;
constexpr std::size_t kBtrfsLogRoot = kBtrfs + 0x60;
constexpr std::size_t kBtrfsEnd = kBtrfs + 4096;
constexpr std::uint64_t kBtrfsErrors = 1 << 2;

std::uint64_t little(std::span<const std::byte> head, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) {
    value = value << 8 | std::to_integer<std::uint64_t>(head[at + i]);
  }
  return value;
}

std::uint64_t big(std::span<const std::byte> head, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value = value << 8 | std::to_integer<std::uint64_t>(head[at + i]);
  }
  return value;
}

bool has_text(std::span<const std::byte> head, std::size_t at, std::string_view text) {
  return base::as_text(head.subspan(at, text.size())) == text;
}

const FilesystemReport kClean{FilesystemState::clean, "it was unmounted in good order"};
const FilesystemReport kReplay{FilesystemState::needs_replay,
                               "it was not unmounted in good order (pulled out, or a power cut); "
                               "its journal will be replayed"};
const FilesystemReport kErrors{FilesystemState::flagged,
                               "the filesystem has noted errors of its own"};

FilesystemReport judge_ext4(std::span<const std::byte> head) {
  const std::uint64_t state = little(head, kExt4State, 2);
  if ((state & kExt4Errors) != 0 || little(head, kExt4ErrorCount, 4) != 0) return kErrors;
  if ((little(head, kExt4Incompatible, 4) & kExt4NeedsRecovery) != 0) return kReplay;
  if ((state & kExt4Valid) == 0) {
    // With a journal this bit stays set while it is mounted; without one there is nothing to
    // replay.
    return {FilesystemState::flagged,
            (little(head, kExt4Compatible, 4) & kExt4HasJournal) != 0
                ? "the filesystem is marked as not valid"
                : "it was not unmounted in good order, and has no journal"};
  }
  return kClean;
}

FilesystemReport judge_xfs(std::span<const std::byte> head) {
  if (head[kXfsInProgress] != std::byte{0}) {
    return {FilesystemState::flagged, "it was never made to its end"};
  }
  const bool has_features = (big(head, kXfsVersion, 2) & 0xf) == 5;
  if (has_features && (big(head, kXfsIncompatible, 4) & kXfsNeedsRepair) != 0) {
    return {FilesystemState::flagged, "the filesystem says that it needs a repair"};
  }
  return {FilesystemState::clean, "no errors are noted; the kernel replays its log if it must"};
}

FilesystemReport judge_btrfs(std::span<const std::byte> head) {
  if ((little(head, kBtrfsFlags, 8) & kBtrfsErrors) != 0) return kErrors;
  return little(head, kBtrfsLogRoot, 8) != 0 ? kReplay : kClean;
}

std::string first_words(std::string text) {
  constexpr std::size_t kMost = 600;
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  while (text.ends_with('\n')) text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  return base::printable(text);
}

}  // namespace

FilesystemReport judge_superblock(std::span<const std::byte> head, const std::string& fs_type) {
  if (fs_type == "ext4" && head.size() >= kExt4End && little(head, kExt4Magic, 2) == 0xef53) {
    return judge_ext4(head);
  }
  if (fs_type == "xfs" && head.size() >= kXfsEnd && has_text(head, 0, "XFSB")) {
    return judge_xfs(head);
  }
  if (fs_type == "btrfs" && head.size() >= kBtrfsEnd && has_text(head, kBtrfsMagic, "_BHRfS_M")) {
    return judge_btrfs(head);
  }
  throw Error(ErrorKind::corrupt, fmt::format("there is no superblock of {}", fs_type));
}

FilesystemReport inspect_filesystem(const std::string& node, const std::string& fs_type) {
  if (!is_disk_filesystem(fs_type)) {
    throw Error(ErrorKind::refused, fmt::format("{} holds {}; rotation disks have ext4, xfs or "
                                                "btrfs",
                                                node, base::printable(fs_type)));
  }
  const base::Fd fd = base::open_for_reading(node);
  std::vector<std::byte> head(kHead);
  head.resize(base::read_at(fd.get(), head, 0, node));
  try {
    return judge_superblock(head, fs_type);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}; check it with {}", node, error.what(),
                                          repair_command(node, fs_type)));
  }
}

std::string check_filesystem(const std::string& node, const std::string& fs_type,
                             base::ProcessRunner& processes) {
  std::vector<std::string> argv;
  if (fs_type == "ext4") argv = {"e2fsck", "-p", "-f", node};
  if (fs_type == "xfs") argv = {"xfs_repair", "-n", node};
  if (fs_type == "btrfs") argv = {"btrfs", "check", "--readonly", node};
  if (argv.empty()) {
    throw Error(ErrorKind::refused, fmt::format("{} cannot be checked: rota knows ext4, xfs and "
                                                "btrfs",
                                                node));
  }
  const base::ProcessResult result = processes.run({argv, {{"LC_ALL", "C"}}});
  if (result.status == 0) return "";
  // e2fsck(8): 1 and 2 are corrected, 4 is not, more is e2fsck's own trouble.
  constexpr int kCorrected = 1 | 2;
  constexpr int kLeft = 4;
  if (fs_type == "ext4" && (result.status & ~kCorrected) == 0) return first_words(result.output);
  if (fs_type == "ext4" && (result.status & ~(kCorrected | kLeft)) != 0) {
    throw Error(ErrorKind::io, fmt::format("could not check {}: e2fsck ended with status {}: {}",
                                           node, result.status, first_words(result.output)));
  }
  throw Error(
      ErrorKind::corrupt,
      fmt::format("the {} filesystem on {} is damaged: {}. It will not be written to. "
                  "Save what you need of it, then run `{}` and decide",
                  fs_type, node, first_words(result.output), repair_command(node, fs_type)));
}

}  // namespace rota::disk
