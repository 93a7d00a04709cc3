#include "chain/delta.h"

#include <algorithm>

#include "base/error.h"
#include "chain/rsync_job.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

void DeltaParser::feed(std::span<const std::byte> data) {
  while (!data.empty()) {
    if (literal_left_ > 0) {
      const auto part =
          data.first(static_cast<std::size_t>(std::min<std::uint64_t>(literal_left_, data.size())));
      sink_.literal(part);
      literal_left_ -= part.size();
      data = data.subspan(part.size());
    } else if (partial_.empty() && command(data)) {
      continue;
    } else {
      // A command that the piece cuts: byte by byte until it is whole.
      partial_.push_back(data.front());
      data = data.subspan(1);
      std::span<const std::byte> whole(partial_);
      if (command(whole)) partial_.clear();
    }
  }
}

/// Takes one command from the front of `data`. False, and nothing taken, when it is not whole.
bool DeltaParser::command(std::span<const std::byte>& data) {
  const auto damaged = [] {
    throw Error(ErrorKind::corrupt, "librsync made a delta that cannot be read");
  };
  const auto number = [&](std::size_t at, std::size_t width) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      value = value << 8 | std::to_integer<std::uint64_t>(data[at + i]);
    }
    return value;
  };
  if (!begun_) {
    if (data.size() < 4) return false;
    if (number(0, 4) != RS_DELTA_MAGIC) damaged();
    begun_ = true;
    data = data.subspan(4);
    return true;
  }
  if (ended_) damaged();
  const unsigned code = std::to_integer<unsigned>(data[0]);
  std::size_t used = 1;
  if (code == 0) {
    ended_ = true;
  } else if (code <= 0x40) {
    literal_left_ = code;
  } else if (code <= 0x44) {
    const std::size_t width = std::size_t{1} << (code - 0x41);
    used = 1 + width;
    if (data.size() < used) return false;
    literal_left_ = number(1, width);
  } else if (code <= 0x54) {
    const std::size_t offset_width = std::size_t{1} << ((code - 0x45) / 4);
    const std::size_t length_width = std::size_t{1} << ((code - 0x45) % 4);
    used = 1 + offset_width + length_width;
    if (data.size() < used) return false;
    const std::uint64_t offset = number(1, offset_width);
    const std::uint64_t length = number(1 + offset_width, length_width);
    if (length == 0 || offset > old_size_ || length > old_size_ - offset) damaged();
    sink_.copy(offset, length);
  } else {
    damaged();
  }
  data = data.subspan(used);
  return true;
}

void DeltaParser::finish() {
  if (!ended_ || literal_left_ > 0 || !partial_.empty()) {
    throw Error(ErrorKind::corrupt, "librsync made a delta that breaks off");
  }
  begun_ = ended_ = false;
}

/// Only a chunk's last block may be shorter than the others, and it is found as a whole or not.
void Matcher::Places::copy(std::uint64_t offset, std::uint64_t length) {
  const auto damaged = [] {
    throw Error(ErrorKind::corrupt, "a delta copies what its signature does not have");
  };
  const std::uint64_t size = old_.shape().block;
  if (offset % size != 0) damaged();
  std::uint64_t block = first_block + offset / size;
  while (length > 0) {
    if (block >= old_.blocks()) damaged();
    const std::uint32_t index = old_.chunk_of_block(static_cast<std::uint32_t>(block));
    const OldSignature::Chunk& chunk = old_.chunk(index);
    const std::uint64_t skip = (block - chunk.first) * size;
    const std::uint64_t left = old_.length(index) - skip;
    const std::uint64_t part = std::min(length, left);
    const bool whole = part == left || part % size == 0;
    const bool goes_on = length > part;
    if (!whole || (goes_on && part % size != 0)) damaged();
    sink_.copy(chunk.offset + skip, part);
    length -= part;
    block += (part + size - 1) / size;
    next_chunk = index + 1;
  }
}

void Matcher::Places::literal(std::span<const std::byte> data) {
  literals += data.size();
  sink_.literal(data);
}

