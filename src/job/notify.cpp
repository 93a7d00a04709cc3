#include "job/notify.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "profile/program.h"
#include "profile/rotation.h"

namespace rota::job {

using base::Error;
using rotation::Level;

namespace {

/// Whoever tells people must not keep a disk, or the end of a job, waiting.
constexpr std::chrono::seconds kLimit{30};

/// Of a heartbeat's answer: nothing stands in it for rota.
constexpr std::uint64_t kMostAnswer = 4 << 10;

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? base::printable(name.data())
                                                          : "this machine";
}

std::string subject(const Message& message, const std::string& host) {
  std::string line = fmt::format("rota on {}: ", host);
  if (!message.disk.empty()) line += fmt::format("disk {}: ", base::printable(message.disk));
  return line + message.event;
}

/// A header holds ASCII only; the names that stand in it are.
std::string header_text(std::string text) {
  for (char& c : text) c = c >= ' ' && c < 0x7f ? c : '?';
  return text;
}

/// In lines as people read them, broken at spaces. A longer word stays whole, as long as a mail may
/// have such a line (998 bytes: RFC 5322, 2.1.1).
std::string wrapped(std::string_view text) {
  constexpr std::size_t kWide = 76;
  constexpr std::size_t kMost = 990;
  std::string lines;
  while (text.size() > kWide) {
    std::size_t end = text.rfind(' ', kWide);
    if (end == std::string_view::npos) end = text.find(' ');
    std::size_t next = end + 1;
    if (std::min(end, text.size()) > kMost) {
      end = kMost;
      while ((text[end] & 0xc0) == 0x80) --end;  // not within a character
      next = end;
    } else if (end == std::string_view::npos) {
      break;
    }
    lines.append(text.substr(0, end)).append("\n");
    text.remove_prefix(next);
  }
  return lines.append(text);
}

/// The user whose session bus a socket is: /run/user/1000/bus.
std::optional<passwd> user_of(const std::string& bus) {
  struct stat st {};
  if (::lstat(bus.c_str(), &st) != 0 || !S_ISSOCK(st.st_mode) || st.st_uid == 0) {
    return std::nullopt;
  }
  const passwd* found = ::getpwuid(st.st_uid);
  if (found == nullptr) return std::nullopt;
  return *found;
}

}  // namespace

