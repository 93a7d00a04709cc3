#pragma once

#include <string>

namespace rota::profile {

/// How people are told: the table [notify] of rotation.toml. The defaults suit a server in a
/// cupboard: whoever is logged in sees it, and root has mail where this machine sends any.
struct NotifySettings {
  bool console = true;        ///< a line on every terminal (wall)
  std::string mail = "root";  ///< to whom, by sendmail; empty: nobody
  bool mail_written = false;  ///< it stands in the file: that there is no sendmail is then told
  bool desktop = false;       ///< notify-send in the sessions of those who are logged in
  std::string on_event{};     ///< absolute path of a program that reads JSON; empty: none
  std::string heartbeat{};    ///< address that is fetched after success; empty: none
};

}  // namespace rota::profile
