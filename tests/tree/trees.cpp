#include "tree/trees.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <exception>
#include <stdexcept>

#include "base/file.h"

namespace rota::tree {

std::vector<Entry> walk(Source& source) {
  std::vector<Entry> entries;
  Entry entry;
  while (source.next(entry)) {
    if (!entry.is_file() && entry.kind != EntryKind::hard_link) source.complete(entry);
    entries.push_back(entry);
  }
  return entries;
}

std::vector<Entry> walk(const std::string& root, Selection selection) {
  base::CollectedWarnings warnings;
  LocalSource source(root, std::move(selection), warnings);
  std::vector<Entry> entries = walk(source);
  CHECK(texts(warnings) == WarningList{});
  return entries;
}

std::vector<std::string> paths(const std::vector<Entry>& entries) {
  std::vector<std::string> list;
  for (const Entry& entry : entries) list.push_back(entry.path);
  return list;
}

const Entry& at(const std::vector<Entry>& entries, std::string_view path) {
  for (const Entry& entry : entries) {
    if (entry.path == path) return entry;
  }
  throw std::runtime_error("there is no entry " + std::string(path));
}

WarningList texts(const base::CollectedWarnings& warnings) {
  WarningList list;
  for (const auto& [path, message] : warnings.list) list.push_back(path + ": " + message);
  return list;
}

WarningList write_tree(Source& source, const std::string& to, TreeWriterOptions options,
                       std::uint64_t* damaged) {
  base::CollectedWarnings warnings;
  base::Progress progress;
  TreeWriter writer(to, options, warnings, progress, {});
  writer.consume(source);
  if (damaged != nullptr) *damaged = writer.damaged();
  return texts(warnings);
}

WarningList copy(const std::string& from, const std::string& to, TreeWriterOptions options) {
  base::CollectedWarnings reading;
  LocalSource source(from, {}, reading);
  WarningList list = write_tree(source, to, options);
  for (std::string& text : texts(reading)) list.push_back(std::move(text));
  return list;
}

std::string content_of(Source& source, Entry entry, std::uint64_t* holes) {
  const std::unique_ptr<Content> content = source.open(entry);
  if (!content) throw std::runtime_error("cannot open " + entry.path);
  std::string text;
  std::string buffer(10'000, '\0');
  while (const auto segment = content->next_segment()) {
    CHECK(segment->length > 0);
    if (segment->hole) {
      if (holes != nullptr) *holes += segment->length;
      text.append(segment->length, '\0');
      continue;
    }
    while (const std::size_t n = content->read(std::as_writable_bytes(std::span(buffer)))) {
      text.append(buffer, 0, n);
    }
  }
  return text;
}

base::Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error;
  }
  throw std::runtime_error("nothing was thrown");
}

void set_xattr(const std::string& path, const std::string& name, const std::string& value) {
  INFO(path << " " << name);
  REQUIRE(::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0) == 0);
}

std::string get_xattr(const std::string& path, const std::string& name) {
  std::string value(1'000, '\0');
  const ssize_t size = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
  return size < 0 ? "-" : value.substr(0, static_cast<std::size_t>(size));
}

std::string acl_for(std::uint32_t uid, unsigned permissions) {
  std::string value("\x02\0\0\0", 4);
  const auto add = [&](unsigned tag, unsigned rwx, std::uint32_t id) {
    value += {static_cast<char>(tag), 0, static_cast<char>(rwx), 0};
    for (int shift = 0; shift < 32; shift += 8) value.push_back(static_cast<char>(id >> shift));
  };
  add(0x01, 7, UINT32_MAX);  // the owner
  add(0x02, permissions, uid);
  add(0x04, 5, UINT32_MAX);  // the group
  add(0x10, 7, UINT32_MAX);  // the mask
  add(0x20, 1, UINT32_MAX);  // others
  return value;
}

void set_mtime(const std::string& path, std::int64_t seconds, std::uint32_t nanoseconds) {
  const timespec times[2] = {{0, UTIME_OMIT},
                             {static_cast<time_t>(seconds), static_cast<long>(nanoseconds)}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
}

struct stat status(const std::string& path) {
  struct stat st {};
  INFO(path);
  REQUIRE(::lstat(path.c_str(), &st) == 0);
  return st;
}

Timestamp mtime(const std::string& path) {
  const struct stat st = status(path);
  return {st.st_mtim.tv_sec, static_cast<std::uint32_t>(st.st_mtim.tv_nsec)};
}

std::string as_nobody(const std::function<std::string()>& action) {
  constexpr uid_t kNobody = 65534;
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::string result = "cannot become nobody";
    if (::setgroups(0, nullptr) == 0 && ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0) {
      try {
        result = action();
      } catch (const std::exception& error) {
        result = error.what();
      }
    }
    const ssize_t written = ::write(pipe[1], result.data(), result.size());
    ::_exit(written < 0 ? 1 : 0);
  }
  ::close(pipe[1]);
  const base::Fd from(pipe[0]);
  std::string result;
  char buffer[4096];
  for (ssize_t n; (n = ::read(from.get(), buffer, sizeof buffer)) > 0;) {
    result.append(buffer, static_cast<std::size_t>(n));
  }
  int state = 0;
  ::waitpid(child, &state, 0);
  REQUIRE((WIFEXITED(state) && WEXITSTATUS(state) == 0));
  return result;
}

TmpfsMount::TmpfsMount(const std::string& directory, const std::string& size)
    : directory_(directory),
      mounted_(::mount("tmpfs", directory.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0) {}

TmpfsMount::~TmpfsMount() {
  if (mounted_) ::umount2(directory_.c_str(), MNT_DETACH);
}

OpenFileLimit::OpenFileLimit(rlim_t most) {
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
  const rlimit limit{most, before_.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

OpenFileLimit::~OpenFileLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

void make_deep(const std::string& top, int depth) {
  REQUIRE(::mkdir(top.c_str(), 0755) == 0);
  base::Fd at(::open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int level = 1; level < depth; ++level) {
    const std::string name(level % 100 == 0 ? 255 : 1, 'd');
    REQUIRE(::mkdirat(at.get(), name.c_str(), 0755) == 0);
    if (level % 250 == 0) {
      const base::Fd file(::openat(at.get(), "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
      REQUIRE(::write(file.get(), "deep", 4) == 4);
    }
    at = base::Fd(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(at.valid());
  }
}

}  // namespace rota::tree
