#include "recovery/drill_sample.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/signals.h"
#include "base/text.h"

namespace rota::recovery {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t kCircle = std::uint64_t{1} << 32;

[[noreturn]] void reject(const std::string& text) {
  throw Error(ErrorKind::usage,
              fmt::format("--sample is \"{}\"; it must be a part of all files, such as 5%, or a "
                          "size, such as 500M or 2G",
                          base::printable(text)));
}

std::uint64_t factor(std::string_view unit) {
  if (unit == "K") return 1'000;
  if (unit == "M") return 1'000'000;
  if (unit == "G") return 1'000'000'000;
  if (unit == "T") return 1'000'000'000'000;
  return 0;
}

}  // namespace

SampleSize parse_sample_size(const std::string& text) {
  SampleSize size;
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [unit, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc() || !(number > 0) || number > 1e6) reject(text);
  const std::string_view rest(unit, static_cast<std::size_t>(end - unit));
  if (rest == "%") {
    if (number > 100) reject(text);
    size.share = number / 100;
    return size;
  }
  size.bytes = static_cast<std::uint64_t>(number * static_cast<double>(factor(rest)));
  if (size.bytes == 0) reject(text);
  return size;
}

SampledSource::SampledSource(std::unique_ptr<tree::Source> inner, FileSample sample)
    : inner_(std::move(inner)), sample_(sample) {}

bool SampledSource::next(tree::Entry& entry) {
  while (inner_->next(entry)) {
    if (takes(entry)) return true;
    partial_ = true;
  }
  return false;
}

bool SampledSource::takes(const tree::Entry& entry) {
  if (entry.kind == tree::EntryKind::hard_link) {
    return sample_.window.contains(entry.target) && !left_out_.contains(entry.target);
  }
  if (!entry.is_file()) return true;
  if (!sample_.window.contains(entry.path)) return false;
  if (sample_.limit != 0 && entry.size > sample_.limit - taken_) {
    if (entry.links > 1) left_out_.insert(entry.path);
    return false;
  }
  if (sample_.limit != 0) taken_ += entry.size;
  return true;
}

namespace {

/// What a sample takes of a tree.
ChosenSample measured(const std::function<std::unique_ptr<tree::Source>()>& open,
                      const FileSample& sample, bool& any_file, const std::stop_token& stop) {
  ChosenSample chosen;
  chosen.sample = sample;
  any_file = false;
  SampledSource source(open(), sample);
  tree::Entry entry;
  while (source.next(entry)) {
    base::check_stop(stop);
    ++chosen.entries;
    if (!entry.is_file()) continue;
    any_file = true;
    chosen.bytes += entry.size;
  }
  chosen.everything = !source.partial();
  return chosen;
}

}  // namespace

ChosenSample choose_sample(const std::function<std::unique_ptr<tree::Source>()>& open,
                           const SampleSize& size, std::uint64_t whole_bytes,
                           const std::stop_token& stop) {
  double share = size.share;
  if (size.bytes != 0) {
    share =
        whole_bytes == 0 ? 1.0 : static_cast<double>(size.bytes) / static_cast<double>(whole_bytes);
  }
  FileSample sample;
  sample.limit = size.bytes;
  std::array<std::byte, 4> random{};
  base::random_bytes(random);
  sample.window.position = base::ByteReader(random).u32();
  sample.window.width = std::clamp<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(std::min(share, 1.0) * static_cast<double>(kCircle))), 1,
      kCircle);
  // Of a few files perhaps none lies in the window: it grows until one does.
  for (;; sample.window.width = std::min(sample.window.width * 2, kCircle)) {
    bool any_file = false;
    const ChosenSample chosen = measured(open, sample, any_file, stop);
    if (any_file || chosen.everything) return chosen;
    if (sample.window.width == kCircle) {
      throw Error(ErrorKind::usage, fmt::format("no file is as small as {}: give --sample more",
                                                base::human_size(size.bytes)));
    }
  }
}

}  // namespace rota::recovery
