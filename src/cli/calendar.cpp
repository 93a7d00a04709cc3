#include <fmt/core.h>
#include <unistd.h>

#include <array>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/command.h"
#include "job/calendar.h"
#include "job/rotation_status.h"

namespace rota::cli {

namespace {

class Calendar final : public Command {
 public:
  const char* name() const override { return "calendar"; }
  const char* summary() const override {
    return "Write the coming swaps of disks and drills as a calendar file (iCalendar)";
  }

  void declare(Options& options) override {
    options.text("-o,--out", out_, "FILE", "Write there instead of printing");
    options.text("--for", span_, "SPAN", "How far ahead: 6M, 2Y (default: 1Y)");
    options.note(
        "An entry keeps its UID while its date moves: let the calendar read the file again\n"
        "whenever it likes.");
  }

  int run(Context& context) override {
    const base::Instant now = context.now();
    const base::Instant until =
        base::after(now, span_.empty() ? base::Span{.years = 1} : base::parse_span(span_));
    ledger::Ledger ledger(context.places().ledger());
    const rotation::Status status =
        job::read_status(context.places(), ledger, udev::real_devices(), now);
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
    const std::string text =
        job::icalendar(rotation::coming_swaps(status.rotation, now, until),
                       rotation::coming_drills(status.rotation, now, until), host.data(), now);
    if (out_.empty()) {
      fmt::print("{}", text);
    } else {
      base::write_output(out_, text, 0644);
    }
    return context.status();
  }

 private:
  std::string out_;
  std::string span_;
};

}  // namespace

std::unique_ptr<Command> make_calendar() { return std::make_unique<Calendar>(); }

}  // namespace rota::cli
