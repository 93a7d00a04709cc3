#include "job/schedule.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "base/file.h"

namespace rota::job {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxFile = 1 << 20;

/// The lines of a file; none when it cannot be read.
std::vector<std::string> lines_of(const fs::path& path) {
  std::string text;
  try {
    text = base::read_file(path.string(), kMaxFile);
  } catch (const base::Error&) {
    return {};
  }
  std::vector<std::string> lines(1);
  for (const char c : text) {
    if (c == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += c;
    }
  }
  return lines;
}

/// The files of a directory, sorted; none when it cannot be read.
std::vector<fs::path> files_of(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::directory_iterator entry(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    files.push_back(entry->path());
  }
  std::ranges::sort(files);
  return files;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  return text.substr(0, text.find_last_not_of(kBlank) + 1);
}

/// "KEY=value" or "KEY = \"value\"" of a crontab or a unit; nothing when the line sets another key.
std::optional<std::string> value_of(std::string_view line, std::string_view key) {
  line = trimmed(line);
  if (!line.starts_with(key)) return std::nullopt;
  line = trimmed(line.substr(key.size()));
  if (!line.starts_with('=')) return std::nullopt;
  line = trimmed(line.substr(1));
  if (line.size() >= 2 && (line.front() == '"' || line.front() == '\'') &&
      line.back() == line.front()) {
    line = line.substr(1, line.size() - 2);
  }
  return std::string(line);
}

/// The words of a command; what separates commands is a word of its own.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words(1);
  for (const char c : line) {
    if (c == ' ' || c == '\t' || c == '"' || c == '\'') {
      words.emplace_back();
    } else if (c == ';' || c == '&' || c == '|' || c == '>' || c == '<' || c == '#') {
      words.emplace_back(1, ';');
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  std::erase(words, "");
  return words;
}

void add_crontab(std::vector<Schedule>& found, const fs::path& path, const std::string& profile) {
  std::optional<std::string> mail_to;
  for (const std::string& line : lines_of(path)) {
    if (const auto value = value_of(line, "MAILTO")) mail_to = value;
    if (runs_rota(line, profile)) {
      found.push_back({Schedule::Kind::cron, path.string(), mail_to, false});
      return;
    }
  }
}

/// run-parts(8) takes no names with a dot in them, and no files that cannot be run.
void add_scripts(std::vector<Schedule>& found, const fs::path& directory,
                 const std::string& profile) {
  for (const fs::path& path : files_of(directory)) {
    std::error_code error;
    const fs::perms mode = fs::status(path, error).permissions();
    if (error || (mode & fs::perms::owner_exec) == fs::perms::none) continue;
    if (path.filename().string().find('.') != std::string::npos) continue;
    const std::vector<std::string> lines = lines_of(path);
    if (std::ranges::any_of(lines, [&](const auto& line) { return runs_rota(line, profile); })) {
      found.push_back({Schedule::Kind::cron, path.string(), std::nullopt, false});
    }
  }
}

/// Where units lie, the first to have one wins.
const std::vector<std::string>& unit_directories() {
  static const std::vector<std::string> directories{
      "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
      "/usr/lib/systemd/system", "/lib/systemd/system"};
  return directories;
}

/// "rota@main.timer" is read from "rota@.timer" where it has no file of its own.
std::vector<std::string> unit_lines(const std::string& root, const std::string& unit) {
  const std::size_t at = unit.find('@');
  std::vector<std::string> names{unit};
  if (at != std::string::npos)
    names.push_back(unit.substr(0, at + 1) + fs::path(unit).extension().string());
  for (const std::string& name : names) {
    for (const std::string& directory : unit_directories()) {
      auto lines = lines_of(root + directory + "/" + name);
      if (!lines.empty()) return lines;
    }
  }
  return {};
}

/// "main" of "rota@main.timer".
std::string instance_of(const std::string& unit) {
  const std::size_t at = unit.find('@');
  if (at == std::string::npos) return "";
  return unit.substr(at + 1, unit.rfind('.') - at - 1);
}

void add_timer(std::vector<Schedule>& found, const std::string& root, const fs::path& enabled,
               const std::string& profile) {
  const std::string timer = enabled.filename().string();
  std::string service = enabled.stem().string() + ".service";
  for (const std::string& line : unit_lines(root, timer)) {
    if (const auto unit = value_of(line, "Unit")) service = *unit;
  }
  bool runs = false;
  bool tells = false;
  for (std::string line : unit_lines(root, service)) {
    for (const char* sign : {"%i", "%I"}) {
      const std::size_t at = line.find(sign);
      if (at != std::string::npos) line.replace(at, 2, instance_of(service));
    }
    if (const auto command = value_of(line, "ExecStart")) runs |= runs_rota(*command, profile);
    if (const auto told = value_of(line, "OnFailure")) tells |= !told->empty();
  }
  if (runs) found.push_back({Schedule::Kind::timer, enabled.string(), std::nullopt, tells});
}

}  // namespace

bool runs_rota(const std::string& line, const std::string& profile) {
  if (trimmed(line).starts_with('#')) return false;
  const std::vector<std::string> words = words_of(line);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (fs::path(words[i]).filename() != "rota") continue;
    std::vector<std::string> given;  // without options
    for (std::size_t k = i + 1; k < words.size() && words[k] != ";"; ++k) {
      if (!words[k].starts_with('-')) given.push_back(words[k]);
    }
    if (given.empty() || (given[0] != "cron" && given[0] != "backup")) continue;
    // A word behind the command is the profile; "2" is what is left of "2>&1".
    const bool named = given.size() > 1 && given[1] != "2" && given[1] != "1";
    if (!named || given[1] == profile) return true;
  }
  return false;
}

std::vector<Schedule> find_schedules(const std::string& root, const std::string& user,
                                     const std::string& profile) {
  std::vector<Schedule> found;
  add_crontab(found, root + "/etc/crontab", profile);
  for (const fs::path& path : files_of(root + "/etc/cron.d")) {
    // cron passes over names with a dot: what a package manager left behind.
    if (path.filename().string().find('.') == std::string::npos) add_crontab(found, path, profile);
  }
  add_crontab(found, root + "/var/spool/cron/crontabs/" + user, profile);
  for (const char* period : {"hourly", "daily", "weekly"}) {
    add_scripts(found, root + "/etc/cron." + period, profile);
  }
  std::set<std::string> timers;  // /lib is often the same as /usr/lib
  for (const std::string& directory : unit_directories()) {
    for (const fs::path& path : files_of(root + directory + "/timers.target.wants")) {
      if (path.extension() == ".timer" && timers.insert(path.filename().string()).second) {
        add_timer(found, root, path, profile);
      }
    }
  }
  return found;
}

}  // namespace rota::job
