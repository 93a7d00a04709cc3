#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "chain/record.h"
#include "cli/target.h"

namespace rota::cli {

namespace {

std::string mode_text(const tree::Entry& entry) {
  static constexpr char kTypes[] = "?-dlcbp-";
  std::string text(1, kTypes[static_cast<std::size_t>(entry.kind)]);
  for (int shift = 6; shift >= 0; shift -= 3) {
    const unsigned bits = entry.mode >> shift;
    text += (bits & 4) != 0 ? 'r' : '-';
    text += (bits & 2) != 0 ? 'w' : '-';
    const bool special = (entry.mode & (01000U << (shift / 3))) != 0;
    const char letter = shift == 0 ? 't' : 's';
    const char upper = shift == 0 ? 'T' : 'S';
    text += special ? ((bits & 1) != 0 ? letter : upper) : ((bits & 1) != 0 ? 'x' : '-');
  }
  return text;
}

base::Instant whole_seconds(const tree::Timestamp& time) {
  return base::Instant(std::chrono::seconds(time.seconds));
}

class Ls final : public Command {
 public:
  const char* name() const override { return "ls"; }
  const char* summary() const override { return "List the files in a run"; }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE] [PATH]", "PATH is relative to the source", 0, 2);
    declare_at(options, at_);
    declare_target(options, url_);
  }

  int run(Context& context) override {
    Target target(context, url_, words_, 0, 1);
    const auto source = target.open(at_, words_, context.now());
    const std::string wanted =
        words_.empty() ? "" : Target::relative(words_[0], source->record().source);
    tree::Entry entry;
    while (source->next(entry)) {
      base::check_stop(context.stop());
      if (!tree::is_within(entry.path, wanted)) continue;  // a directory above
      context.json ? print_json(entry) : print_line(entry);
    }
    return context.status();
  }

 private:
  static void print_line(const tree::Entry& entry) {
    const bool link = entry.kind == tree::EntryKind::symlink;
    const bool hard = entry.kind == tree::EntryKind::hard_link;
    if (hard) {
      fmt::print("hard link to {} <- {}\n", base::printable(entry.target),
                 base::printable(entry.path));
      return;
    }
    fmt::print("{} {:>8} {:>8} {:>12} {} {}{}\n", mode_text(entry),
               entry.user.empty() ? std::to_string(entry.uid) : entry.user,
               entry.group.empty() ? std::to_string(entry.gid) : entry.group, entry.size,
               base::local(whole_seconds(entry.mtime)),
               entry.path.empty() ? "." : base::printable(entry.path),
               link ? " -> " + base::printable(entry.target) : std::string());
  }

  /// One object a line. A path that is not UTF-8 cannot stand in JSON: bytes are percent-encoded in
  /// path_bytes then.
  static void print_json(const tree::Entry& entry) {
    nlohmann::json line = {{"path", base::printable(entry.path)},
                           {"kind", tree::kind_name(entry.kind)},
                           {"mode", fmt::format("{:04o}", entry.mode)},
                           {"uid", entry.uid},
                           {"gid", entry.gid},
                           {"size", entry.size},
                           {"mtime", base::iso(whole_seconds(entry.mtime))}};
    if (!base::is_utf8(entry.path)) line["path_bytes"] = chain::percent_encode(entry.path);
    if (!entry.target.empty()) line["target"] = base::printable(entry.target);
    if (entry.is_file() && entry.digest) line["sha256"] = base::to_hex(*entry.digest);
    fmt::print("{}\n", line.dump());
  }

  std::vector<std::string> words_;
  std::string at_;
  std::string url_;
};

}  // namespace

std::unique_ptr<Command> make_ls() { return std::make_unique<Ls>(); }

}  // namespace rota::cli
