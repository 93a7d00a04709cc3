#include "chain/chain_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/text.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;
using tree::Entry;

namespace {

/// Data of a file, taken from the frames that its extents name.
class ChainContent final : public tree::Content {
 public:
  ChainContent(FrameCache& frames, std::shared_ptr<const ExtentTable> extents)
      : frames_(frames), extents_(std::move(extents)) {}

  std::optional<tree::Segment> next_segment() override {
    while (at_ < extents_->size() && in_data_ && !extents_->at(at_).hole()) {  // left unread
      ++at_;
      done_ = 0;
    }
    in_data_ = false;
    if (at_ >= extents_->size()) return std::nullopt;
    if (const Extent extent = extents_->at(at_); extent.hole()) {
      ++at_;
      return tree::Segment{true, extent.length};
    }
    in_data_ = true;
    std::uint64_t length = 0;
    for (std::size_t i = at_; i < extents_->size(); ++i) {
      const Extent extent = extents_->at(i);
      if (extent.hole()) break;
      length += extent.length;
    }
    return tree::Segment{false, length};
  }

  std::size_t read(std::span<std::byte> buffer) override {
    std::size_t filled = 0;
    while (filled < buffer.size() && at_ < extents_->size()) {
      const Extent extent = extents_->at(at_);
      if (extent.hole()) break;
      if (!frame_ || !extent.same_frame(frame_of_)) {
        frame_ = frames_.get(extent);
        frame_of_ = extent;
      }
      if (extent.offset + extent.length > frame_->size()) {
        throw Error(ErrorKind::corrupt, "the index reaches out of a frame");
      }
      const std::size_t part = static_cast<std::size_t>(
          std::min<std::uint64_t>(buffer.size() - filled, extent.length - done_));
      std::memcpy(buffer.data() + filled, frame_->data() + extent.offset + done_, part);
      filled += part;
      done_ += part;
      if (done_ == extent.length) {
        ++at_;
        done_ = 0;
      }
    }
    return filled;
  }

 private:
  FrameCache& frames_;
  std::shared_ptr<const ExtentTable> extents_;
  std::size_t at_ = 0;
  std::uint64_t done_ = 0;  ///< bytes of extent at_ that were read
  bool in_data_ = false;
  FrameCache::Frame frame_;
  Extent frame_of_;
};

}  // namespace

ChainSource::ChainSource(store::Store& store, RunRecord record, const std::string& index_copies,
                         std::vector<std::string> paths, OnLost lost, KeyRing* keys)
    : record_(std::move(record)),
      on_lost_(std::move(lost)),
      clear_(store, record_, keys),
      objects_(clear_, record_.chain, index_copies, record_.encrypted()),
      frames_(clear_, record_),
      view_(objects_, record_, paths.empty(), 0,
            on_lost_ ? [this](const LostRange& range) { note(range); } : OnLost()),
      paths_(std::move(paths)) {
  std::ranges::sort(paths_, [](const std::string& a, const std::string& b) {
    return tree::compare_paths(a, b) < 0;
  });
  const auto below =
      std::unique(paths_.begin(), paths_.end(),
                  [](const std::string& a, const std::string& b) { return tree::is_within(b, a); });
  paths_.erase(below, paths_.end());
  if (paths_.size() == 1 && paths_.front().empty()) paths_.clear();
  if (!paths_.empty()) enter(paths_[next_path_++]);
  check_paths();
}

ChainSource::~ChainSource() = default;

/// Of all but the first, which was entered: what is missing is told before anything is given.
void ChainSource::check_paths() {
  for (std::size_t i = next_path_; i < paths_.size(); ++i) {
    try {
      if (IndexView::find(objects_, record_, paths_[i])) continue;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::corrupt || !on_lost_) throw;
      continue;  // it is told of when its turn comes
    }
    throw Error(ErrorKind::not_found,
                fmt::format("there is no {} in run {}", base::printable(paths_[i]), record_.run));
  }
}

/// Keeps and tells of what is lost of the wanted paths.
void ChainSource::note(const LostRange& range) {
  if (!paths_.empty()) {
    const std::string& wanted = paths_[next_path_ - 1];
    if (!range.contains(wanted) && !tree::is_within(range.first, wanted)) return;
  }
  const bool known = std::ranges::any_of(lost_, [&](const LostRange& other) {
    return other.what == range.what && other.first == range.first;
  });
  if (known) return;
  lost_.push_back(range);
  if (!entering_) tell();
}

void ChainSource::tell() {
  while (told_ < lost_.size()) on_lost_(lost_[told_++]);
}

