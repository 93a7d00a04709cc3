#include "cli/command.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "base/process.h"

namespace rota::cli {

job::Surroundings Context::surroundings() {
  return {base::real_clock(), base::real_processes(), warnings_, progress_, stop_};
}

const profile::Places& Context::places() {
  if (!places_) places_ = profile::find_places();
  return *places_;
}

bool Context::chatty() const {
  return !json && (verbose || (::isatty(STDOUT_FILENO) != 0 && ::isatty(STDERR_FILENO) != 0));
}

int Context::status() const {
  return warnings_.count() > 0 ? base::kExitWarnings : base::kExitDone;
}

std::string Context::take_profile(std::vector<std::string>& words, std::size_t least,
                                  std::size_t most) {
  if (words.size() > most + 1) {
    throw base::Error(
        base::ErrorKind::usage,
        fmt::format("\"{}\" is one word too many; --help shows the form", words.back()));
  }
  const std::vector<std::string> profiles = profile::list_profiles(places());
  const bool named =
      !words.empty() &&
      (words.size() > most ||
       (words.size() > least && std::ranges::find(profiles, words[0]) != profiles.end()));
  if (words.size() < least + (named ? 1 : 0)) {
    throw base::Error(base::ErrorKind::usage, "a word is missing; --help shows the form");
  }
  if (!named) return profile::only_profile(places());
  std::string name = words.front();
  words.erase(words.begin());
  return name;
}

}  // namespace rota::cli
