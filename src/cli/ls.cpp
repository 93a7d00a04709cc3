#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/signals.h"
#include "base/text.h"
#include "chain/record.h"
#include "cli/disk_restore.h"
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
  const char* summary() const override { return "List the files in a run, or in a copy on a disk"; }

  void declare(Options& options) override {
    options.words(words_, "[PROFILE] [PATH]", "PATH is relative to the source", 0, 2);
    declare_at(options, at_);
    options.text("--depth", depth_, "N",
                 "So many levels below PATH at most: 1 lists what lies in it itself");
    declare_target(options, target_);
    declare_disk(options, disk_);
  }

  int run(Context& context) override {
    if (!depth_.empty()) levels_ = depth();
    return disk_.any() ? from_disk(context) : from_chain(context);
  }

 private:
  std::int64_t depth() const {
    std::int64_t number = 0;
    const char* end = depth_.data() + depth_.size();
    const auto [rest, error] = std::from_chars(depth_.data(), end, number);
    if (error != std::errc() || rest != end || number < 0) {
      throw base::Error(base::ErrorKind::usage,
                        fmt::format("--depth is \"{}\"; it must be a number of levels, such as 1",
                                    base::printable(depth_)));
    }
    return number;
  }

  int from_chain(Context& context) {
    Target target(context, target_, words_, 0, 1);
    LostRanges lost(context);
    const auto source = target.open(at_, words_, context.now(), lost.warn());
    const std::string wanted =
        words_.empty() ? "" : Target::relative(words_[0], source->record().source);
    list(context, *source, wanted);
    lost.check(0, "listed");
    return context.status();
  }

  int from_disk(Context& context) {
    check_no_store(target_);
    DiskTree copy(context, disk_, words_, 1, at_);
    const std::string wanted = words_.empty() ? "" : DiskTree::relative(words_[0]);
    if (!list(context, copy.source(), wanted)) copy.refuse_path(wanted);
    return context.status();
  }

  /// False when the path is not there.
  bool list(Context& context, tree::Source& source, const std::string& wanted) const {
    bool found = false;
    tree::Entry entry;
    while (source.next(entry)) {
      base::check_stop(context.stop());
      if (!tree::is_within(entry.path, wanted)) {
        if (found) break;  // what is below it stands together
        continue;          // a directory above, or of a disk all that comes before
      }
      found = true;
      if (levels(entry.path) - levels(wanted) > levels_) continue;
      context.json ? print_json(entry) : print_line(entry);
    }
    return found;
  }

  /// "" has none, "etc" one, "etc/fstab" two.
  static std::int64_t levels(std::string_view path) {
    return path.empty() ? 0 : 1 + std::ranges::count(path, '/');
  }

  static void print_line(const tree::Entry& entry) {
    const bool link = entry.kind == tree::EntryKind::symlink;
    // A name whose first one is lost or vanished comes as a file that cannot be opened.
    const bool hard =
        entry.kind == tree::EntryKind::hard_link || (entry.is_file() && !entry.target.empty());
    if (hard) {
      fmt::print("hard link to {} <- {}\n", base::printable(entry.target),
                 base::printable(entry.path));
      return;
    }
    const auto owner = [](const std::string& name, std::uint32_t id) {
      return name.empty() ? std::to_string(id) : base::printable(name);
    };
    fmt::print("{} {:>8} {:>8} {:>12} {} {}{}\n", mode_text(entry), owner(entry.user, entry.uid),
               owner(entry.group, entry.gid), entry.size, base::local(whole_seconds(entry.mtime)),
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
  std::string depth_;
  std::int64_t levels_ = std::numeric_limits<std::int64_t>::max();
  TargetOptions target_;
  DiskOptions disk_;
};

}  // namespace

std::unique_ptr<Command> make_ls() { return std::make_unique<Ls>(); }

}  // namespace rota::cli
