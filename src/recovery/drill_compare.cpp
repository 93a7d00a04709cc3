#include "recovery/drill_compare.h"

#include <fmt/core.h>

#include "base/signals.h"
#include "base/text.h"
#include "tree/compare.h"
#include "tree/local_source.h"

namespace rota::recovery {

namespace {

/// Counts what is read, and lets a person stop it within a large file, too.
class CountedContent final : public tree::Content {
 public:
  CountedContent(std::unique_ptr<tree::Content> inner, base::Progress& progress,
                 const std::stop_token& stop)
      : inner_(std::move(inner)), progress_(progress), stop_(stop) {}

  std::optional<tree::Segment> next_segment() override {
    auto segment = inner_->next_segment();
    if (segment && segment->hole) progress_.bytes += segment->length;
    return segment;
  }
  std::size_t read(std::span<std::byte> buffer) override {
    base::check_stop(stop_);
    const std::size_t n = inner_->read(buffer);
    progress_.bytes += n;
    return n;
  }
  bool unchanged() override { return inner_->unchanged(); }

 private:
  std::unique_ptr<tree::Content> inner_;
  base::Progress& progress_;
  const std::stop_token& stop_;
};

class CountedSource final : public tree::Source {
 public:
  CountedSource(tree::Source& inner, base::Progress& progress, const std::stop_token& stop)
      : inner_(inner), progress_(progress), stop_(stop) {}

  bool next(tree::Entry& entry) override {
    base::check_stop(stop_);
    if (!inner_.next(entry)) return false;
    ++progress_.files;
    return true;
  }
  bool complete(tree::Entry& entry) override { return inner_.complete(entry); }
  std::unique_ptr<tree::Content> open(tree::Entry& entry) override {
    auto content = inner_.open(entry);
    if (!content) return nullptr;
    return std::make_unique<CountedContent>(std::move(content), progress_, stop_);
  }

 private:
  tree::Source& inner_;
  base::Progress& progress_;
  const std::stop_token& stop_;
};

std::string told(const tree::Difference& difference) {
  const std::string& path = difference.entry.path;
  const std::string shown = path.empty() ? "the top directory" : base::printable(path);
  switch (difference.change) {
    case tree::Change::added:
      return shown + ": not in the backup";
    case tree::Change::removed:
      return shown + ": missing";
    case tree::Change::content:
    case tree::Change::metadata:
      return fmt::format("{}: {}", shown, difference.what);
  }
  return shown;
}

}  // namespace

Differences compare_restored(tree::Source& origin, const std::string& restored,
                             base::Warnings& warnings, base::Progress& progress,
                             const std::stop_token& stop) {
  tree::LocalSource local(restored, {}, warnings);
  CountedSource counted(local, progress, stop);
  Differences differences;
  tree::compare(
      origin, counted,
      [&](const tree::Difference& difference) {
        ++differences.count;
        if (differences.first.size() < kShownDifferences) {
          differences.first.push_back(told(difference));
        }
      },
      tree::Contents::read, stop);
  return differences;
}

}  // namespace rota::recovery
