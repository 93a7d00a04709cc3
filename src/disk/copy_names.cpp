#include "disk/copy_names.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "disk/small_file.h"

namespace rota::disk {

namespace {

constexpr std::string_view kPartialSuffix = ".partial";
constexpr std::string_view kLeftoverSuffix = ".old";

}  // namespace

std::string_view state_word(CopyState state) {
  switch (state) {
    case CopyState::sealed:
      return "sealed";
    case CopyState::partial:
      return "partial";
    case CopyState::leftover:
      return "leftover";
  }
  return "unknown";
}

std::string copy_directory(base::Instant time, CopyState state) {
  std::string name = base::compact(time);
  if (state == CopyState::partial) name += kPartialSuffix;
  if (state == CopyState::leftover) name += kLeftoverSuffix;
  return name;
}

std::optional<CopyName> parse_copy_directory(std::string_view name) {
  CopyName parsed;
  if (name.ends_with(kPartialSuffix)) {
    parsed.state = CopyState::partial;
    name.remove_suffix(kPartialSuffix.size());
  } else if (name.ends_with(kLeftoverSuffix)) {
    parsed.state = CopyState::leftover;
    name.remove_suffix(kLeftoverSuffix.size());
  }
  const auto time = base::parse_compact(name);
  if (!time) return std::nullopt;
  parsed.time = *time;
  return parsed;
}

bool is_server_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && name.front() != '.' && name.front() != '-' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-' || c == '_';
         });
}

base::Fd open_server(int root, const std::string& server, bool make) {
  if (!is_server_name(server)) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("\"{}\" cannot name a server on a disk; use letters, digits, "
                                  "'.', '-' and '_'",
                                  base::printable(server)));
  }
  base::Fd top = make ? make_directory(root, kTop, kTop) : open_directory(root, kTop);
  if (!top.valid() && errno != ENOENT) base::throw_os("cannot open", kTop, errno);
  if (!top.valid()) return top;
  const std::string shown = fmt::format("{}/{}", kTop, server);
  base::Fd fd = make ? make_directory(top.get(), server, shown) : open_directory(top.get(), server);
  if (!fd.valid() && errno != ENOENT) base::throw_os("cannot open", shown, errno);
  return fd;
}

base::Fd open_copy(int root, const std::string& server, const std::string& directory) {
  const base::Fd above = open_server(root, server);
  base::Fd copy = above.valid() ? open_directory(above.get(), directory) : base::Fd();
  if (!copy.valid()) {
    base::throw_os("cannot open the copy",
                   fmt::format("{}/{}/{}", kTop, server, base::printable(directory)),
                   above.valid() ? errno : ENOENT);
  }
  return copy;
}

}  // namespace rota::disk
