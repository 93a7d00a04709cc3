#include <fmt/core.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/command.h"
#include "job/watch.h"
#include "store/curl_client.h"

namespace rota::cli {

namespace {

class Watch final : public Command {
 public:
  const char* name() const override { return "watch"; }
  const char* summary() const override {
    return "Copy to each rotation disk as it is plugged in, without systemd";
  }

  void declare(Options& options) override {
    options.flag("--allow-fixed", options_.allow_fixed,
                 "Also disks that are neither attached by USB nor removable");
    options.flag("--kernel", kernel_, "Listen to the kernel, also where an udevd runs");
    options.note(
        "Stays in the foreground until it is interrupted; the copies that are being made are\n"
        "interrupted with it, and go on when their disk is plugged in again. Where systemd\n"
        "runs, the unit rota-disk@.service does the same, and this is not needed.");
  }

  int run(Context& context) override {
    const profile::Places& places = context.places();
    base::real_files().make_directories(places.run, 0755);  // a restart has taken it
    const base::LockFile only(places.run + "/watch.lock", "the ports (rota watch)");
    const auto monitor =
        udev::open_monitor(kernel_ ? udev::EventSource::kernel : udev::best_source());
    const auto jobs = job::process_jobs({});
    options_.at_terminal = ::isatty(STDOUT_FILENO) != 0;
    store::CurlClient http(0, context.stop());
    job::Watcher watcher(
        places, udev::real_devices(), *monitor, *jobs, http, options_,
        [](const std::string& line) {
          fmt::print("{}\n", line);
          std::fflush(stdout);
        },
        context.surroundings());
    watcher.run();
    return base::kExitDone;
  }

 private:
  job::WatchOptions options_;
  bool kernel_ = false;
};

}  // namespace

std::unique_ptr<Command> make_watch() { return std::make_unique<Watch>(); }

}  // namespace rota::cli
