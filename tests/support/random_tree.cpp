#include "support/random_tree.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "base/file.h"
#include "base/process.h"
#include "base/progress.h"
#include "base/text.h"
#include "support/files.h"
#include "tree/compare.h"
#include "tree/local_source.h"

namespace rota::test {

namespace {

constexpr std::size_t kMostPath = 3'000;

/// The generator is sure of what it does: a failure is a bug in it, or a filesystem that lacks
/// something, and must not be mistaken for a tree that has it.
void must(bool done, const char* what, const std::string& path) {
  if (done) return;
  const int reason = errno;
  throw std::runtime_error(
      fmt::format("random tree: {} {}: {}", what, base::printable(path), std::strerror(reason)));
}

struct stat status(const std::string& path) {
  struct stat st {};
  must(::lstat(path.c_str(), &st) == 0, "stat", path);
  return st;
}

bool is_directory(const std::string& path) { return S_ISDIR(status(path).st_mode); }
bool is_file(const std::string& path) { return S_ISREG(status(path).st_mode); }

base::Fd open_to_write(const std::string& path) {
  base::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid() && errno == EACCES) {
    must(::chmod(path.c_str(), 0600) == 0, "chmod", path);
    fd = base::Fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  }
  must(fd.valid(), "open", path);
  return fd;
}

void write_at(int fd, const std::string& data, std::uint64_t offset, const std::string& path) {
  for (std::size_t done = 0; done < data.size();) {
    const ssize_t n =
        ::pwrite(fd, data.data() + done, data.size() - done, static_cast<off_t>(offset + done));
    must(n > 0, "write", path);
    done += static_cast<std::size_t>(n);
  }
}

/// A POSIX ACL as the kernel takes it: version 2, then {tag, permissions, id}, little-endian.
std::string acl(unsigned seed) {
  std::string value("\x02\0\0\0", 4);
  const auto add = [&](unsigned tag, unsigned permissions, std::uint32_t id) {
    for (const unsigned number : {tag, permissions}) {
      value.push_back(static_cast<char>(number & 0xff));
      value.push_back(static_cast<char>(number >> 8));
    }
    for (int shift = 0; shift < 32; shift += 8) value.push_back(static_cast<char>(id >> shift));
  };
  add(0x01, 7, UINT32_MAX);                     // owner
  add(0x02, seed % 8, 1000 + seed % 50);        // one user
  add(0x04, (seed >> 3) % 8, UINT32_MAX);       // group
  add(0x08, (seed >> 6) % 8, 2000 + seed % 7);  // one more group
  add(0x10, 7, UINT32_MAX);                     // mask
  add(0x20, (seed >> 9) % 8, UINT32_MAX);       // others
  return value;
}

}  // namespace

/// The names that there are, sorted, so that a choice does not depend on the order of readdir.
struct RandomTree::Listing {
  std::vector<std::string> directories;  ///< the root first
  std::vector<std::string> files;
  std::vector<std::string> others;
  std::vector<std::string> all;  ///< all of them but the root
};

RandomTree::RandomTree(std::uint64_t seed, std::string root, std::size_t size)
    : seed_(seed), root_(std::move(root)), random_(seed), root_user_(::geteuid() == 0) {
  base::real_files().make_directories(root_, 0755);
  std::vector<std::string> directories{root_};
  for (std::size_t i = 0; i < size; ++i) {
    const std::string& directory = any(directories);
    if (chance(6) && directory.size() < kMostPath - 600) {
      const std::string path = new_path(directory);
      must(::mkdir(path.c_str(), 0755) == 0, "mkdir", path);
      directories.push_back(path);
    } else {
      make_any(directory);
    }
  }
  if (chance(2)) make_deep(root_);
  // Children first, or the times and modes of directories would not last.
  Listing made = list();
  for (auto path = made.all.rbegin(); path != made.all.rend(); ++path) decorate(*path);
  decorate(root_);
}

std::uint64_t RandomTree::below(std::uint64_t end) { return random_() % end; }

std::string RandomTree::bytes(std::size_t size) {
  std::string data(size, '\0');
  switch (below(4)) {
    case 0:  // zeros that are written and take room
      break;
    case 1: {  // text, with repetition
      static constexpr std::string_view kWords[] = {"backup ", "disk ", "shelf ", "store\n",
                                                    "run "};
      for (std::size_t at = 0; at < size;) {
        const std::string_view word = kWords[below(std::size(kWords))];
        at += word.copy(data.data() + at, size - at);
      }
      break;
    }
    default:
      for (std::size_t at = 0; at < size; at += 8) {
        const std::uint64_t number = random_();
        std::memcpy(data.data() + at, &number, std::min<std::size_t>(8, size - at));
      }
  }
  return data;
}

