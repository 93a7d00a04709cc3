#include "cli/target.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "chain/trust_records.h"
#include "job/known_runs.h"
#include "job/server.h"
#include "job/store_settings.h"
#include "tree/entry.h"

namespace rota::cli {

namespace {

base::Instant store_moment(const std::string& text, base::Instant now) {
  if (const auto moment = base::parse_moment(text, now)) return *moment;
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("--store-time \"{}\" is no time; write 4D, 2W, 3M (so long ago), "
                                "2026-01-04 or 2026-01-04T03:00:15",
                                base::printable(text)));
}

/// Where a store is that no profile names.
store::StoreSettings settings_of(const TargetOptions& options, const std::stop_token& stop) {
  store::StoreSettings settings = job::store_settings(options.url, options.credentials, stop);
  settings.b2_api_url = options.endpoint;
  settings.s3.endpoint = options.endpoint;
  settings.s3.region = options.region;
  if (options.path_style == "true" || options.path_style == "false") {
    settings.s3.path_style = options.path_style == "true";
  } else if (!options.path_style.empty()) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("--path-style is true or false, not \"{}\"",
                                  base::printable(options.path_style)));
  }
  return settings;
}

}  // namespace

Target::Target(Context& context, const TargetOptions& options, std::vector<std::string>& words,
               std::size_t least, std::size_t most)
    : context_(context), store_alone_(options.store_alone) {
  std::string profile_key;
  if (options.url.empty()) {
    if (!options.credentials.empty() || !options.endpoint.empty() || !options.region.empty() ||
        !options.path_style.empty()) {
      throw base::Error(base::ErrorKind::usage,
                        "--credentials, --endpoint, --region and --path-style go with --target; a "
                        "profile names its own");
    }
    const std::string name = context.take_profile(words, least, most);
    const profile::Profile profile = profile::load_profile(context.places(), name);
    profile_ = name;
    store_ = store::open_store(job::store_settings(profile, context.stop()));
    profile_key = profile.key;
    // What is kept here tells how the store is, or was made to be: of the past it knows nothing.
    if (options.store_time.empty()) {
      state_ = std::make_unique<chain::LocalState>(context.places().state + "/" + name,
                                                   context.places().cache + "/" + name);
    }
  } else {
    if (words.size() > most || words.size() < least) {
      throw base::Error(base::ErrorKind::usage,
                        "with --target there is no profile; --help shows the other words");
    }
    store_ = store::open_store(settings_of(options, context.stop()));
  }
  if (!options.store_time.empty()) {
    auto past = std::make_unique<store::TimeTravelStore>(
        std::move(store_), store_moment(options.store_time, context.now()));
    past_ = past.get();
    store_ = std::move(past);
  }
  keys_ = make_key_ring(options.keys, profile_key, context.stop());
  catalog_ =
      std::make_unique<chain::Catalog>(*store_, store_alone_ ? nullptr : state_.get(), &keys_);
}

void Target::trust_all_records() {
  if (past_ == nullptr) return;
  for (const chain::ChainInfo& chain : catalog_->chains()) {
    chain::trust_records(*past_, *catalog_, chain);
  }
}

void Target::note_runs() const {
  if (!state_ || profile_.empty()) return;
  try {
    const base::LockFile lock = job::lock_profile(context_.places(), profile_);
    ledger::Ledger ledger(context_.places().ledger());
    job::note_runs(ledger, profile_, *catalog_, state_->last());
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::interrupted) throw;
  }
}

/// A restore needs nothing of this machine: what cannot be read here is not known.
std::optional<chain::LocalState::Last> Target::last() const {
  try {
    if (state_) return state_->last();
  } catch (const base::Error&) {
  }
  return std::nullopt;
}

void Target::require_runs() const {
  if (!catalog_->chains().empty()) return;
  const auto last = this->last();
  if (!last) return;
  throw base::Error(
      base::ErrorKind::unavailable,
      fmt::format("{} should hold run {} and shows none that can be restored; if it is on a disk, "
                  "see that it is mounted; if somebody emptied it, --store-time TIME reads a store "
                  "that keeps old versions as it was, and a rotation disk has a copy",
                  store_->description(), last->run));
}

/// Who asks for the newest run and gets an older one must hear of it: that is what an intruder, or
/// a damaged store, leaves.
void Target::warn_of_newer(const chain::RunInfo& taken) const {
  auto last = this->last();
  const auto warn = [&](const std::string& run, const char* what) {
    context_.warnings().warn(run, fmt::format("is newer, but {}; {} is taken, of {}", what,
                                              taken.run, base::local(taken.time)));
    if (last && last->run == run) last.reset();
  };
  for (const auto* chains : {&catalog_->chains(), &catalog_->broken()}) {
    for (const chain::ChainInfo& chain : *chains) {
      for (const chain::RunInfo& stray : chain.stray) {
        if (stray.time >= taken.time) {
          warn(stray.run, "its record is damaged or does not fit its chain");
        }
      }
    }
  }
  if (last && last->run != taken.run && catalog_->find(last->run) == nullptr) {
    warn(last->run, "the store does not show it any more");
  }
}

