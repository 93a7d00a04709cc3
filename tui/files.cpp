#include "tui/files.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "tui/child.h"

namespace rota::tui {

namespace {

using nlohmann::json;

char kind_of(std::string_view word) {
  static constexpr std::pair<std::string_view, char> kKinds[] = {
      {"directory", 'd'},        {"symlink", 'l'},      {"hard link", 'h'},
      {"character device", 'c'}, {"block device", 'b'}, {"fifo", 'p'},
  };
  for (const auto& [kind, letter] : kKinds) {
    if (kind == word) return letter;
  }
  return '-';
}

/// A row from a line of `rota ls --json`; nothing for one that none of ours wrote.
std::optional<FileRow> row_of(const json& value, std::string& path) {
  const auto text = [&](const char* key) {
    const auto found = value.find(key);
    return found != value.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto found = value.find("path");
  if (found == value.end() || !found->is_string()) return std::nullopt;
  path = found->get<std::string>();
  FileRow row;
  row.name = path.substr(path.rfind('/') + 1);
  row.target = text("target");
  row.kind = kind_of(text("kind"));
  row.mtime = base::parse_iso(text("mtime")).value_or(base::Instant{});
  const auto size = value.find("size");
  if (size != value.end() && size->is_number_unsigned()) row.size = size->get<std::uint64_t>();
  return row;
}

}  // namespace

std::string original(std::string_view printable) {
  const auto digit = [&](std::size_t at) {
    const char c = at < printable.size() ? printable[at] : 'x';
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::string bytes;
  for (std::size_t i = 0; i < printable.size(); ++i) {
    const char next = i + 1 < printable.size() ? printable[i + 1] : ' ';
    if (printable[i] == '\\' && next == '\\') {
      bytes += '\\';
      ++i;
    } else if (printable[i] == '\\' && next == 'x' && digit(i + 2) >= 0 && digit(i + 3) >= 0) {
      bytes += static_cast<char>(digit(i + 2) << 4 | digit(i + 3));
      i += 3;
    } else {
      bytes += printable[i];
    }
  }
  return bytes;
}

std::string path_in(const Directory& directory, const FileRow& row) {
  return directory.path.empty() ? row.name : directory.path + "/" + row.name;
}

void want(Browser& browser, const std::string& path) {
  browser.wanted_path = path;
  browser.problem.clear();
  browser.wanted = {"ls", browser.subject.profile, "./" + original(path)};
  if (!browser.subject.disk.empty()) {
    browser.wanted.insert(browser.wanted.end(), {"--disk", browser.subject.disk});
  }
  browser.wanted.insert(browser.wanted.end(),
                        {"--at", browser.subject.run, "--depth", "1", "--json"});
}

void take_listing(Browser& browser, std::string_view output, bool good) {
  Directory directory;
  directory.path = browser.wanted_path;
  browser.wanted.clear();
  bool listed = false;
  std::string others;
  while (!output.empty()) {
    const std::size_t end = std::min(output.find('\n'), output.size());
    const std::string_view line = output.substr(0, end);
    output.remove_prefix(std::min(end + 1, output.size()));
    std::string path;
    const json value = json::parse(line.begin(), line.end(), nullptr, false);
    auto row = value.is_object() ? row_of(value, path) : std::nullopt;
    if (!row) {
      others += std::string(line) + "\n";
      continue;
    }
    listed = true;
    if (path == directory.path) continue;  // itself
    directory.cut = directory.rows.size() >= kMostFiles;
    if (!directory.cut) directory.rows.push_back(std::move(*row));
  }
  others = told(others);
  if (!listed) {
    browser.problem = others.empty() ? "rota ls said nothing of it." : others;
    return;
  }
  if (!good) directory.told = others;
  browser.open.push_back(std::move(directory));
}

}  // namespace rota::tui
