#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "job/notify.h"
#include "job/server.h"
#include "ledger/disks.h"
#include "store/http.h"
#include "udev/port_watch.h"

namespace rota::job {

/// The jobs that a watcher starts, one at most for a disk. A seam: processes, or a fake in tests.
class DiskJobs {
 public:
  struct End {
    std::string disk;
    int status = 0;  ///< exit status
  };
  virtual ~DiskJobs() = default;
  virtual void start(const std::string& disk, const std::string& node) = 0;
  /// Those that ended since it was last asked.
  virtual std::vector<End> ended() = 0;
  /// Asks the disk's job to end.
  virtual void stop(const std::string& disk) = 0;
  /// Asks all to end, waits until they did, and returns them.
  virtual std::vector<End> finish() = 0;
};

/// Each is a `rota disk attach` of its own: what kills one, a bad disk or too little memory, leaves
/// the watcher and the other disks alone, and it is the very job that the systemd unit runs.
std::unique_ptr<DiskJobs> process_jobs(std::vector<std::string> attach_options);

struct WatchOptions {
  bool allow_fixed = false;  ///< also disks that are neither USB nor removable, whatever their set
  bool at_terminal = false;  ///< a person reads what is said
};

/// What `rota watch` does: a rotation disk that is plugged in is copied to, without systemd.
///
/// A disk that was there at the start waits for a person or to be plugged in again. What comes and
/// goes is recorded in the ledger. Who is told what: see docs/plug-in.md.
class Watcher {
 public:
  using Say = std::function<void(const std::string& line)>;

  /// http: see Notifier. Whom to tell is read from rotation.toml each time.
  Watcher(const profile::Places& places, udev::DeviceProbe& devices, udev::DeviceMonitor& monitor,
          DiskJobs& jobs, store::HttpClient& http, const WatchOptions& options, Say say,
          const Surroundings& around);

  /// Until a stop is requested; then the jobs are asked to end and waited for.
  void run();
  /// The two halves of run(), for tests: what is there, and one round of waiting.
  void start();
  void round(std::chrono::milliseconds most);

 private:
  bool wanted(const udev::BlockDevice& device);
  void waits(const udev::BlockDevice& device);
  void plugged_in(const udev::BlockDevice& device);
  void start_job(const std::string& disk, const std::string& node);
  void removed(const udev::BlockDevice& device);
  void reap();
  void ended(const DiskJobs::End& end);
  bool was_left(const std::string& disk) const;
  void catch_up();
  void record_away();
  bool is_time_to_look() const;
  void look_at_status();
  bool careful(const std::function<void()>& action);
  void complain(const base::Error& error);
  void tell(const Message& message);
  void tell(rotation::Level level, const std::string& event, const std::string& disk,
            const std::string& text);

  const profile::Places& places_;
  udev::DeviceProbe& devices_;
  DiskJobs& jobs_;
  store::HttpClient& http_;
  const WatchOptions options_;
  Say say_;
  const Surroundings around_;
  udev::PortWatch ports_;
  std::map<std::string, std::string> running_;  ///< disks with a job: the node
  std::map<std::string, std::string> pending_;  ///< disks whose last job must end first: the node
  std::set<std::string> told_;                  ///< texts of alarms that stand
  std::vector<udev::BlockDevice> first_;        ///< there at the start, and still to be looked at
  bool away_due_ = false;                       ///< what went away was not recorded yet
  std::string mistake_;                         ///< in rotation.toml, and people were told
  std::optional<base::Instant> last_look_;
};

}  // namespace rota::job
