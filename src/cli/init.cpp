#include <fmt/core.h>
#include <unistd.h>

#include <iostream>

#include "base/error.h"
#include "cli/command.h"
#include "job/store_settings.h"
#include "profile/template.h"

namespace rota::cli {

namespace {

std::string ask(const std::string& question, const std::string& suggestion) {
  std::cout << question << (suggestion.empty() ? "" : " [" + suggestion + "]") << ": "
            << std::flush;
  std::string answer;
  if (!std::getline(std::cin, answer)) {
    throw base::Error(base::ErrorKind::interrupted, "no answer; no profile was made");
  }
  return answer.empty() ? suggestion : answer;
}

class Init final : public Command {
 public:
  const char* name() const override { return "init"; }
  const char* summary() const override { return "Make a profile: what to back up and where to"; }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE]", "A name for this server's settings (default: main)", 0, 1);
    options.text("--source", wanted_.source, "DIR", "The directory to back up (default: /)");
    options.text("--target", wanted_.target, "URL", "The store, for example file:///srv/backup");
    options.text("--credentials", wanted_.credentials, "FILE",
                 "A file with the store's key, mode 0600");
    options_ = &options;
  }

  int run(Context& context) override {
    const bool named = !words_.empty();
    wanted_.name = named ? words_.front() : "main";
    if (wanted_.target.empty()) {
      if (::isatty(STDIN_FILENO) == 0) {
        throw base::Error(base::ErrorKind::usage,
                          "where to? Add --target, for example --target file:///srv/backup");
      }
      if (!named) wanted_.name = ask("Name of the profile", "main");
      if (!options_->given("--source")) wanted_.source = ask("Directory to back up", "/");
      wanted_.target = ask("Store, for example file:///srv/backup", "");
    }
    // Refuses what is no store or no key, before anything is written.
    store::open_store(job::store_settings(wanted_.target, wanted_.credentials, context.stop()));
    profile::create_profile(context.places(), wanted_);
    if (context.chatty()) {
      const std::string directory = context.places().config + "/" + wanted_.name;
      fmt::print(
          "Made {0}/profile.toml and {0}/exclude: look at what is left out.\n"
          "Next: rota backup {1}\n",
          directory, wanted_.name);
    }
    return base::kExitDone;
  }

 private:
  profile::NewProfile wanted_;
  std::vector<std::string> words_;
  const Options* options_ = nullptr;
};

}  // namespace

std::unique_ptr<Command> make_init() { return std::make_unique<Init>(); }

}  // namespace rota::cli
