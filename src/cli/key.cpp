#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"
#include "chain/key_file.h"
#include "cli/keys.h"
#include "cli/paper.h"
#include "cli/passphrase.h"
#include "cli/target.h"
#include "job/recipients.h"
#include "job/store_settings.h"

namespace rota::cli {

namespace {

using base::Error;
using base::ErrorKind;

class Key final : public Command {
 public:
  const char* name() const override { return "key"; }
  const char* summary() const override {
    return "Make, check and print the keys of encrypted backups";
  }

  void declare(Options& options) override {
    options.words(
        words_, "generate|check|export [PROFILE]",
        "generate: a new key; check [PROFILE]: whether a key opens the profile's backups; "
        "export: a page for the safe",
        1, 2);
    options.text("--to", to_, "FILE", "generate: the new secret key file, never an existing one");
    options.flag("--passphrase", passphrase_,
                 "generate: a key that travels with the backups, locked by a passphrase");
    options.text("--paper", paper_, "FILE", "export: the secret key file to print");
    options.text("--out", out_, "FILE", "export: write the page here, for you alone to read");
    declare_keys(options, options_);
  }

  int run(Context& context) override {
    if (words_.empty()) {
      throw Error(ErrorKind::usage, "which of the three: `rota key` generate, check or export?");
    }
    const std::string action = words_.front();
    words_.erase(words_.begin());
    const bool made = !to_.empty() || passphrase_;
    const bool printed = !paper_.empty() || !out_.empty();
    if (action == "generate") {
      require(!printed && options_.key.empty() && words_.empty(), "generate");
      return generate(context);
    }
    if (action == "check") {
      require(!printed && !made, "check");
      return check(context);
    }
    if (action == "export") {
      const bool other = !options_.key.empty() || !options_.passphrase_file.empty();
      require(!made && !other && words_.empty(), "export");
      return print_page(context);
    }
    throw Error(ErrorKind::usage,
                fmt::format("\"{}\" is nothing that `rota key` does; it does generate, check and "
                            "export",
                            base::printable(action)));
  }

 private:
  static void require(bool fits, const char* action) {
    if (fits) return;
    throw Error(ErrorKind::usage,
                fmt::format("a word or an option does not belong to `rota key {}`; `rota key "
                            "--help` shows which do",
                            action));
  }

  int generate(Context& context) const {
    const bool locked = passphrase_ || !options_.passphrase_file.empty();
    if (locked == !to_.empty()) {
      throw Error(ErrorKind::usage,
                  "where shall the key be? Give --to FILE for a file that you keep elsewhere, or "
                  "--passphrase for one that a passphrase opens");
    }
    const chain::SecretKey key = chain::SecretKey::generate();
    if (locked) {
      const std::string passphrase = options_.passphrase_file.empty()
                                         ? ask_new_passphrase(context.stop())
                                         : chain::read_passphrase_file(options_.passphrase_file);
      check_new_passphrase(passphrase);
      show(context, chain::Recipient::locked(key, passphrase),
           "The passphrase opens the backups, and nothing else does: keep it on paper, off this "
           "server.");
    } else {
      chain::write_key_file(to_, key);
      show(context, chain::Recipient(key),
           fmt::format("Keep {0} off this server, and on paper (`rota key export --paper {0}`): "
                       "without it the backups cannot be read.",
                       base::printable(to_)));
    }
    return base::kExitDone;
  }

  void show(const Context& context, const chain::Recipient& recipient,
            const std::string& advice) const {
    if (context.json) {
      nlohmann::json value = {{"recipient", recipient.text()}};
      if (!to_.empty()) value["file"] = base::printable(to_);
      fmt::print("{}\n", value.dump());
      return;
    }
    fmt::print("Put this line into the profile:\n\nencrypt_to = [\"{}\"]\n\n{}\n", recipient.text(),
               advice);
  }

  int check(Context& context) {
    // A key can be looked at on a machine that has no profile, or several.
    if (words_.empty() && !options_.key.empty() &&
        profile::list_profiles(context.places()).size() != 1) {
      const chain::Recipient own(chain::read_key_file(options_.key));
      tell(context, own, "", fmt::format("The key is good. It belongs to {}\n", own.text()));
      return base::kExitDone;
    }
    const std::string name = context.take_profile(words_, 0, 0);
    const profile::Profile profile = profile::load_profile(context.places(), name);
    const std::vector<chain::Recipient> recipients = job::recipients_of(profile);
    if (recipients.empty()) {
      throw Error(ErrorKind::config,
                  fmt::format("the backups of the profile {} are not encrypted: it has no "
                              "encrypt_to",
                              name));
    }
    chain::SecretKey key = fitting_key(options_, profile, recipients, context.stop());
    const chain::Recipient own(key);
    const std::string run = open_newest(profile, std::move(key), context.stop());
    tell(context, own, name,
         fmt::format("The key fits: the backups of the profile {} are encrypted for {}\n{}\n", name,
                     own.text(),
                     run.empty() ? "There is no encrypted run yet that it could open."
                                 : fmt::format("It opens the newest run, {}.", run)));
    return base::kExitDone;
  }

  /// Really opens it, as a restore would. Returns its name; empty when there is none yet.
  static std::string open_newest(const profile::Profile& profile, chain::SecretKey key,
                                 const std::stop_token& stop) {
    chain::KeyRing ring;
    ring.add(std::move(key));
    const auto store = store::open_store(job::store_settings(profile, stop));
    const chain::Catalog catalog(*store, nullptr, &ring);
    const chain::RunInfo* newest = catalog.newest();
    if (newest == nullptr || !catalog.record(*newest).encrypted()) return "";
    return newest->run;
  }

  static void tell(const Context& context, const chain::Recipient& own, const std::string& profile,
                   const std::string& text) {
    if (!context.json) {
      fmt::print("{}", text);
      return;
    }
    nlohmann::json value = {{"recipient", own.text()}};
    if (!profile.empty()) value["profile"] = profile;
    fmt::print("{}\n", value.dump());
  }

  int print_page(const Context& context) const {
    if (paper_.empty()) {
      throw Error(ErrorKind::usage, "which key? Give the secret key file with --paper FILE");
    }
    const chain::SecretKey key = chain::read_key_file(paper_);
    const std::string page = key_page(key, base::local(context.now()).substr(0, 10));
    if (out_.empty()) {
      fmt::print("{}", page);
      return base::kExitDone;
    }
    if (base::exists(out_)) {
      throw Error(ErrorKind::refused, fmt::format("{} exists already, and is not replaced; choose "
                                                  "another name",
                                                  base::printable(out_)));
    }
    base::write_file(out_, page);
    if (context.chatty()) {
      fmt::print("The page is in {}: print it, and remove the file.\n", base::printable(out_));
    }
    return base::kExitDone;
  }

  std::vector<std::string> words_;
  std::string to_;
  bool passphrase_ = false;
  std::string paper_;
  std::string out_;
  KeyOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_key() { return std::make_unique<Key>(); }

}  // namespace rota::cli
