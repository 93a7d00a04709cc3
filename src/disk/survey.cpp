#include "disk/survey.h"

#include <fcntl.h>

#include <algorithm>
#include <random>
#include <span>

#include "base/file.h"
#include "base/hash.h"
#include "base/signals.h"
#include "disk/predecessors.h"
#include "disk/small_file.h"
#include "disk/tripwire.h"
#include "tree/beneath.h"
#include "tree/noise.h"
#include "tree/unchanged.h"

namespace rota::disk {

namespace {

constexpr std::uint64_t kBlock = 4096;
/// Of an entry: its line in the index and in SHA256SUMS but for the path, and its inode and name
/// where it is no link.
constexpr std::uint64_t kLineBytes = 60 + 67;
constexpr std::uint64_t kInodeBytes = 512;
/// Index, SHA256SUMS, COPY.json and the directories that hold them.
constexpr std::uint64_t kCopyBytes = 64 << 10;

std::uint64_t in_blocks(std::uint64_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

class Draw {
 public:
  explicit Draw(Sample& sample) : sample_(sample) {
    std::uint64_t seed = 0;
    base::random_bytes(std::as_writable_bytes(std::span(&seed, 1)));
    random_.seed(seed);
  }

  void add(const tree::Entry& entry, const tree::Known& known) {
    const std::uint64_t number = sample_.of++;
    std::size_t place = sample_.files.size();
    if (place == Sample::kMost) {
      const std::uint64_t drawn = std::uniform_int_distribution<std::uint64_t>(0, number)(random_);
      if (drawn >= Sample::kMost) return;
      place = static_cast<std::size_t>(drawn);
    } else {
      sample_.files.emplace_back();
    }
    sample_.files[place] = {entry, known.entry.size, known.noise};
  }

 private:
  Sample& sample_;
  std::mt19937_64 random_;
};

}  // namespace

Survey survey(tree::Source& source, int root, const std::string& server, base::Progress& progress,
              const std::stop_token& stop) {
  Survey result;
  result.bytes_needed = kCopyBytes;
  ChangeCounter counter;
  Draw draw(result.sample);
  base::CollectedWarnings told_later;  // the copy itself says what is wrong with earlier ones
  const base::Fd directory = open_server(root, server);
  std::optional<Predecessors> earlier;
  if (directory.valid()) {
    earlier.emplace(directory.get(), list_copies(directory.get(), server), counter, told_later);
  }
  tree::Placed placed;
  while (source.next(placed.entry)) {
    base::check_stop(stop);
    const tree::Entry& entry = placed.entry;
    ++result.entries;
    ++progress.files;
    placed.before.reset();
    bool written = true;
    for (std::size_t i = 0; !entry.is_directory() && earlier && i < earlier->trees.size(); ++i) {
      const tree::Known* known = earlier->trees[i]->find(entry.path);
      if (known == nullptr) continue;
      const bool same = !known->racy && tree::is_unchanged(entry, known->entry);
      if (same && !known->distrusted) written = false;
      if (i == 0 && earlier->has_sealed) {
        placed.before = tree::Before{known->entry.kind, known->entry.size, true, same, same};
        if (!same && entry.is_file() && known->entry.is_file()) {
          draw.add(entry, *known);
        }
      }
    }
    counter.now(placed);
    result.bytes_needed += kLineBytes + 2 * entry.path.size();
    if (entry.is_directory()) result.bytes_needed += kBlock + kInodeBytes;
    if (entry.kind == tree::EntryKind::hard_link || entry.is_directory() || !written) continue;
    result.bytes_needed += kInodeBytes + in_blocks(entry.size);
  }
  if (earlier && earlier->has_sealed) earlier->trees.front()->finish();
  result.changes = counter.summary();
  return result;
}

namespace {

/// The first bytes of a file, with holes as zeros; nothing when it vanished or cannot be read.
std::optional<std::size_t> read_beginning(tree::Source& source, tree::Entry& entry,
                                          std::span<std::byte> buffer) {
  const std::unique_ptr<tree::Content> content = source.open(entry);
  if (!content) return std::nullopt;
  std::size_t filled = 0;
  while (const auto segment = content->next_segment()) {
    if (segment->hole) {
      const auto hole = std::min<std::uint64_t>(segment->length, buffer.size() - filled);
      const auto zeros = buffer.subspan(filled, static_cast<std::size_t>(hole));
      std::ranges::fill(zeros, std::byte{0});
      filled += zeros.size();
    }
    while (!segment->hole && filled < buffer.size()) {
      const std::size_t n = content->read(buffer.subspan(filled));
      if (n == 0) break;
      filled += n;
    }
    if (filled == buffer.size()) break;
  }
  return filled;
}

/// Whether the file in an earlier copy has these first bytes. One that cannot be read has none:
/// what is wrong with it is a scrub's to tell.
bool begins_with(int tree, const std::string& path, std::span<const std::byte> beginning,
                 std::span<std::byte> buffer) {
  try {
    const base::Fd file = tree::open_beneath(tree, path, O_RDONLY | O_NONBLOCK);
    if (!file.valid()) return false;
    const std::size_t n = base::read_at(file.get(), buffer, 0, path);
    return std::ranges::equal(beginning, buffer.first(n));
  } catch (const base::FileError&) {
    return false;
  }
}

}  // namespace

void read_sample(tree::Source& source, int root, const std::string& server, Sample& sample,
                 const std::stop_token& stop) {
  const auto newest = newest_sealed(list_copies(root), server);
  if (!newest) return;
  const base::Fd copy = open_copy(root, server, newest->directory);
  const base::Fd tree = open_directory(copy.get(), kTree);
  std::vector<std::byte> now(Sample::kBytes);
  std::vector<std::byte> before(Sample::kBytes);
  for (Sample::File& file : sample.files) {
    base::check_stop(stop);
    const auto read = read_beginning(source, file.entry, now);
    if (!read) continue;
    ++sample.looked_at;
    const auto beginning = std::span<const std::byte>(now).first(*read);
    if (file.entry.size == file.size_before &&
        begins_with(tree.get(), file.entry.path, beginning, before)) {
      ++sample.same;
      continue;
    }
    const std::uint64_t smaller = std::min(file.entry.size, file.size_before);
    if (file.noise_before || smaller < tree::NoiseMeter::kLeast) continue;
    ++sample.plain;
    tree::NoiseMeter meter;
    meter.add(beginning);
    if (meter.is_noise()) sample.became_noise.add(file.entry.path, file.entry.size);
  }
}

ChangeSummary estimate(const Survey& survey) {
  ChangeSummary changes = survey.changes;
  const Sample& sample = survey.sample;
  if (sample.looked_at == 0) return changes;
  const double each = static_cast<double>(sample.of) / static_cast<double>(sample.looked_at);
  const auto all = [&](std::uint64_t part) {
    return static_cast<std::uint64_t>(static_cast<double>(part) * each + 0.5);
  };
  const std::uint64_t same = std::min(all(sample.same), changes.changed.count);
  changes.changed.count -= same;
  changes.touched.count += same;
  changes.plain_before = all(sample.plain);
  // One file in a sample stands for many, and proves nothing of them.
  const bool tells = sample.looked_at == sample.of || sample.became_noise.count >= kFewEntries / 2;
  changes.became_noise = sample.became_noise;
  changes.became_noise.count = tells ? all(sample.became_noise.count) : 0;
  return changes;
}

}  // namespace rota::disk
