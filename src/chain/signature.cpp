#include "chain/signature.h"

#include <fmt/core.h>
#include <librsync.h>

#include <algorithm>

#include "base/error.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kStrongSum = 16;
constexpr std::size_t kOut = 64 << 10;

[[noreturn]] void fail(const char* doing, rs_result result) {
  throw Error(result == RS_MEM_ERROR ? ErrorKind::io : ErrorKind::corrupt,
              fmt::format("cannot {}: {}", doing, rs_strerror(result)));
}

/// librsync prints what it thinks of a stream; here every error is thrown.
void silence() {
  static const bool done = (rs_trace_set_level(RS_LOG_EMERG), true);
  static_cast<void>(done);
}

/// 512 bytes, and for files whose signature would pass kMaxSignature the next multiple that fits.
std::size_t block_size(std::uint64_t size) {
  constexpr std::uint64_t kMaxBlocks = kMaxSignature / (kStrongSum + 4);
  const std::uint64_t needed = (size + kMaxBlocks - 1) / kMaxBlocks;
  return std::max<std::size_t>(kBlock,
                               static_cast<std::size_t>((needed + kBlock - 1) / kBlock * kBlock));
}

/// Drives a job over `data`; calls `emit` with whatever it puts out.
template <typename Emit>
void drive(rs_job* job, std::span<const std::byte> data, bool end, base::Bytes& out,
           const char* doing, Emit emit) {
  rs_buffers_t buffers{};
  buffers.next_in = const_cast<char*>(reinterpret_cast<const char*>(data.data()));
  buffers.avail_in = data.size();
  buffers.eof_in = end ? 1 : 0;
  for (;;) {
    buffers.next_out = reinterpret_cast<char*>(out.data());
    buffers.avail_out = out.size();
    const rs_result result = rs_job_iter(job, &buffers);
    const std::size_t made = out.size() - buffers.avail_out;
    if (made > 0) emit(std::span<const std::byte>(out).first(made));
    if (result == RS_DONE) return;
    if (result != RS_BLOCKED) fail(doing, result);
    if (buffers.avail_in == 0 && made == 0 && !end) return;
    if (buffers.avail_in == 0 && made == 0 && end) fail(doing, RS_INTERNAL_ERROR);
  }
}

}  // namespace

void SignatureBuilder::Free::operator()(rs_job* job) const { rs_job_free(job); }

SignatureBuilder::SignatureBuilder(std::uint64_t size)
    : job_(rs_sig_begin(block_size(size), kStrongSum, RS_RK_BLAKE2_SIG_MAGIC)) {
  silence();
}

void SignatureBuilder::iterate(std::span<const std::byte> data, bool end) {
  base::Bytes room(std::min<std::size_t>(kOut, 512 + data.size() / 16));
  drive(job_.get(), data, end, room, "compute a signature", [&](std::span<const std::byte> made) {
    out_.insert(out_.end(), made.begin(), made.end());
  });
}

void SignatureBuilder::update(std::span<const std::byte> data) {
  if (!data.empty()) iterate(data, false);
}

base::Bytes SignatureBuilder::finish() {
  iterate({}, true);
  return std::move(out_);
}

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

void DeltaParser::finish() const {
  if (!ended_ || literal_left_ > 0 || !partial_.empty()) {
    throw Error(ErrorKind::corrupt, "librsync made a delta that breaks off");
  }
}

void Matcher::FreeJob::operator()(rs_job* job) const { rs_job_free(job); }
void Matcher::FreeSignature::operator()(rs_signature* signature) const {
  rs_free_sumset(signature);
}

Matcher::Matcher(const ReadSignature& read, std::uint64_t old_size, DeltaSink& sink)
    : parser_(old_size, sink), out_(kOut) {
  silence();
  rs_signature_t* loaded = nullptr;
  {
    const std::unique_ptr<rs_job, FreeJob> load(rs_loadsig_begin(&loaded));
    try {
      for (base::Bytes piece = read(); !piece.empty(); piece = read()) {
        drive(load.get(), piece, false, out_, "read a signature", [](auto) {});
      }
      drive(load.get(), {}, true, out_, "read a signature", [](auto) {});
    } catch (...) {
      rs_free_sumset(loaded);
      throw;
    }
  }
  signature_.reset(loaded);
  if (const rs_result result = rs_build_hash_table(loaded); result != RS_DONE) {
    fail("read a signature", result);
  }
  job_.reset(rs_delta_begin(loaded));
}

Matcher::Matcher(std::span<const std::byte> signature, std::uint64_t old_size, DeltaSink& sink)
    : Matcher(
          [&signature] {
            base::Bytes piece(signature.begin(), signature.end());
            signature = {};
            return piece;
          },
          old_size, sink) {}

Matcher::~Matcher() = default;

void Matcher::iterate(std::span<const std::byte> data, bool end) {
  drive(job_.get(), data, end, out_, "compare with a signature",
        [this](std::span<const std::byte> made) { parser_.feed(made); });
}

void Matcher::update(std::span<const std::byte> data) {
  if (!data.empty()) iterate(data, false);
}

void Matcher::finish() {
  iterate({}, true);
  parser_.finish();
}

}  // namespace rota::chain
