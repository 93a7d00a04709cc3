#include <fmt/core.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/target.h"
#include "tree/rebased_source.h"
#include "tree/tree_writer.h"

namespace rota::cli {

namespace {

bool is_directory(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

class Fetch final : public Command {
 public:
  const char* name() const override { return "fetch"; }
  const char* summary() const override { return "Take one file or directory out of a run"; }

  void declare(Options& options) override {
    options.words(
        words_, "[PROFILE] PATH DEST",
        "PATH is relative to the source (etc/fstab); DEST is the new file, or a directory "
        "to put it into",
        2, 3);
    declare_at(options, at_);
    options.flag("--overwrite", overwrite_, "Replace DEST if it exists");
    declare_target(options, url_);
  }

  int run(Context& context) override {
    Target target(context, url_, words_, 2, 2);
    const auto source = target.open(at_, {words_[0]}, context.now());
    const std::string path = Target::relative(words_[0], source->record().source);
    if (path.empty()) {
      throw base::Error(base::ErrorKind::usage,
                        "fetch takes one file or directory; `rota restore` takes the whole tree");
    }
    std::string destination = words_[1];
    if (destination.empty() || (destination.ends_with('/') && !is_directory(destination))) {
      throw base::Error(base::ErrorKind::usage,
                        fmt::format("\"{}\" is no directory; name one to put it into, or the new "
                                    "file without a slash behind it",
                                    base::printable(destination)));
    }
    if (is_directory(destination)) {
      destination += "/" + std::string(tree::base_name(path));
    }
    if (!overwrite_ && base::exists(destination)) {
      throw base::Error(base::ErrorKind::refused,
                        fmt::format("{} exists; add --overwrite to replace it, or choose another "
                                    "name",
                                    base::printable(destination)));
    }
    const std::string directory = base::parent_directory(destination);
    tree::RebasedSource rebased(*source, path, std::string(tree::base_name(destination)));
    context.progress().set_activity("fetching");
    const base::TerminalProgress terminal(context.progress());
    tree::TreeWriterOptions options;
    options.merge = true;
    options.touch_root = false;
    tree::TreeWriter writer(directory, options, context.warnings(), context.progress(),
                            context.stop());
    writer.consume(rebased);
    if (writer.damaged() > 0) {
      throw base::Error(base::ErrorKind::corrupt,
                        fmt::format("{} is damaged in the store; an earlier run (--at) may have it",
                                    base::printable(path)));
    }
    return context.status();
  }

 private:
  std::vector<std::string> words_;
  std::string at_;
  std::string url_;
  bool overwrite_ = false;
};

}  // namespace

std::unique_ptr<Command> make_fetch() { return std::make_unique<Fetch>(); }

}  // namespace rota::cli
