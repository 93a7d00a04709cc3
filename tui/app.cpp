#include "tui/app.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/error.h"
#include "ledger/disks.h"
#include "status/ports.h"
#include "tui/recording.h"
#include "tui/views.h"
#include "udev/device_probe.h"

namespace rota::tui {

namespace {

/// A change rarely comes alone: a disk brings its partitions, a writer a transaction.
constexpr std::chrono::milliseconds kSettle{250};
constexpr std::chrono::seconds kMinute{60};

/// Before the terminal is touched: from then on the loop hears of them.
base::Fd take_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::sigaddset(&signals, signal);
  // When the guard was killed, the shell has the terminal already; it is to get it back in order.
  ::signal(SIGTTOU, SIG_IGN);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  return base::Fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace

Source::Source(const Options& options, base::Clock& clock) : options_(options), clock_(clock) {
  if (!options.replay.empty()) return;
  places_ = profile::find_places();
  ledger_ = std::make_unique<ledger::Ledger>(places_.ledger());
  follower_ = std::make_unique<Follower>(places_.run);
}

Rows Source::read(bool ports) {
  Rows rows;
  if (!live()) {
    rows = read_recording(base::read_file(options_.replay, kMostRecording), options_.replay);
    if (options_.now) rows.now = *options_.now;
    return rows;
  }
  if (ports) connected_ = status::connected(ledger::Disks(*ledger_).all(), udev::real_devices());
  rows = read_rows(places_, *ledger_, connected_, options_.now.value_or(clock_.now()));
  follower_->look();
  rows.jobs = follower_->jobs();
  return rows;
}

App::App(Source& source, const Options& options)
    : source_(source),
      signals_(take_signals()),
      terminal_(options.ascii),
      minute_(Steady::now() + kMinute) {
  // Before anything is read, so that nothing is missed.
  if (source_.live()) {
    watch_.emplace(source_.places());
    try {
      ports_ = udev::open_monitor(udev::best_source());
    } catch (const base::Error& error) {
      state_.message = std::string(error.what()) + "; press r after a disk was plugged in or out";
    }
  }
  model_ = make_model(source_.read(true));
}

int App::run() {
  while (!status_) {
    show();
    wait();
  }
  return *status_;
}

void App::show() { terminal_.show(draw(model_, state_, terminal_.columns(), terminal_.rows())); }

int App::timeout() const {
  Steady::time_point next = minute_;
  if (reload_at_) next = std::min(next, *reload_at_);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Steady::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

void App::wait() {
  std::vector<pollfd> fds(5 + running_.size());
  fds[0] = {STDIN_FILENO, POLLIN, 0};
  fds[1] = {signals_.get(), POLLIN, 0};
  fds[2] = {watch_ ? watch_->fd() : -1, POLLIN, 0};
  fds[3] = {ports_ ? ports_->fd() : -1, POLLIN, 0};
  fds[4] = {lister_ ? lister_->ended() : -1, POLLIN, 0};
  for (std::size_t i = 0; i < running_.size(); ++i) {
    fds[5 + i] = {running_[i].child.ended(), POLLIN, 0};
  }
  const int ready = ::poll(fds.data(), fds.size(), timeout());
  if (ready < 0 && errno != EINTR) base::throw_os("cannot wait for", "the terminal", errno);
  if ((fds[1].revents & POLLIN) != 0 || (fds[0].revents & (POLLHUP | POLLERR)) != 0) {
    status_ = base::exit_code(base::ErrorKind::interrupted);
    return;
  }
  for (std::size_t i = fds.size(); i > 5; --i) {
    if ((fds[i - 1].revents & POLLIN) != 0) take_child(i - 6);
  }
  take_keys();  // also without input: a new size comes as a key
  if ((fds[2].revents & POLLIN) != 0) take_changes();
  if (fds[3].revents != 0) take_ports();
  if ((fds[4].revents & POLLIN) != 0) take_listing();
  if (lister_ && listing_ != state_.browser.wanted) {
    lister_->stop();
    listing_.clear();  // what it still says is not what is wanted, even if that is the same again
  }
  const auto now = Steady::now();
  if (now >= minute_) {  // ages grow
    minute_ = now + kMinute;
    if (watch_) watch_->look_again();
    if (!reload_at_) reload_at_ = now;
  }
  if (reload_at_ && now >= *reload_at_) reload(std::exchange(reload_ports_, false));
}

void App::take_keys() {
  while (const auto key = terminal_.key()) {
    const Wish wish = handle(state_, model_, *key, terminal_.columns(), terminal_.rows());
    if (!do_wish(wish)) return;
  }
}

bool App::do_wish(const Wish& wish) {
  switch (wish.kind) {
    case Wish::Kind::nothing:
      break;
    case Wish::Kind::quit:
      status_ = base::kExitDone;
      return false;
    case Wish::Kind::redraw:
      terminal_.redraw();
      break;
    case Wish::Kind::reload:
      reload(true);
      break;
    case Wish::Kind::run:
      if (!source_.live()) {
        state_.pages.pop_back();
        state_.busy = false;
        state_.message = "This is a recording: nothing can be done with its disks.";
        break;
      }
      try {
        running_.push_back({Child(find_rota(), wish.arguments), state_.done, state_.done_number});
        if (watch_) watch_->look_again();
      } catch (const base::Error& error) {
        state_.busy = false;
        state_.good = false;
        state_.result = error.what();
      }
      break;
    case Wish::Kind::list:
      start_listing();
      break;
    case Wish::Kind::stop: {
      state_.pages.pop_back();
      const Job* job = wish.disk.empty() ? model_.drill_of(wish.server) : model_.job_of(wish.disk);
      if (!source_.live() || job == nullptr || job->pid <= 1) {
        state_.message = "It does not run any more.";
      } else if (::kill(static_cast<pid_t>(job->pid), SIGTERM) == 0) {
        state_.message = "The job is told to stop; what is complete stays.";
      } else {
        state_.message = "The job cannot be stopped: " + base::os_reason(errno) + ".";
      }
      break;
    }
  }
  return true;
}

void App::take_changes() {
  const Changes changes = watch_->read();
  if (changes.jobs) refresh_jobs();
  if (changes.ledger) reload_soon(false);
}

void App::take_ports() {
  if (!ports_->take().empty()) reload_soon(true);
}

/// What comes after that is a change of its own, and read again.
void App::reload_soon(bool ports) {
  reload_ports_ = reload_ports_ || ports;
  if (!reload_at_) reload_at_ = Steady::now() + kSettle;
}

void App::refresh_jobs() {
  const std::size_t before = model_.jobs.size();
  if (!source_.follower().look()) return;
  model_.jobs = source_.follower().jobs();
  if (model_.jobs.size() < before) reload_soon(true);  // what came of it stands in the ledger
}

void App::take_child(std::size_t number) {
  Running ended = std::move(running_[number]);
  running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(number));
  const Child::Result result = ended.child.result(kMostOutput);
  const bool good = result.status == base::kExitDone || result.status == base::kExitWarnings;
  std::string text = told(result.output);
  if (!good && text.empty()) text = fmt::format("rota ended with status {}.", result.status);
  const bool last = ended.number == state_.done_number;
  if (!last || state_.page() != Page::result) {  // one looks at something else meanwhile
    state_.message = fmt::format("{}: {}", ended.act->title, good ? "done" : "NOT DONE");
    if (!good) state_.message += ": " + last_line(text);
  }
  if (last) {
    state_.busy = false;
    state_.good = good;
    state_.result = std::move(text);
  }
  reload(true);
}

void App::start_listing() {
  Browser& browser = state_.browser;
  if (!source_.live()) {
    browser.wanted.clear();
    browser.problem = "This is a recording: nothing can be read from its disks.";
    return;
  }
  if (lister_) return;  // it is stopped, and this one begins when it has ended
  listing_ = browser.wanted;
  try {
    lister_.emplace(find_rota(), listing_);
  } catch (const base::Error& error) {
    browser.wanted.clear();
    browser.problem = error.what();
  }
}

void App::take_listing() {
  const Child::Result result = lister_->result(kMostListing);
  lister_.reset();
  if (state_.browser.wanted.empty()) return;  // nobody wants to know any more
  if (listing_ != state_.browser.wanted) return start_listing();
  tui::take_listing(state_.browser, result.output, result.status == base::kExitDone);
}

App::~App() {
  if (lister_) lister_->stop();
}

void App::reload(bool ports) {
  reload_at_.reset();
  try {
    Model next = make_model(source_.read(ports));
    keep_selection(state_, model_, next);
    model_ = std::move(next);
  } catch (const base::Error& error) {  // what was there is shown on
    state_.message = error.what();
  }
}

}  // namespace rota::tui
