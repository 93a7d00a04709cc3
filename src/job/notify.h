#pragma once

#include <string>
#include <vector>

#include "base/process.h"
#include "base/progress.h"
#include "base/time.h"
#include "profile/notify.h"
#include "rotation/level.h"
#include "store/http.h"

namespace rota::job {

/// Something that people are told, once, by every way that is set.
struct Message {
  base::Instant time{};
  rotation::Level level = rotation::Level::good;
  std::string event;  ///< "safe to unplug", "held", "waiting", …: the same for each of its sort
  std::string disk;   ///< its name or label; may be empty
  std::string text;   ///< a sentence: what happened and what to do
  std::vector<std::string> more;  ///< further sentences
  std::string program() const;    ///< the JSON that a program is given, with a line feed
};

/// Tells people, as [notify] says. Whatever fails is a warning and no more: a copy that is sealed
/// stays so, whether or not a mail was sent.
class Notifier {
 public:
  /// http: for the heartbeat.
  Notifier(const profile::NotifySettings& settings, base::ProcessRunner& processes,
           store::HttpClient& http, base::Warnings& warnings);

  /// at_terminal: a person reads what the program prints, and is not told the same by wall or on
  /// the desktop. False when whoever is not at this machine was not told: there is a mail or a
  /// program that was asked for, and none of these worked.
  bool tell(const Message& message, bool at_terminal);
  /// Fetches the heartbeat's address.
  void heartbeat();

 private:
  bool run(const std::string& what, base::Command command);
  void console(const Message& message);
  bool mail(const Message& message);
  void desktop(const Message& message);
  bool program(const Message& message);

  profile::NotifySettings settings_;
  base::ProcessRunner& processes_;
  store::HttpClient& http_;
  base::Warnings& warnings_;
};

/// A mail as sendmail -t reads it. Pure.
std::string mail_text(const Message& message, const std::string& to, const std::string& host);

}  // namespace rota::job
