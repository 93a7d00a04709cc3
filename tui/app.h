#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "base/time.h"
#include "tui/child.h"
#include "tui/follow.h"
#include "tui/options.h"
#include "tui/read_rows.h"
#include "tui/terminal.h"
#include "tui/watch.h"
#include "udev/monitor.h"

namespace rota::tui {

/// What is shown: the ledger and the jobs of this machine, or a recording.
class Source {
 public:
  /// Throws Error as reading does.
  Source(const Options& options, base::Clock& clock);

  bool live() const { return ledger_ != nullptr; }
  /// ports: look also which disks are connected.
  Rows read(bool ports);
  Follower& follower() { return *follower_; }
  const profile::Places& places() const { return places_; }

 private:
  const Options& options_;
  base::Clock& clock_;
  profile::Places places_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<Follower> follower_;
  std::optional<std::vector<std::string>> connected_;
};

/// The screen on a terminal: waits for keys, signals, files and children, and draws.
class App {
 public:
  App(Source& source, const Options& options);

  /// Until it is left; returns the exit status.
  int run();
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

 private:
  using Steady = std::chrono::steady_clock;

  void show();
  void wait();
  void take_keys();
  void take_changes();
  void take_ports();
  void take_child(std::size_t number);
  void start_listing();
  void take_listing();
  bool do_wish(const Wish& wish);
  void reload(bool ports);
  void reload_soon(bool ports);
  void refresh_jobs();
  int timeout() const;

  Source& source_;
  base::Fd signals_;
  Terminal terminal_;
  Model model_;
  State state_;
  std::optional<Watch> watch_;
  std::unique_ptr<udev::DeviceMonitor> ports_;
  /// What a person has begun: a copy runs for hours, and other disks are checked in meanwhile.
  struct Running {
    Child child;
    const Act* act;
    int number;  ///< State::done_number
  };
  std::vector<Running> running_;
  std::optional<Child> lister_;  ///< lists a directory; one may look while a copy runs
  std::vector<std::string> listing_;
  std::optional<Steady::time_point> reload_at_;
  bool reload_ports_ = false;
  Steady::time_point minute_;
  std::optional<int> status_;
};

}  // namespace rota::tui
