#include <fmt/core.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/disk.h"
#include "cli/disk_log.h"
#include "cli/print_label.h"
#include "job/disk_news.h"
#include "recovery/plan.h"
#include "store/curl_client.h"

namespace rota::cli {

using base::Error;
using base::ErrorKind;

job::OnDiskEvent show_disk_events(const Context& context) {
  if (context.json) {
    return [](const job::DiskEvent& event) {
      fmt::print("{}\n", job::to_json(event));
      std::fflush(stdout);  // who reads along wants to see it now
    };
  }
  if (!context.chatty()) return nullptr;
  return [](const job::DiskEvent& event) {
    if (event.state == "begins" || event.step == "end") return;
    const std::string what =
        event.server.empty() ? event.step : fmt::format("{} {}", event.step, event.server);
    const std::string state = event.state == "done" ? "" : event.state + " ";
    // The line that shows the rate stands on the terminal, too.
    fmt::print("\r\033[K{:<24} {}{}\n", what, state, event.detail);
    std::fflush(stdout);
  };
}

namespace {

class DiskAttach final : public Command {
 public:
  const char* name() const override { return "disk attach"; }
  const char* summary() const override {
    return "Copy to a rotation disk that was plugged in, read it back, seal it, let go of it";
  }

  void declare(Options& options) override {
    options.words(words_, "DISK", "The disk's name, or its device: B, ROTA-B, /dev/sdb1", 1, 1);
    options.list("--profile", options_.profiles, "PROFILE",
                 "Only this one of the profiles that the disk is for (may be given again)");
    options.flag("--from-chain", options_.from_chain,
                 "Copy the newest run of the online chain instead of this machine's files");
    options.text("--from-copy", options_.from_copy, "DIR",
                 "Copy this copy of another disk, which is mounted there: the directory with "
                 "COPY.json in it");
    options.text("--scrub", scrub_, "SPAN",
                 "Read older copies again for so long at most: 30m, 2h (default: as in "
                 "rotation.toml)");
    options.flag("--keep-power", keep_power_, "Do not switch the disk off at the end");
    options.flag("--accept-serial", options_.session.accept_serial,
                 "The disk is the right one although its serial number changed");
    options.text("--started-by", started_by_, "WHAT",
                 "person (default), watch or udev: for udev, a disk that was there since boot "
                 "waits");
    options.text("--ended", ended_, "RESULT",
                 "For the systemd unit: only tell that the job was killed, if $SERVICE_RESULT says "
                 "so");
    options.note(
        "Exit status 0 or 3: every copy is sealed. 5: a copy is held until a person has\n"
        "looked (`rota disk show`, `rota disk accept`).");
  }

  int run(Context& context) override {
    options_.disk = words_.front();
    if (!options_.from_copy.empty() && (options_.from_chain || !options_.profiles.empty())) {
      throw Error(ErrorKind::usage,
                  "--from-copy names all that is copied: --from-chain and --profile do not go "
                  "with it");
    }
    if (!ended_.empty()) return tell_ended(context);
    options_.power_down = !keep_power_;
    if (!scrub_.empty()) {
      const base::Span span = base::parse_span(scrub_);
      options_.scrub_budget = base::after(base::Instant{}, span) - base::Instant{};
    }
    options_.plan = [&](ledger::Ledger& ledger, const ledger::DiskRow& disk, base::Instant now) {
      return recovery::disk_plan_text(recovery::read_installation(context.places(), ledger, now),
                                      disk);
    };
    options_.label = [&](const std::string& disk) { return offer_label(context, disk); };
    std::optional<job::AttachReport> report;
    {
      const base::TerminalProgress terminal(context.progress());
      report = job::attach_and_tell(context.places(), udev::real_devices(), options_, started_by(),
                                    ::isatty(STDERR_FILENO) != 0,
                                    context.json ? [](const job::Message&) {} : print_message,
                                    show_disk_events(context), context.surroundings());
    }
    if (!report) return context.status();
    if (context.chatty()) print(*report);
    check(*report);
    return context.status();
  }

 private:
  static void print_message(const job::Message& message) {
    fmt::print("{}\n", base::printable(message.text));
    for (const std::string& line : message.more) fmt::print("{}\n", base::printable(line));
    std::fflush(stdout);
  }

  /// A job that came to its end, well or not, has told so itself.
  int tell_ended(Context& context) const {
    for (const std::string_view own : {"success", "exit-code", "exec-condition"}) {
      if (ended_ == own) return base::kExitDone;
    }
    const job::Message message = job::killed(
        context.places(), udev::real_devices(), words_.front(), "",
        fmt::format("systemd says “{}”", base::printable(ended_)), context.surroundings());
    print_message(message);
    store::CurlClient http;
    job::Notifier notifier(job::notify_settings(context.places()), base::real_processes(), http,
                           context.warnings());
    notifier.tell(message, false);
    return context.status();
  }

  job::StartedBy started_by() const {
    if (started_by_ == "udev") return job::StartedBy::udev;
    if (started_by_ == "watch") return job::StartedBy::watch;
    if (started_by_ == "person") return job::StartedBy::person;
    throw Error(ErrorKind::usage, fmt::format("--started-by is person, watch or udev, not \"{}\"",
                                              base::printable(started_by_)));
  }

  static void print(const job::AttachReport& report) {
    if (!report.all_sealed()) return;
    if (report.safe_to_unplug) {
      fmt::print(
          "\nSAFE TO UNPLUG ROTA-{0}. Take it off site, then: rota disk move {0} off-site "
          "--place … --by …\n",
          report.disk);
    } else {
      fmt::print(
          "\nThe copies on ROTA-{} are sealed, and nothing uses the disk any more; its port "
          "could not be switched off. It may be unplugged.\n",
          report.disk);
    }
  }

  static void check(const job::AttachReport& report) {
    using End = job::ServerCopy::End;
    for (const job::ServerCopy& copy : report.copies) {
      if (copy.end == End::damaged) {
        throw Error(ErrorKind::corrupt,
                    fmt::format("the copy of {} on disk {} could not be read back as it was "
                                "written ({}), and was not sealed; earlier copies are as they "
                                "were. Plug the disk in again; if it fails again, replace it",
                                copy.server, report.disk, job::check_text(copy.check)));
      }
    }
    const std::string held = report.held();
    if (held.empty() && report.any(End::failed)) {
      throw Error(ErrorKind::io,
                  fmt::format("not every server is on disk {}: {}; what was copied is sealed; when "
                              "that is mended, plug the disk in again",
                              report.disk, report.failures()));
    }
    if (held.empty()) return;
    throw Error(ErrorKind::refused,
                fmt::format("{1}. Look at `rota disk show {0}`; if it is right, `rota disk accept "
                            "{0} --reason …` and plug the disk in again",
                            report.disk, held));
  }

  std::vector<std::string> words_;
  job::AttachOptions options_;
  std::string scrub_;
  std::string started_by_ = "person";
  std::string ended_;
  bool keep_power_ = false;
};

}  // namespace

std::unique_ptr<Command> make_disk_attach() { return std::make_unique<DiskAttach>(); }

}  // namespace rota::cli