std::string RandomTree::new_name() {
  const std::string number = std::to_string(made_++);
  switch (below(16)) {
    case 0:
      return "with blanks " + number + " ";
    case 1:
      return "-n" + number;
    case 2:
      return "line\nbreak\t" + number;
    case 3:
      return "not\xff\xfeutf8\x80" + number;
    case 4:
      return std::string(255 - number.size(), static_cast<char>('a' + below(26))) + number;
    case 5:
      return "." + number;
    case 6:
      return "..." + number;
    case 7:
      return "a" + number.substr(0, 1) + std::string(1, static_cast<char>(1 + below(46))) + number;
    case 8:
      return "gr\xc3\xb6\xc3\x9f"
             "e-" +
             number;
    case 9:
      return "*?[\\]'\"$(x)" + number;
    case 10:
      return "\x7f\x01\x1b[31m" + number;
    default:
      return "n" + number;
  }
}

std::string RandomTree::new_path(const std::string& directory) {
  for (;;) {
    std::string path = directory + "/" + new_name();
    if (!base::exists(path)) return path;
  }
}

RandomTree::Listing RandomTree::list() const {
  namespace fs = std::filesystem;
  Listing found;
  found.directories.push_back(root_);
  for (const auto& item : fs::recursive_directory_iterator(root_)) {
    found.all.push_back(item.path().native());
  }
  std::sort(found.all.begin(), found.all.end());
  for (const std::string& path : found.all) {
    const mode_t mode = status(path).st_mode;
    (S_ISDIR(mode)   ? found.directories
     : S_ISREG(mode) ? found.files
                     : found.others)
        .push_back(path);
  }
  return found;
}

const std::string& RandomTree::any(const std::vector<std::string>& paths) {
  return paths.at(below(paths.size()));
}

void RandomTree::make_any(const std::string& directory) {
  const std::string path = new_path(directory);
  if (chance(5)) return make_special(path);
  if (chance(8)) {
    const Listing all = list();
    const std::vector<std::string>& from = chance(3) ? all.others : all.files;
    if (from.empty()) return;
    must(::linkat(AT_FDCWD, any(from).c_str(), AT_FDCWD, path.c_str(), 0) == 0, "link", path);
    return;
  }
  make_file(path);
}

