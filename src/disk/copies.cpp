#include "disk/copies.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/error.h"
#include "base/text.h"
#include "disk/remove_tree.h"
#include "disk/small_file.h"
#include "tree/names.h"

namespace rota::disk {

using base::Error;
using base::ErrorKind;

namespace {

/// The names in a directory that `take` takes, in order.
template <typename Take>
void for_each_name(int directory, const std::string& shown, Take take) {
  tree::DirectoryNames names;
  do {
    if (const int failed = names.fill(directory); failed != 0) {
      base::throw_os("cannot read", shown, failed);
    }
    while (const char* name = names.next()) take(std::string(name));
  } while (names.more());
}

void read_record(int copy, CopyInfo& info) {
  try {
    CopyRecord record = parse_copy_record(read_small_file(copy, kRecord, kMaxRecordBytes, kRecord));
    if (record.server != info.server || record.time != info.time) {
      info.problem = fmt::format("{} speaks of another copy", kRecord);
      return;
    }
    info.record = std::move(record);
  } catch (const Error& error) {
    info.problem = error.kind() == ErrorKind::not_found ? "it was not written to its end"
                                                        : std::string(error.what());
  }
}

std::string shown_copy(const std::string& server, const std::string& directory) {
  return fmt::format("{}/{}/{}", kTop, server, directory);
}

}  // namespace

std::vector<CopyInfo> list_copies(int directory, const std::string& server) {
  std::vector<CopyInfo> copies;
  for_each_name(directory, fmt::format("{}/{}", kTop, server), [&](const std::string& name) {
    const auto parsed = parse_copy_directory(name);
    if (!parsed) return;
    const base::Fd copy = open_directory(directory, name);
    if (!copy.valid()) {
      if (errno == ENOTDIR || errno == ELOOP || errno == ENOENT) return;
      base::throw_os("cannot read", shown_copy(server, name), errno);
    }
    CopyInfo info;
    info.server = server;
    info.directory = name;
    info.time = parsed->time;
    info.state = parsed->state;
    read_record(copy.get(), info);
    copies.push_back(std::move(info));
  });
  return copies;  // names of one length, and their suffixes: sorted by time
}

std::vector<CopyInfo> list_copies(int root) {
  std::vector<CopyInfo> copies;
  const base::Fd top = open_directory(root, kTop);
  if (!top.valid()) {
    if (errno == ENOENT) return copies;
    base::throw_os("cannot read", kTop, errno);
  }
  for_each_name(top.get(), kTop, [&](const std::string& name) {
    if (!is_server_name(name)) return;
    const base::Fd server = open_directory(top.get(), name);
    if (!server.valid()) {
      if (errno == ENOTDIR || errno == ELOOP || errno == ENOENT) return;
      base::throw_os("cannot read", fmt::format("{}/{}", kTop, name), errno);
    }
    for (CopyInfo& copy : list_copies(server.get(), name)) copies.push_back(std::move(copy));
  });
  return copies;
}

std::optional<CopyInfo> newest_sealed(const std::vector<CopyInfo>& copies,
                                      const std::string& server) {
  std::optional<CopyInfo> newest;
  for (const CopyInfo& copy : copies) {
    if (copy.server != server || copy.state != CopyState::sealed) continue;
    if (!newest || newest->time < copy.time) newest = copy;
  }
  return newest;
}

void seal(int root, const std::string& server, base::Instant snapshot) {
  const std::string from = copy_directory(snapshot, CopyState::partial);
  const std::string to = copy_directory(snapshot, CopyState::sealed);
  const base::Fd copy = open_copy(root, server, from);
  CopyInfo info;
  info.server = server;
  info.time = snapshot;
  read_record(copy.get(), info);
  if (!info.record) {
    throw Error(ErrorKind::refused, fmt::format("the copy {} cannot be sealed: {}",
                                                shown_copy(server, from), info.problem));
  }
  const base::Fd directory = open_server(root, server);
  if (::renameat2(directory.get(), from.c_str(), directory.get(), to.c_str(), RENAME_NOREPLACE) !=
      0) {
    if (errno == EEXIST) {
      throw Error(ErrorKind::refused, fmt::format("the copy {} is there already and is sealed",
                                                  shown_copy(server, to)));
    }
    base::throw_os("cannot seal", shown_copy(server, from), errno);
  }
  sync_file(directory.get(), shown_copy(server, to));
}

std::string set_aside(int root, const std::string& server, const std::string& directory,
                      base::Progress& progress, const std::stop_token& stop) {
  const auto name = parse_copy_directory(directory);
  if (!name) {
    throw Error(ErrorKind::usage, fmt::format("\"{}\" is no copy", base::printable(directory)));
  }
  const std::string leftover = copy_directory(name->time, CopyState::leftover);
  if (name->state == CopyState::leftover) return leftover;
  const base::Fd above = open_server(root, server);
  if (!above.valid()) base::throw_os("cannot open", fmt::format("{}/{}", kTop, server), ENOENT);
  struct stat st {};
  if (::fstatat(above.get(), leftover.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) {
    remove_tree(above.get(), leftover, shown_copy(server, leftover), progress, stop);
  }
  rename_durably(above.get(), directory, leftover, shown_copy(server, directory));
  return leftover;
}

void remove_copy(int root, const std::string& server, const std::string& directory,
                 base::Progress& progress, const std::stop_token& stop) {
  const std::string leftover = set_aside(root, server, directory, progress, stop);
  const base::Fd above = open_server(root, server);
  if (!above.valid()) base::throw_os("cannot open", fmt::format("{}/{}", kTop, server), ENOENT);
  remove_tree(above.get(), leftover, shown_copy(server, leftover), progress, stop);
  sync_file(above.get(), fmt::format("{}/{}", kTop, server));
}

}  // namespace rota::disk
