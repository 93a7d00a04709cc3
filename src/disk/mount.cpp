#include "disk/mount.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "disk/make_filesystem.h"

namespace rota::disk {

namespace {

using base::Error;
using base::ErrorKind;
using base::Fd;

constexpr std::chrono::milliseconds kPause(20);
constexpr int kBusyTries = 10;  // 0.2 s: whoever only probes the device lets go at once

/// FSCONFIG_CMD_CREATE_EXCL of Linux 6.6, which older headers do not have: never share a superblock
/// that somebody else has mounted.
constexpr unsigned kCreateExclusively = 8;

// Called by number: glibc has wrappers only since 2.36, and its header and the kernel's clash.
int fs_open(const std::string& type) {
  return static_cast<int>(::syscall(SYS_fsopen, type.c_str(), FSOPEN_CLOEXEC));
}
long fs_config(int context, unsigned command, const char* key, const char* value) {
  return ::syscall(SYS_fsconfig, context, command, key, value, 0);
}
int fs_mount(int context, unsigned attributes) {
  return static_cast<int>(::syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes));
}

/// What the kernel has to say, without its "e " and "w " in front: errors, else warnings.
std::string kernel_words(int context) {
  std::string words;
  char line[1024];
  for (;;) {
    const ssize_t n = ::read(context, line, sizeof line);
    if (n <= 0) break;
    std::string_view text(line, static_cast<std::size_t>(n));
    if (text.size() > 2 && text[1] == ' ') text.remove_prefix(2);
    while (text.ends_with('\n')) text.remove_suffix(1);
    if (!words.empty()) words += "; ";
    words += base::printable(text);
  }
  return words.empty() ? words : fmt::format(" (the kernel: {})", words);
}

[[noreturn]] void refuse_busy(const std::string& node) {
  throw Error(ErrorKind::refused,
              fmt::format("{} is in use: it is mounted, or another program holds it; unmount it "
                          "(`findmnt -S {}` shows where) and try again",
                          node, node));
}

[[noreturn]] void fail(const std::string& node, const std::string& fs_type, int error_number,
                       const std::string& words) {
  switch (error_number) {
    case EBUSY:
      refuse_busy(node);
    case EUCLEAN:
    case EINVAL:
    case EBADMSG:  // EFSBADCRC inside the kernel
      throw Error(ErrorKind::corrupt,
                  fmt::format("the {} filesystem on {} is damaged and cannot be mounted{}; check "
                              "it with {}",
                              fs_type, node, words, repair_command(node, fs_type)));
    case ENODEV:
      throw Error(ErrorKind::io,
                  fmt::format("this kernel cannot mount {}{}; load its module (`modprobe {}`)",
                              fs_type, words, fs_type));
    case EPERM:
      throw Error(ErrorKind::io, fmt::format("only root may mount {}", node));
    case EACCES:
    case EROFS:
      throw Error(ErrorKind::io,
                  fmt::format("{} is read-only: a switch on the disk, or a disk that is failing{}",
                              node, words));
    case EIO:
    case ENXIO:
    case ENOMEDIUM:
      throw Error(
          ErrorKind::unavailable,
          fmt::format("{} does not answer: it was pulled out, or is failing{}", node, words));
    default:
      throw Error(ErrorKind::io,
                  fmt::format("cannot mount {}: {}{}", node, base::os_reason(error_number), words));
  }
}

/// True when nobody has it mounted or holds it. Somebody who has it mounted would share the
/// superblock with us, in kernels before 6.6 without a word.
bool is_free(const std::string& node) {
  for (int tries = 0; tries < kBusyTries; ++tries) {
    const Fd fd(::open(node.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
    if (fd.valid()) return true;
    if (errno != EBUSY) fail(node, "", errno, "");
    std::this_thread::sleep_for(kPause);
  }
  return false;
}

std::vector<std::pair<const char*, const char*>> options_of(const std::string& fs_type,
                                                            MountMode mode) {
  std::vector<std::pair<const char*, const char*>> options;
  if (fs_type == "ext4") options.emplace_back("errors", "remount-ro");
  if (mode == MountMode::untouched) {
    if (fs_type == "ext4") options.emplace_back("noload", nullptr);
    if (fs_type == "xfs") options.emplace_back("norecovery", nullptr);
    if (fs_type == "btrfs") options.emplace_back("rescue", "nologreplay");
  }
  // A disk and its clone have one UUID, and so has a snapshot; XFS would refuse the second.
  if (fs_type == "xfs") options.emplace_back("nouuid", nullptr);
  if (mode != MountMode::read_write) options.emplace_back("ro", nullptr);
  return options;
}

void configure(int context, const std::string& node, const std::string& fs_type, MountMode mode) {
  const auto set = [&](unsigned command, const char* key, const char* value) {
    if (fs_config(context, command, key, value) == 0) return;
    const int error_number = errno;
    throw Error(ErrorKind::io,
                fmt::format("this kernel does not mount {} with {}: {}{}", fs_type, key,
                            base::os_reason(error_number), kernel_words(context)));
  };
  set(FSCONFIG_SET_STRING, "source", node.c_str());
  for (const auto& [key, value] : options_of(fs_type, mode)) {
    set(value == nullptr ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, key, value);
  }
}

void create(int context, const std::string& node, const std::string& fs_type) {
  if (fs_config(context, kCreateExclusively, nullptr, nullptr) == 0) return;
  if (errno == EOPNOTSUPP && fs_config(context, FSCONFIG_CMD_CREATE, nullptr, nullptr) == 0) {
    return;
  }
  const int error_number = errno;
  fail(node, fs_type, error_number, kernel_words(context));
}

}  // namespace

DiskMount::DiskMount(const std::string& node, const std::string& fs_type, MountMode mode)
    : node_(node), fs_type_(fs_type), mode_(mode) {
  if (!is_disk_filesystem(fs_type)) {
    throw Error(
        ErrorKind::refused,
        fmt::format("{} holds {}; rotation disks have ext4, xfs or btrfs", node,
                    fs_type.empty() ? "no filesystem that is known" : base::printable(fs_type)));
  }
  if (!base::exists(node)) {
    throw Error(ErrorKind::not_found,
                fmt::format("there is no device {}; is the disk plugged in?", node));
  }
  if (!is_free(node)) refuse_busy(node);
  const Fd context(fs_open(fs_type));
  if (!context.valid()) fail(node, fs_type, errno, "");
  configure(context.get(), node, fs_type, mode);
  create(context.get(), node, fs_type);
  unsigned attributes =
      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME;
  if (mode != MountMode::read_write) attributes |= MOUNT_ATTR_RDONLY;
  mount_ = Fd(fs_mount(context.get(), attributes));
  if (!mount_.valid()) fail(node, fs_type, errno, kernel_words(context.get()));
  // What fsmount gives is an O_PATH descriptor, which cannot be synced or listed.
  root_ = Fd(::openat(mount_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat st {};
  if (!root_.valid() || ::fstat(root_.get(), &st) != 0) fail(node, fs_type, errno, "");
  device_ = st.st_dev;
}

std::string DiskMount::path() const { return fmt::format("/proc/self/fd/{}", root_.get()); }

void DiskMount::sync() {
  if (::syncfs(root_.get()) != 0) {
    const int error_number = errno;
    throw Error(ErrorKind::io,
                fmt::format("not everything arrived on {}: {}; what was written since the last "
                            "success does not count",
                            node_, base::os_reason(error_number)));
  }
}

void DiskMount::close() {
  if (!root_.valid()) return;
  std::string trouble;
  if (mode_ == MountMode::read_write) {
    try {
      sync();
    } catch (const Error& error) {
      trouble = error.what();
    }
  }
  root_.reset();
  mount_.reset();
  if (!trouble.empty()) throw Error(ErrorKind::io, trouble);
  if (base::exists(node_) && !is_free(node_)) {
    throw Error(ErrorKind::refused,
                fmt::format("{} is still in use: somebody mounted it meanwhile, or something has a "
                            "file on it open; it is not safe to unplug: unmount it (`findmnt -S "
                            "{}` shows where)",
                            node_, node_));
  }
}

}  // namespace rota::disk