void Matcher::FreeJob::operator()(rs_job* job) const { rs_job_free(job); }
void Matcher::FreeSums::operator()(rs_signature* sums) const { rs_free_sumset(sums); }

Matcher::Matcher(const OldSignature& old, DeltaSink& sink, Limits limits)
    : old_(old),
      sink_(sink),
      limits_(limits),
      places_(old, sink),
      parser_(std::uint64_t{old.blocks()} * old.shape().block, places_),
      out_(kRsyncOut) {}

Matcher::~Matcher() = default;

/// What librsync searches the next chunk for.
void Matcher::choose_sums() {
  const std::uint32_t all = old_.blocks();
  const std::uint32_t window = limits_.window;
  if (sums_ && end_ - begin_ == all) return;
  // Windows one after another, with what they overlap, take less than twice as much as all at once.
  const bool fails =
      places_.literals >= limits_.literals + seen_ / 8 || loaded_ > std::uint64_t{3} * all;
  if (all <= window || fails) return load(0, all);
  const std::uint32_t expected = old_.chunk(places_.next_chunk).first;
  const std::uint32_t ahead = std::min(all, expected + window / 4);
  if (sums_ && begin_ <= expected && ahead <= end_) return;
  const std::uint32_t begin = std::min(expected - std::min(expected, window / 8), all - window);
  load(begin, begin + window);
}

/// The sums of these blocks, in the form of a signature of librsync.
void Matcher::load(std::uint32_t first, std::uint32_t last) {
  begin_ = places_.first_block = first;
  end_ = last;
  loaded_ += last - first;
  sums_.reset();
  constexpr std::uint32_t kAtOnce = 8192;
  const char* const doing = "read a signature";
  rs_signature_t* loaded = nullptr;
  RsyncJob job(rs_loadsig_begin(&loaded));
  sums_.reset(loaded);
  const auto feed = [&](std::span<const std::byte> data, bool end) {
    drive(job.get(), data, end, out_, doing, [](auto) {});
  };
  base::Bytes piece;
  for (const std::uint32_t number : {std::uint32_t{RS_RK_BLAKE2_SIG_MAGIC}, old_.shape().block,
                                     static_cast<std::uint32_t>(kStrongSum)}) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      piece.push_back(static_cast<std::byte>(number >> shift));
    }
  }
  feed(piece, false);
  for (std::uint32_t at = first, count = 0; at < last; at += count) {
    count = std::min(kAtOnce, last - at);
    piece.resize(std::size_t{count} * OldSignature::kBlockSum);
    old_.read_sums(at, piece);
    feed(piece, false);
  }
  feed({}, true);
  if (const rs_result result = rs_build_hash_table(loaded); result != RS_DONE) {
    fail_rsync(doing, result);
  }
}

std::optional<std::uint32_t> Matcher::chunk(const ChunkHash& hash,
                                            std::span<const std::byte> data) {
  const auto same = old_.find(hash, data.size(), places_.next_chunk);
  if (same) {
    sink_.copy(old_.chunk(*same).offset, data.size());
    places_.next_chunk = *same + 1;
    seen_ += data.size();
  } else {
    iterate(data, true);
  }
  return same;
}

void Matcher::iterate(std::span<const std::byte> data, bool end) {
  if (!job_) {
    choose_sums();
    job_.reset(rs_delta_begin(sums_.get()));
  }
  seen_ += data.size();
  drive(job_.get(), data, end, out_, "compare with a signature",
        [this](std::span<const std::byte> made) { parser_.feed(made); });
  if (!end) return;
  parser_.finish();
  job_.reset();
}

void Matcher::compare(Stretch& stretch) {
  for (Stretch::Chunk& chunk : stretch.chunks) {
    const auto data = stretch.data(chunk);
    if (stretch.hashed) {
      chunk.old = this->chunk(chunk.hash, data);
    } else {
      update(data);
      if (chunk.ends) end_chunk();
    }
  }
}

void Matcher::update(std::span<const std::byte> data) {
  if (!data.empty()) iterate(data, false);
}

void Matcher::end_chunk() {
  if (job_) iterate({}, true);
}

}  // namespace rota::chain