void Target::warn_of_missing(const chain::RunRecord& taken) const {
  for (const std::string& missing : catalog_->chain(taken.chain)->missing) {
    if (std::ranges::find(taken.runs, missing) == taken.runs.end()) continue;
    context_.warnings().warn(missing,
                             fmt::format("its record is missing, and run {} is built on it: what "
                                         "is gone of its data is named where it is needed",
                                         taken.run));
  }
}

chain::RunRecord Target::record(const std::string& at, base::Instant now) {
  require_runs();
  const chain::RunInfo& run = catalog_->select(at, now);
  if (at.empty() || at == "now" || at == "latest") warn_of_newer(run);
  if (past_ != nullptr) chain::trust_records(*past_, *catalog_, *catalog_->chain(run.chain));
  chain::RunRecord record = catalog_->record(run);
  warn_of_missing(record);
  return record;
}

std::unique_ptr<chain::ChainSource> Target::open(const std::string& at,
                                                 std::vector<std::string> paths, base::Instant now,
                                                 chain::OnLost lost) {
  chain::RunRecord record = this->record(at, now);
  for (std::string& path : paths) path = relative(path, record.source);
  const std::string copies =
      state_ && !store_alone_ ? state_->index_copies(record.chain) : std::string();
  return std::make_unique<chain::ChainSource>(*store_, std::move(record), copies, std::move(paths),
                                              std::move(lost), &keys_);
}

chain::OnLost LostRanges::warn() {
  return [this](const chain::LostRange& range) {
    ++count_;
    context_.warnings().warn("the index",
                             fmt::format("what the run holds {} is not known for sure and is left "
                                         "out, but for what later runs wrote: {}",
                                         range.words(), range.what));
  };
}

void LostRanges::check(std::uint64_t damaged, const char* done) const {
  if (count_ == 0 && damaged == 0) return;
  std::string what;
  if (count_ > 0) {
    what = fmt::format("{} part{} of the run's index", base::human_count(count_),
                       count_ == 1 ? "" : "s");
  }
  if (damaged > 0) {
    what += fmt::format("{}{} file{}", what.empty() ? "" : " and ", base::human_count(damaged),
                        damaged == 1 ? "" : "s");
  }
  throw base::Error(base::ErrorKind::corrupt,
                    fmt::format("{} {} damaged in the store; what was not named was {}; an earlier "
                                "run (--at) may have the rest",
                                what, count_ + damaged == 1 ? "is" : "are", done));
}

std::string Target::relative(std::string path, const std::string& source) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  while (path.starts_with("./")) path.erase(0, 2);
  if (path == "." || path == "/") return "";
  if (!path.starts_with('/')) return path;
  if (source != "/" && tree::is_within(path, source)) path.erase(0, source.size());
  while (path.starts_with('/')) path.erase(0, 1);
  return path;
}

void declare_target(Options& options, TargetOptions& target) {
  options.text("--target", target.url, "URL",
               "Read this store instead of a profile's, for example file:///mnt/backup; nothing "
               "else is needed on this machine");
  options.text("--credentials", target.credentials, "FILE",
               "The file with the access key of --target, if that needs one");
  options.text(
      "--endpoint", target.endpoint, "URL",
      "The server of --target, if that is not its provider's own: for s3:// all but Amazon, "
      "for example https://s3.eu-central-003.backblazeb2.com");
  options.text("--region", target.region, "NAME",
               "Of an s3:// target, where the name of its server does not tell");
  options.text("--path-style", target.path_style, "true|false",
               "Of an s3:// target: whether the bucket stands in the path, or in front of the "
               "server's name, where it is not as usual there");
  options.text("--store-time", target.store_time, "TIME",
               "Read the store as it was then, before somebody hid or overwrote what it holds: "
               "2D, 2026-01-04, 2026-01-04T03:00; for stores that keep old versions");
  declare_keys(options, target.keys);
}

void declare_at(Options& options, std::string& at) {
  options.text("--at", at, "TIME",
               "As it was then: now, 4D, 2W, 3M, 2Y (so long ago), 2026-01-04, 2026-01-04T03:00, "
               "or a run's name (default: the newest run)");
}

}  // namespace rota::cli