void RandomTree::make_file(const std::string& path) {
  const base::Fd fd = open_to_write(path);
  std::uint64_t end = 0;
  const auto truncate = [&](std::uint64_t size) {
    must(::ftruncate(fd.get(), static_cast<off_t>(size)) == 0, "truncate", path);
  };
  if (chance(6)) return;  // empty
  if (chance(6)) {        // holes in front, between and behind, or nothing but a hole
    const std::uint64_t pieces = below(4);
    for (std::uint64_t i = 0; i < pieces; ++i) {
      end += 4096 * below(100) + (chance(2) ? below(4096) : 0);
      write_at(fd.get(), bytes(below(20'000)), end, path);
      end += 20'000;
    }
    return truncate(end + below(1 << 20));
  }
  std::uint64_t size = below(300);
  if (chance(3)) size = below(40'000);
  if (chance(12)) size = below(1 << 20);
  if (chance(60)) size = below(6 << 20);
  if (chance(20)) size = 4096 << below(9);
  write_at(fd.get(), bytes(size), 0, path);
}

void RandomTree::make_special(const std::string& path) {
  switch (below(root_user_ ? 5 : 3)) {
    case 0:
    case 1: {
      static constexpr const char* kTargets[] = {"/etc", "..", ".", "nowhere", "/", "-x"};
      const std::string target =
          chance(3) ? std::string(1 + below(1'000), 't') : kTargets[below(std::size(kTargets))];
      must(::symlink(target.c_str(), path.c_str()) == 0, "symlink", path);
      return;
    }
    case 2:
      must(::mkfifo(path.c_str(), 0644) == 0, "mkfifo", path);
      return;
    default:
      must(::mknod(path.c_str(), (chance(2) ? S_IFCHR : S_IFBLK) | 0600,
                   ::makedev(static_cast<unsigned>(1 + below(300)),
                             static_cast<unsigned>(below(70'000)))) == 0,
           "mknod", path);
  }
}

void RandomTree::make_deep(const std::string& directory) {
  std::string path = directory;
  for (std::uint64_t depth = 20 + below(60); depth > 0 && path.size() < kMostPath - 600; --depth) {
    path += "/d";
    if (::mkdir(path.c_str(), 0755) != 0)
      must(errno == EEXIST && is_directory(path), "mkdir", path);
    if (chance(10)) make_file(new_path(path));
  }
}

void RandomTree::decorate(const std::string& path) {
  if (chance(3)) set_owner(path);
  if (chance(4)) set_xattr(path);
  if (chance(10)) set_acl(path);
  if (chance(2)) set_mode(path);
  if (!chance(4)) set_times(path);
}

void RandomTree::set_mode(const std::string& path) {
  const struct stat st = status(path);
  if (S_ISLNK(st.st_mode)) return;
  mode_t mode = static_cast<mode_t>(below(010000));
  if (!root_user_) mode |= S_ISDIR(st.st_mode) ? 0700U : 0400U;
  must(::chmod(path.c_str(), mode) == 0, "chmod", path);
}

void RandomTree::set_owner(const std::string& path) {
  if (!root_user_) return;
  const uid_t uid = static_cast<uid_t>(chance(4) ? below(4'000'000'000) : below(2'000));
  must(::lchown(path.c_str(), uid, static_cast<gid_t>(below(2'000))) == 0, "chown", path);
}

void RandomTree::set_times(const std::string& path) {
  timespec times[2] = {{0, UTIME_OMIT}, {}};
  switch (below(4)) {
    case 0:  // before 1970; ext4 reaches back to 1901
      times[1].tv_sec = -static_cast<time_t>(below(2'000'000'000));
      break;
    case 1:  // up to 2400
      times[1].tv_sec = static_cast<time_t>(below(13'500'000'000));
      break;
    default:
      times[1].tv_sec = 1'700'000'000 + static_cast<time_t>(below(50'000'000));
  }
  if (!chance(4)) times[1].tv_nsec = static_cast<long>(below(1'000'000'000));
  must(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0, "touch", path);
}

void RandomTree::set_xattr(const std::string& path) {
  const struct stat st = status(path);
  const bool plain = S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
  if (!plain && !root_user_) return;
  std::string name =
      fmt::format("{}.rota{}", plain && !(root_user_ && chance(3)) ? "user" : "trusted", below(4));
  std::string value = bytes(chance(5) ? 0 : below(200));
  if (S_ISREG(st.st_mode) && root_user_ && chance(4)) {
    name = "security.capability";  // version 2, cap_net_raw or its neighbours, effective
    value = std::string("\x01\0\0\x02", 4) + std::string(1, '\0') +
            std::string(1, static_cast<char>(1 << below(8))) + std::string(14, '\0');
  }
  const int done = chance(4) && !plain
                       ? ::lremovexattr(path.c_str(), name.c_str())
                       : ::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0);
  // ENOSPC: an ext4 inode has room for one block of them.
  const bool allowed = errno == ENODATA || errno == ENOSPC || (errno == EACCES && !root_user_);
  must(done == 0 || allowed, "set an xattr of", path);
}

void RandomTree::set_acl(const std::string& path) {
  const struct stat st = status(path);
  if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) return;
  const std::string value = acl(static_cast<unsigned>(below(4096)));
  const bool by_default = S_ISDIR(st.st_mode) && chance(2);
  const char* name = by_default ? "system.posix_acl_default" : "system.posix_acl_access";
  must(::lsetxattr(path.c_str(), name, value.data(), value.size(), 0) == 0, "set an ACL of", path);
}

void RandomTree::mutate(std::size_t changes) {
  for (std::size_t i = 0; i < changes; ++i) {
    Listing all = list();
    if (all.all.empty()) {
      make_any(root_);
      continue;
    }
    switch (below(4)) {
      case 0:
        if (!all.files.empty()) change_content(any(all.files));
        break;
      case 1:
        change_metadata(chance(20) ? root_ : any(all.all));
        break;
      default:
        change_names(all);
    }
  }
}

void RandomTree::change_content(const std::string& path) {
  const struct stat before = status(path);
  const std::uint64_t size = static_cast<std::uint64_t>(before.st_size);
  const base::Fd fd = open_to_write(path);
  switch (below(7)) {
    case 0:
      write_at(fd.get(), bytes(1 + below(5'000)), size, path);
      break;
    case 1:
      must(::ftruncate(fd.get(), static_cast<off_t>(below(size + 1))) == 0, "truncate", path);
      break;
    case 2:  // a hole at the end
      must(::ftruncate(fd.get(), static_cast<off_t>(size + below(1 << 18))) == 0, "grow", path);
      break;
    case 3: {  // punch holes
      const std::uint64_t start = 4096 * below(size / 4096 + 1);
      if (::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                      static_cast<off_t>(start), static_cast<off_t>(4096 * (1 + below(8)))) != 0) {
        must(errno == EOPNOTSUPP, "punch a hole into", path);
      }
      break;
    }
    case 4: {  // insert or cut in the middle: all that follows moves
      std::string text = read(path);
      const std::size_t at = static_cast<std::size_t>(below(text.size() + 1));
      if (chance(2)) {
        text.insert(at, bytes(1 + below(700)));
      } else {
        text.erase(at, below(700));
      }
      must(::ftruncate(fd.get(), 0) == 0, "truncate", path);
      write_at(fd.get(), text, 0, path);
      break;
    }
    default: {  // here and there, in place
      for (std::uint64_t n = 1 + below(4); n > 0 && size > 0; --n) {
        const std::uint64_t at = below(size);
        write_at(fd.get(), bytes(std::min<std::uint64_t>(1 + below(300), size - at)), at, path);
      }
      if (chance(2)) {  // and the time put back: only ctime tells
        const timespec times[2] = {{0, UTIME_OMIT}, before.st_mtim};
        must(::futimens(fd.get(), times) == 0, "touch", path);
      }
    }
  }
}

void RandomTree::change_metadata(const std::string& path) {
  switch (below(5)) {
    case 0:
      return set_mode(path);
    case 1:
      return set_owner(path);
    case 2:
      return set_xattr(path);
    case 3:
      return set_acl(path);
    default:
      return set_times(path);
  }
}

void RandomTree::change_names(Listing& all) {
  const std::string target = any(all.all);
  const std::string& directory = any(all.directories);
  if (directory.size() > kMostPath - 600) return;
  switch (below(9)) {
    case 0:
      return make_any(directory);
    case 1: {
      const std::string path = new_path(directory);
      must(::mkdir(path.c_str(), 0750) == 0, "mkdir", path);
      for (std::uint64_t n = below(4); n > 0; --n) make_any(path);
      return;
    }
    case 2:  // now and then with all that is below it
      if (is_directory(target) && !chance(4)) return;
      return remove_tree(target);
    case 3:
    case 4: {  // move; a directory only where it does not make paths too long, nor into itself
      if (is_directory(target) && (tree::is_within(directory, target) || !chance(2))) return;
      for (const std::string& path : all.all) {
        if (tree::is_within(path, target) &&
            path.size() - target.size() + directory.size() + 256 > kMostPath) {
          return;
        }
      }
      const std::string path = new_path(directory);
      must(::rename(target.c_str(), path.c_str()) == 0, "rename", path);
      return;
    }
    case 5: {  // another kind under the same name
      remove_tree(target);
      if (chance(3)) {
        must(::mkdir(target.c_str(), 0755) == 0, "mkdir", target);
        return make_any(target);
      }
      return chance(2) ? make_special(target) : make_file(target);
    }
    case 6: {  // one more hard link
      if (is_directory(target)) return;
      const std::string path = new_path(directory);
      must(::linkat(AT_FDCWD, target.c_str(), AT_FDCWD, path.c_str(), 0) == 0, "link", path);
      return;
    }
    case 7: {  // break a hard link: the same content in an inode of its own
      if (!is_file(target)) return;
      const std::string path = new_path(directory);
      write(path, read(target));
      must(::rename(path.c_str(), target.c_str()) == 0, "rename", target);
      return;
    }
    default: {  // two files change places
      const std::string& other = any(all.all);
      if (is_directory(target) || is_directory(other) || other == target) return;
      must(::renameat2(AT_FDCWD, target.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) == 0,
           "swap", target);
    }
  }
}

std::string rsync_differences(const std::string& first, const std::string& second) {
  const base::ProcessResult result =
      base::real_processes().run({{"rsync", "-aHAXnic", "--numeric-ids", "--delete",
                                   "--modify-window=-1", first + "/", second + "/"},
                                  {{"LC_ALL", "C"}}});
  if (result.status == 127) throw std::runtime_error("rsync is needed by this test: install it");
  if (result.status == 0) return result.output;
  return fmt::format("{}rsync ended with status {}\n", result.output, result.status);
}

std::string differences(const std::string& first, const std::string& second) {
  std::string found;
  base::CollectedWarnings warnings;
  tree::LocalSource a(first, {}, warnings);
  tree::LocalSource b(second, {}, warnings);
  tree::compare(a, b, [&](const tree::Difference& difference) {
    static constexpr std::array kChanges = {"added", "removed", "content", "metadata"};
    found +=
        fmt::format("compare: {} {} {}\n", kChanges[static_cast<std::size_t>(difference.change)],
                    base::printable(difference.entry.path), difference.what);
  });
  for (const auto& [path, message] : warnings.list) {
    found += fmt::format("warning: {}: {}\n", base::printable(path), message);
  }
  return found + rsync_differences(first, second);
}

}  // namespace rota::test
