#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"

namespace rota::disk {

/// Files and directories relative to a directory's descriptor: on a disk no path is walked from the
/// machine's own root, so that nothing can land beside a mount. All throw FileError; symlinks are
/// not followed. `shown` is the file's name for messages.

/// A new file for writing, replacing what may have its name.
base::Fd create_file(int directory, const char* name, const std::string& shown);
void write_all(int fd, std::span<const std::byte> data, const std::string& shown);
void sync_file(int fd, const std::string& shown);

/// Writes a small file in one durable step: whole or not at all.
void write_small_file(int directory, const std::string& name, std::string_view text,
                      const std::string& shown);
/// Throws not_found, io, or Error(corrupt) when it is larger than `limit` or no regular file.
std::string read_small_file(int directory, const std::string& name, std::uint64_t limit,
                            const std::string& shown);

/// An existing directory, opened for reading. Invalid, with errno, when there is none.
base::Fd open_directory(int parent, const std::string& name);
/// A new directory (mode 0700), durable, opened for reading.
base::Fd make_directory(int parent, const std::string& name, const std::string& shown);
/// Renames within one directory, durably.
void rename_durably(int directory, const std::string& from, const std::string& to,
                    const std::string& shown);

}  // namespace rota::disk