std::string Message::program() const {
  nlohmann::json value = {{"time", base::iso(time)}, {"host", host_name()}, {"event", event},
                          {"level", word(level)},    {"text", text},        {"more", more}};
  if (!disk.empty()) value["disk"] = disk;
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

profile::NotifySettings notify_settings(const profile::Places& places) {
  try {
    return profile::load_rotation(places).notify;
  } catch (const Error&) {
    return {};
  }
}

std::string mail_text(const Message& message, const std::string& to, const std::string& host) {
  std::string mail = fmt::format(
      "To: {}\nSubject: {}{}\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n"
      "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{}\n",
      to, message.level == Level::alarm ? "ALARM: " : "", header_text(subject(message, host)),
      wrapped(base::printable(message.text)));
  for (const std::string& line : message.more) {
    mail += "\n" + wrapped(base::printable(line)) + "\n";
  }
  return mail;
}

Notifier::Notifier(const profile::NotifySettings& settings, base::ProcessRunner& processes,
                   store::HttpClient& http, base::Warnings& warnings)
    : settings_(settings), processes_(processes), http_(http), warnings_(warnings) {}

bool Notifier::run(const std::string& what, base::Command command) {
  command.limit = kLimit;
  try {
    const base::ProcessResult result = processes_.run(command);
    if (result.status == 0) return true;
    warnings_.warn(what, fmt::format("{} ended with status {}, so that perhaps nobody was told",
                                     base::printable(command.argv.front()), result.status));
  } catch (const Error& error) {
    warnings_.warn(what, fmt::format("nobody was told: {}", error.what()));
  }
  return false;
}

bool Notifier::tell(const Message& message, bool at_terminal) {
  const bool walled = !at_terminal && settings_.console && console(message);
  const bool shown = !at_terminal && settings_.desktop && desktop(message);
  const bool mailed = !settings_.mail.empty() && mail(message);
  const bool passed_on = !settings_.on_event.empty() && program(message);
  if (mailed || passed_on) return true;
  const bool asked_for =
      (settings_.mail_written && !settings_.mail.empty()) || !settings_.on_event.empty();
  if (asked_for) return false;
  if (message.level == Level::good || at_terminal || shown) return true;
  if (walled && is_anybody_there()) return true;
  warnings_.warn("notify",
                 "nobody was told of this: no mail could be sent, and nobody is logged "
                 "in; set `mail` or `on_event` in [notify] of rotation.toml");
  return false;
}

bool Notifier::console(const Message& message) {
  try {
    // A machine without wall, or without anybody who is logged in, is none to warn about.
    const std::string text =
        fmt::format("{}\n{}\n", subject(message, host_name()), base::printable(message.text));
    return processes_.run({{"wall"}, {}, text, kLimit}).status == 0;
  } catch (const Error&) {
    return false;
  }
}

/// wall is content when it has told nobody.
bool Notifier::is_anybody_there() {
  try {
    return !processes_.run({{"who"}, {}, "", kLimit}).output.empty();
  } catch (const Error&) {
    return false;
  }
}

bool Notifier::mail(const Message& message) {
  base::Command command;
  command.input = mail_text(message, settings_.mail, host_name());
  // cron's PATH has no sbin.
  command.argv = {"sendmail", "-i", "-t"};
  if (const std::string usual = "/usr/sbin/sendmail"; base::exists(usual)) {
    const char* path = ::getenv("PATH");
    if (path == nullptr || std::string_view(path).find("sbin") == std::string_view::npos) {
      command.argv.front() = usual;
    }
  }
  if (settings_.mail_written) return run("mail", std::move(command));
  command.limit = kLimit;
  try {
    return processes_.run(command).status == 0;
  } catch (const Error&) {
    return false;  // many machines send no mail, and nobody has asked for it here
  }
}

bool Notifier::desktop(const Message& message) {
  bool told = false;
  std::error_code none;
  for (std::filesystem::directory_iterator i("/run/user", none), end; !none && i != end;
       i.increment(none)) {
    const std::string bus = i->path().string() + "/bus";
    const auto user = user_of(bus);
    if (!user) continue;
    told |= run("desktop",
                {{"setpriv", fmt::format("--reuid={}", user->pw_uid),
                  fmt::format("--regid={}", user->pw_gid), "--init-groups", "--reset-env", "env",
                  "DBUS_SESSION_BUS_ADDRESS=unix:path=" + bus, "notify-send", "--app-name=rota",
                  message.level == Level::good ? "--urgency=normal" : "--urgency=critical", "--",
                  subject(message, host_name()), base::printable(message.text)},
                 {}});
  }
  return told;
}

bool Notifier::program(const Message& message) {
  try {
    profile::check_program(settings_.on_event);
  } catch (const Error& error) {
    warnings_.warn("on_event", fmt::format("was not run: {}", error.what()));
    return false;
  }
  return run("on_event",
             {{settings_.on_event}, {{"ROTA_EVENT", message.event}}, message.program()});
}

void Notifier::heartbeat() {
  if (settings_.heartbeat.empty()) return;
  try {
    const store::HttpResponse answer = http_.send({.method = "GET",
                                                   .url = settings_.heartbeat,
                                                   .max_response = kMostAnswer,
                                                   .limit = kLimit});
    if (answer.success()) return;
    warnings_.warn("heartbeat", fmt::format("the address answered with status {}, so that whoever "
                                            "waits for it was perhaps not told",
                                            answer.status));
  } catch (const Error& error) {
    warnings_.warn("heartbeat", fmt::format("could not be sent: {}", error.what()));
  }
}

}  // namespace rota::job
