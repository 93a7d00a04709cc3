#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/error.h"
#include "base/text.h"
#include "cli/command.h"
#include "job/remind.h"
#include "profile/rotation.h"
#include "store/curl_client.h"

namespace rota::cli {

namespace {

class Remind final : public Command {
 public:
  const char* name() const override { return "remind"; }
  const char* summary() const override {
    return "Say what is due or wrong with disks and drills, now and then; silent when all is well";
  }

  void declare(Options& options) override {
    options.flag("--notify", notify_, "Tell people as [notify] says, instead of printing");
    options.note(
        "For cron, which mails what is printed:  30 8 * * *  root  rota remind\n"
        "What is new or got worse is said at once; then an alarm every day, a warning every\n"
        "three days, a swap or a drill that is near every week. `rota status` says everything\n"
        "always.");
  }

  int run(Context& context) override {
    const job::Reminder reminder =
        job::remind(context.places(), udev::real_devices(), context.surroundings());
    if (reminder.message) {
      print(context, *reminder.message);
      // It is new as long as nobody has heard of it.
      if (notify_ && !notify(context, *reminder.message)) return context.status();
    }
    job::remember(context.places(), reminder);
    return context.status();
  }

 private:
  void print(const Context& context, const job::Message& message) const {
    if (context.json) {
      fmt::print("{}", message.program());
    } else if (!notify_) {
      fmt::print("{}\n", base::printable(message.text));
      for (const std::string& line : message.more) fmt::print("{}\n", base::printable(line));
    }
    if (std::fflush(stdout) != 0) base::throw_os("cannot write", "the output", errno);
  }

  static bool notify(Context& context, const job::Message& message) {
    store::CurlClient http(0, context.stop());
    job::Notifier notifier(profile::load_rotation(context.places()).notify, base::real_processes(),
                           http, context.warnings());
    return notifier.tell(message, ::isatty(STDOUT_FILENO) != 0);
  }

  bool notify_ = false;
};

}  // namespace

std::unique_ptr<Command> make_remind() { return std::make_unique<Remind>(); }

}  // namespace rota::cli
