#pragma once

#include <memory>
#include <string>
#include <vector>

#include "chain/catalog.h"
#include "chain/chain_source.h"
#include "cli/command.h"

namespace rota::cli {

/// The chains that a reading command works on: those of a profile, or of a store named by --target
/// on a machine that has no profile, state or cache.
class Target {
 public:
  /// words: the command's; a profile's name is taken off unless `url` is given. least, most: see
  /// Context::take_profile.
  Target(Context& context, const std::string& url, std::vector<std::string>& words,
         std::size_t least, std::size_t most);

  store::Store& store() { return *store_; }
  const chain::Catalog& catalog() const { return *catalog_; }
  /// The run for --at, as a tree. paths: see chain::ChainSource.
  std::unique_ptr<chain::ChainSource> open(const std::string& at, std::vector<std::string> paths,
                                           base::Instant now);
  /// A path as a person types it, made relative to what was backed up: "etc/fstab", "/etc/fstab"
  /// (with or without the source's own path in front), "etc/", "." .
  static std::string relative(std::string path, const std::string& source);

 private:
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<chain::LocalState> state_;
  std::unique_ptr<chain::Catalog> catalog_;
};

/// Adds "--target URL" with its help.
void declare_target(Options& options, std::string& url);
/// Adds "--at TIME" with its help.
void declare_at(Options& options, std::string& at);

}  // namespace rota::cli
