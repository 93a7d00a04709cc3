#include "disk/small_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"

namespace rota::disk {

base::Fd create_file(int directory, const char* name, const std::string& shown) {
  ::unlinkat(directory, name, 0);
  base::Fd fd(
      ::openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) base::throw_os("cannot create", base::printable(shown), errno);
  return fd;
}

void write_all(int fd, std::span<const std::byte> data, const std::string& shown) {
  while (!data.empty()) {
    const ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0 && errno != EINTR) base::throw_os("cannot write", base::printable(shown), errno);
    if (n > 0) data = data.subspan(static_cast<std::size_t>(n));
  }
}

void sync_file(int fd, const std::string& shown) {
  if (::fsync(fd) != 0) base::throw_os("cannot make durable", base::printable(shown), errno);
}

void write_small_file(int directory, const std::string& name, std::string_view text,
                      const std::string& shown) {
  const std::string temporary = name + ".tmp";
  {
    const base::Fd fd = create_file(directory, temporary.c_str(), shown);
    write_all(fd.get(), base::as_bytes(text), shown);
    sync_file(fd.get(), shown);
  }
  rename_durably(directory, temporary, name, shown);
}

std::string read_small_file(int directory, const std::string& name, std::uint64_t limit,
                            const std::string& shown) {
  const base::Fd fd(
      ::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat st {};
  if (!fd.valid() || ::fstat(fd.get(), &st) != 0) {
    base::throw_os("cannot read", base::printable(shown), errno);
  }
  if (!S_ISREG(st.st_mode) || static_cast<std::uint64_t>(st.st_size) > limit) {
    throw base::Error(base::ErrorKind::corrupt,
                      fmt::format("{} is not what rota wrote: it is {}", base::printable(shown),
                                  S_ISREG(st.st_mode) ? "too large" : "no file"));
  }
  std::string text(static_cast<std::size_t>(st.st_size), '\0');
  text.resize(base::read_at(fd.get(), std::as_writable_bytes(std::span(text)), 0, shown));
  return text;
}

base::Fd open_directory(int parent, const std::string& name) {
  return base::Fd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

base::Fd make_directory(int parent, const std::string& name, const std::string& shown) {
  if (::mkdirat(parent, name.c_str(), 0700) != 0 && errno != EEXIST) {
    base::throw_os("cannot create the directory", base::printable(shown), errno);
  }
  base::Fd fd = open_directory(parent, name);
  if (!fd.valid()) base::throw_os("cannot open the directory", base::printable(shown), errno);
  sync_file(parent, shown);
  return fd;
}

void rename_durably(int directory, const std::string& from, const std::string& to,
                    const std::string& shown) {
  if (::renameat(directory, from.c_str(), directory, to.c_str()) != 0) {
    base::throw_os("cannot rename", base::printable(shown), errno);
  }
  sync_file(directory, shown);
}

}  // namespace rota::disk
