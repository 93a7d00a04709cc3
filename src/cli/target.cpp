#include "cli/target.h"

#include "base/error.h"
#include "tree/entry.h"

namespace rota::cli {

Target::Target(Context& context, const std::string& url, std::vector<std::string>& words,
               std::size_t least, std::size_t most) {
  if (url.empty()) {
    const std::string name = context.take_profile(words, least, most);
    const profile::Profile profile = profile::load_profile(context.places(), name);
    store_ = store::open_store(profile.target);
    state_ = std::make_unique<chain::LocalState>(context.places().state + "/" + name,
                                                 context.places().cache + "/" + name);
  } else {
    if (words.size() > most || words.size() < least) {
      throw base::Error(base::ErrorKind::usage,
                        "with --target there is no profile; --help shows the other words");
    }
    store_ = store::open_store(url);
  }
  catalog_ = std::make_unique<chain::Catalog>(*store_, state_.get());
}

std::unique_ptr<chain::ChainSource> Target::open(const std::string& at,
                                                 std::vector<std::string> paths,
                                                 base::Instant now) {
  const chain::RunInfo& run = catalog_->select(at, now);
  chain::RunRecord record = catalog_->record(run);
  for (std::string& path : paths) path = relative(path, record.source);
  const std::string copies = state_ ? state_->index_copies(record.chain) : std::string();
  return std::make_unique<chain::ChainSource>(*store_, std::move(record), copies, std::move(paths));
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

void declare_target(Options& options, std::string& url) {
  options.text("--target", url, "URL",
               "Read this store instead of a profile's, for example file:///mnt/backup; nothing "
               "else is needed on this machine");
}

void declare_at(Options& options, std::string& at) {
  options.text("--at", at, "TIME",
               "As it was then: now, 4D, 2W, 3M, 2Y (so long ago), 2026-01-04, 2026-01-04T03:00, "
               "or a run's name (default: the newest run)");
}

}  // namespace rota::cli
