#include "tui/child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "base/time.h"
#include "ledger/drills.h"

extern "C" {  // glibc 2.36 forgets to say so itself
#include <sys/pidfd.h>
}

namespace rota::tui {

namespace {

constexpr std::size_t kEnd = 8U << 10;  // an error's length
constexpr std::size_t kMostLines = 5'000;

/// posix_spawn's settings, freed however the function ends.
struct SpawnSettings {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

/// "web from the store, as it was at 2026-11-10 04:00: 250,000 entries, 400 GB, restored in 1 h 10
/// min", and how it ended.
std::string drill_phrase(const nlohmann::json& drill) {
  const auto text = [&](const char* key) { return drill.value(key, std::string()); };
  const auto number = [&](const char* key) { return drill.value(key, std::int64_t{0}); };
  ledger::DrillRow row;
  row.source = text("source") == ledger::word(ledger::DrillSource::disk)
                   ? ledger::DrillSource::disk
                   : ledger::DrillSource::store;
  row.disk = text("disk");
  const auto snapshot = base::parse_iso(text("snapshot"));
  std::string told = fmt::format("{}{} {}{}: {} entries, {}, restored in {}",
                                 drill.value("sample", false) ? "a sample of " : "", text("server"),
                                 ledger::where_from(row),
                                 snapshot ? ", as it was at " + base::local(*snapshot) : "",
                                 base::human_count(drill.value("files", std::uint64_t{0})),
                                 base::human_size(drill.value("bytes", std::uint64_t{0})),
                                 base::human_duration(number("restore_seconds")));
  const auto whole = drill.find("whole_seconds");
  if (drill.value("sample", false) && whole != drill.end() && whole->is_number_integer()) {
    told += ", all of it would take " + base::human_duration(whole->get<std::int64_t>());
  }
  const bool passed = drill.value("passed", false);
  told += passed ? "\ncompared" : "\nthe drill FAILED";
  if (passed)
    told += drill.value("checked", false) ? " and checked: the drill passed" : ": the drill passed";
  if (!text("check_output").empty()) told += "\n" + text("check_output");
  return told;
}

/// "copy web: 120 files"; empty: nothing that a person needs.
std::string phrase(const nlohmann::json& event) {
  const auto text = [&](const char* key) {
    const auto found = event.find(key);
    return found != event.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (event.contains("restore_seconds")) return drill_phrase(event);
  if (event.contains("entries") && event.contains("bytes")) {  // a restore
    return fmt::format("{} entries, {}",
                       base::human_count(event.value("entries", std::uint64_t{0})),
                       base::human_size(event.value("bytes", std::uint64_t{0})));
  }
  const std::string state = text("state");
  if (text("step").empty() || state == "begins") return "";
  std::string said = text("step");
  if (!text("server").empty()) said += " " + text("server");
  if (state != "done") said += " " + state;
  if (!text("detail").empty()) said += ": " + text("detail");
  return said;
}

}  // namespace

std::string find_rota() {
  std::array<char, 4096> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (length > 0) {
    const std::string own(path.data(), static_cast<std::size_t>(length));
    std::string beside = base::parent_directory(own) + "/rota";
    if (::access(beside.c_str(), X_OK) == 0) return beside;
  }
  return "rota";
}

Child::Child(const std::string& program, const std::vector<std::string>& arguments)
    : output_(base::open_temporary()) {
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  SpawnSettings settings;
  ::posix_spawn_file_actions_addopen(&settings.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&settings.files, output_.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&settings.files, output_.get(), STDERR_FILENO);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&settings.attributes, &none);
  sigset_t all;
  ::sigfillset(&all);
  ::posix_spawnattr_setsigdefault(&settings.attributes, &all);
  ::posix_spawnattr_setflags(&settings.attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, program.c_str(), &settings.files, &settings.attributes,
                                   argv.data(), environ);
  if (error != 0) base::throw_os("cannot start", program, error);
  pid_ = pid;
  pidfd_ = base::Fd(::pidfd_open(pid, 0));
  if (!pidfd_.valid()) base::throw_os("cannot watch", program, errno);
}

void Child::stop() { ::kill(pid_, SIGTERM); }

Child::Result Child::result(std::size_t most) {
  Result result;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  const auto size =
      static_cast<std::uint64_t>(std::max<off_t>(::lseek(output_.get(), 0, SEEK_END), 0));
  const auto part = [&](std::uint64_t from, std::size_t bytes) {
    std::string text(static_cast<std::size_t>(std::min<std::uint64_t>(size - from, bytes)), '\0');
    text.resize(
        base::read_at(output_.get(), std::as_writable_bytes(std::span(text)), from, "the output"));
    return text;
  };
  result.output = part(0, most);
  if (size > most + kEnd) result.output += "\n" + part(size - kEnd, kEnd);
  return result;
}

std::string last_line(const std::string& told) {
  const std::string_view text = std::string_view(told).substr(0, told.find_last_not_of('\n') + 1);
  const std::size_t begin = text.rfind('\n');
  return std::string(text.substr(begin == std::string_view::npos ? 0 : begin + 1));
}

std::string told(const std::string& output) {
  std::string all;
  std::size_t lines = 0;
  std::size_t begin = 0;
  while (begin < output.size()) {
    const std::size_t end = std::min(output.find('\n', begin), output.size());
    std::string line = output.substr(begin, end - begin);
    begin = end + 1;
    const nlohmann::json value = nlohmann::json::parse(line, nullptr, false);
    try {
      if (value.is_object()) line = phrase(value);
    } catch (const nlohmann::json::exception&) {
      // Something of another type than ours has: shown as it is.
    }
    if (line.starts_with("rota: ")) line.erase(0, 6);
    if (line.empty()) continue;
    all += line + "\n";
    if (++lines == kMostLines) return all + "… and more.\n";
  }
  return all;
}

}  // namespace rota::tui