/// True when damage hides what the run says of this path.
bool ChainSource::is_lost(const std::string& path) {
  const auto may_be = [&](const LostRange& range) { return range.contains(path); };
  if (std::ranges::none_of(lost_, may_be)) return false;
  try {
    return !IndexView::find(objects_, record_, path);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt) throw;
    return true;
  }
}

/// Goes to a wanted path: first the directories above it that were not given yet.
void ChainSource::enter(const std::string& path) {
  for (std::size_t slash = 0; slash != std::string::npos;) {
    const std::string above = path.substr(0, slash);
    slash = path.find('/', slash == 0 ? 1 : slash + 1);
    const bool given = next_path_ > 1 && tree::is_within(last_above_, above);
    if (given || above == path) continue;
    try {
      auto found = IndexView::find(objects_, record_, above);
      if (!found) {
        throw Error(ErrorKind::not_found,
                    fmt::format("there is no {} in run {}", base::printable(path), record_.run));
      }
      ready_.push_back(std::move(*found));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::corrupt || !on_lost_) throw;
    }
  }
  last_above_ =
      path.substr(0, path.find_last_of('/') == std::string::npos ? 0 : path.find_last_of('/'));
  view_.seek(path);
  IndexRecord first;
  entering_ = true;
  const bool any = view_.next(first) && tree::is_within(first.entry.path, path);
  entering_ = false;
  const bool is_there = any && first.entry.path == path;
  if (is_there && !first.entry.is_directory()) {
    // All that was asked for is known, and nothing lies below it.
    lost_.erase(lost_.begin() + static_cast<std::ptrdiff_t>(told_), lost_.end());
  }
  tell();
  const auto may_be = [&](const LostRange& range) { return range.contains(path); };
  if (!is_there && std::ranges::none_of(lost_, may_be)) {
    throw Error(ErrorKind::not_found,
                fmt::format("there is no {} in run {}", base::printable(path), record_.run));
  }
  if (any) ready_.push_back(std::move(first));
}

bool ChainSource::selected(const std::string& path) const {
  return std::ranges::any_of(
      paths_, [&](const std::string& wanted) { return tree::is_within(path, wanted); });
}

bool ChainSource::next_record(IndexRecord& record) {
  for (;;) {
    if (!ready_.empty()) {
      record = std::move(ready_.front());
      ready_.pop_front();
      return true;
    }
    if (paths_.empty()) return view_.next(record);
    if (view_.next(record) && tree::is_within(record.entry.path, paths_[next_path_ - 1])) {
      return true;
    }
    if (next_path_ == paths_.size()) return false;
    enter(paths_[next_path_++]);
  }
}

/// The first name of this group was not wanted: this name takes its place, once.
void ChainSource::make_first_name(IndexRecord& record) {
  Entry& link = record.entry;
  std::optional<IndexRecord> found;
  try {
    found = IndexView::find(objects_, record_, link.target);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt || !on_lost_) throw;
    link.kind = tree::EntryKind::file;
    link.unreadable = true;
    return;
  }
  if (const auto first = links_.first_or_register(link.target, link.path)) {
    link.target = *first;
    return;
  }
  if (!found) {
    // That name vanished when this run was made: a file that cannot be opened, the rest can be had.
    link.kind = tree::EntryKind::file;
    return;
  }
  found->entry.path = link.path;
  record = std::move(*found);
}

bool ChainSource::next(Entry& entry) {
  IndexRecord record;
  if (!next_record(record)) return false;
  if (record.entry.kind == tree::EntryKind::hard_link) {
    if (!paths_.empty() && !selected(record.entry.target)) {
      make_first_name(record);
    } else if (is_lost(record.entry.target)) {
      // Another file may stand there. It is one that cannot be opened: the rest can be had.
      record.entry.kind = tree::EntryKind::file;
      record.entry.unreadable = true;
    }
  }
  entry = std::move(record.entry);
  entry.handle = std::move(record.extents);
  return true;
}

std::unique_ptr<tree::Content> ChainSource::open(Entry& entry) {
  if (!entry.target.empty()) {
    throw Error(ErrorKind::corrupt,
                fmt::format("it is another name of {}, {}; another run may have it",
                            base::printable(entry.target),
                            entry.unreadable ? "of which the damaged index cannot tell any more"
                                             : "which vanished while this run was made"));
  }
  auto extents = std::static_pointer_cast<const ExtentTable>(entry.handle);
  if (!extents) extents = std::make_shared<const ExtentTable>();
  return std::make_unique<ChainContent>(frames_, std::move(extents));
}

}  // namespace rota::chain
