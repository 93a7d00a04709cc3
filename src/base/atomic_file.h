#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/file.h"

namespace rota::base {

/// A file that appears whole or not at all.
///
/// Written as "<path>.tmp-<pid>-<n>" beside its place; commit() makes it durable and renames it.
/// Without commit() the destructor removes it. An existing file is replaced by the rename.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path, unsigned mode = 0600, FileOps& files = real_files());
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::span<const std::byte> data);
  void write(std::string_view text);
  void commit();

 private:
  FileOps& files_;
  std::string path_;
  std::string temporary_;
  Fd fd_;
};

/// Writes a small file in one atomic step.
void write_file(const std::string& path, std::string_view text, unsigned mode = 0600,
                FileOps& files = real_files());

/// Writes to a file that a person named on the command line. A terminal, pipe or character device
/// is written to as it stands ("-o /dev/stdout"); any other file is replaced in one atomic step,
/// where symbolic links lead to; a link that leads nowhere is itself replaced. Throws
/// Error(refused) for a directory or a block device, FileError.
void write_output(const std::string& path, std::string_view text, unsigned mode = 0600);

}  // namespace rota::base
