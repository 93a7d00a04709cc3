#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/disk.h"
#include "cli/disk_log.h"
#include "cli/disk_restore.h"
#include "job/disk_care.h"

namespace rota::cli {

using base::Error;
using base::ErrorKind;

namespace {

constexpr const char* kDiskHelp = "The disk's name, or its device: B, ROTA-B, /dev/sdb1";

class DiskVerify final : public Command {
 public:
  const char* name() const override { return "disk verify"; }
  const char* summary() const override { return "Read back every byte of the copies on a disk"; }

  void declare(Options& options) override {
    options.words(words_, "DISK", kDiskHelp, 1, 1);
    options.text("--server", server_, "NAME", "Only the copies of this server");
    options.flag("--all", all_, "Every copy (default: the newest of each server)");
  }

  int run(Context& context) override {
    std::vector<job::DiskCare::Verified> verified;
    {
      const base::TerminalProgress terminal(context.progress());
      job::DiskCare care(context.places(), udev::real_devices(), words_.front(), {},
                         show_disk_events(context), context.surroundings());
      verified = care.verify(server_, all_);
    }
    for (const auto& one : verified) {
      if (one.check.good()) continue;
      throw Error(ErrorKind::corrupt,
                  fmt::format("the copy {} of {} is damaged: {}; other disks and the online store "
                              "may have what is lost{}",
                              one.snapshot, one.server, job::check_text(one.check),
                              one.noted ? ", and the next copy to this disk writes it anew" : ""));
    }
    return context.status();
  }

 private:
  std::vector<std::string> words_;
  std::string server_;
  bool all_ = false;
};

class DiskScrub final : public Command {
 public:
  const char* name() const override { return "disk scrub"; }
  const char* summary() const override {
    return "Read older copies again, those first that were not read for the longest time";
  }

  void declare(Options& options) override {
    options.words(words_, "DISK", kDiskHelp, 1, 1);
    options.text("--for", time_, "SPAN", "So long at most: 30m, 2h (default: until all is read)");
  }

  int run(Context& context) override {
    std::chrono::seconds budget = std::chrono::hours(24 * 365);
    if (!time_.empty()) {
      budget = base::after(base::Instant{}, base::parse_span(time_)) - base::Instant{};
    }
    std::vector<job::Scrubbed> scrubbed;
    {
      const base::TerminalProgress terminal(context.progress());
      job::DiskCare care(context.places(), udev::real_devices(), words_.front(), {},
                         show_disk_events(context), context.surroundings());
      scrubbed = care.scrub(budget);
    }
    for (const job::Scrubbed& one : scrubbed) {
      if (one.result.check.good()) continue;
      throw Error(ErrorKind::corrupt,
                  fmt::format("{} files of copies of {} are damaged, the first: {}",
                              base::human_count(one.result.check.damaged), one.server,
                              job::check_text(one.result.check)));
    }
    return context.status();
  }

 private:
  std::vector<std::string> words_;
  std::string time_;
};

class DiskEject final : public Command {
 public:
  const char* name() const override { return "disk eject"; }
  const char* summary() const override { return "Switch a disk's port off, so that it can go"; }

  void declare(Options& options) override { options.words(words_, "DISK", kDiskHelp, 1, 1); }

  int run(Context& context) override {
    job::DiskCare care(context.places(), udev::real_devices(), words_.front(), {},
                       show_disk_events(context), context.surroundings());
    const std::vector<disk::PowerStep> steps = care.eject();
    for (const disk::PowerStep& step : steps) {
      if (step.result == disk::StepResult::failed) {
        context.warnings().warn(care.name(), fmt::format("{}: {}", step.what, step.detail));
      }
    }
    if (context.chatty()) {
      fmt::print("{} ROTA-{}.\n",
                 disk::is_safe_to_unplug(steps) ? "Safe to unplug" : "Nothing uses", care.name());
    }
    return context.status();
  }

 private:
  std::vector<std::string> words_;
};

class DiskAdopt final : public Command {
 public:
  const char* name() const override { return "disk adopt"; }
  const char* summary() const override {
    return "Take over a disk that this machine does not know, with the ledger on it";
  }

  void declare(Options& options) override {
    options.words(words_, "DEVICE", "The partition with the label: /dev/sdb1", 1, 1);
    options.note(
        "For a disk of a server that is lost. Nothing is written to it. `rota disk rekey` then "
        "gives\n"
        "an encrypted one a key file on this machine.");
    declare_disk_key(options, key_file_);
  }

  int run(Context& context) override {
    const std::string name = job::adopt_disk(context.places(), udev::real_devices(), words_.front(),
                                             disk_key(context, key_file_), context.surroundings());
    if (context.json) {
      fmt::print("{}\n", nlohmann::json{{"disk", name}}.dump());
    } else if (context.chatty()) {
      fmt::print(
          "Disk {0} is known here now: `rota disk show {0}`. To get files back: `rota "
          "restore --disk {0} --to DIR`.\n",
          name);
    }
    return context.status();
  }

 private:
  std::vector<std::string> words_;
  std::string key_file_;
};

}  // namespace

std::unique_ptr<Command> make_disk_verify() { return std::make_unique<DiskVerify>(); }
std::unique_ptr<Command> make_disk_scrub() { return std::make_unique<DiskScrub>(); }
std::unique_ptr<Command> make_disk_eject() { return std::make_unique<DiskEject>(); }
std::unique_ptr<Command> make_disk_adopt() { return std::make_unique<DiskAdopt>(); }

}  // namespace rota::cli
