#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>

#include "chain/sample.h"
#include "tree/source.h"

namespace rota::recovery {

/// A part of everything, as a person asks for it: "5%" of the files, or "2G" of bytes at most.
struct SampleSize {
  double share = 0;         ///< 0 to 1; 0: as many as `bytes` say
  std::uint64_t bytes = 0;  ///< never more than this; 0: no limit
};

/// Throws Error(usage) for what is neither.
SampleSize parse_sample_size(const std::string& text);

/// Which files are taken: those the hash of whose path lies in a window, as long as they fit.
struct FileSample {
  chain::Sample window;
  std::uint64_t limit = 0;  ///< bytes; 0: none
};

/// Of another source's tree all names, but of regular files only those of a sample. Names of one
/// file come together or not at all. The same sample of the same tree takes the same files.
class SampledSource final : public tree::Source {
 public:
  SampledSource(std::unique_ptr<tree::Source> inner, FileSample sample);

  bool next(tree::Entry& entry) override;
  bool complete(tree::Entry& entry) override { return inner_->complete(entry); }
  std::unique_ptr<tree::Content> open(tree::Entry& entry) override { return inner_->open(entry); }

  /// So far, whether a file was left out.
  bool partial() const { return partial_; }

 private:
  bool takes(const tree::Entry& entry);

  std::unique_ptr<tree::Source> inner_;
  FileSample sample_;
  std::uint64_t taken_ = 0;
  bool partial_ = false;
  /// Files in the window that did not fit and have other names: few, because most have one name.
  std::set<std::string, std::less<>> left_out_;
};

/// A sample that was chosen, and what is in it.
struct ChosenSample {
  FileSample sample;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  bool everything = false;  ///< nothing is left out
};

/// Chooses a sample at random, another one each time, with one file at least where there is any.
///
/// open: begins a new pass over the tree; a few are made. whole_bytes: of all files. A sample of
/// so many bytes takes no file that is larger; throws Error(usage) when all are. Throws
/// Error(interrupted).
ChosenSample choose_sample(const std::function<std::unique_ptr<tree::Source>()>& open,
                           const SampleSize& size, std::uint64_t whole_bytes,
                           const std::stop_token& stop);

}  // namespace rota::recovery
