#include <fmt/core.h>
#include <sys/stat.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "base/error.h"
#include "base/text.h"
#include "disk/copy_index.h"
#include "disk/copy_index_format.h"

namespace rota::disk {

using base::Error;
using base::ErrorKind;

CopyIndexReader::CopyIndexReader(base::Fd file, Extent extent, std::string shown)
    : file_(std::move(file)), shown_(std::move(shown)), whole_(extent == Extent::whole) {
  struct stat st {};
  if (::fstat(file_.get(), &st) != 0) base::throw_os("cannot read", shown_, errno);
  if (!S_ISREG(st.st_mode)) damaged("it is no file");
  end_ = static_cast<std::uint64_t>(st.st_size);
  if (end_ < 16 && !whole_) {
    ended_ = true;  // the attempt came no further
    return;
  }
  const base::Bytes header = read(16);
  base::ByteReader in(header);
  if (in.u32() != kSkippable || in.u32() != 8 || in.u8() != kHeaderFrame ||
      base::as_text(in.raw(4)) != kMagic) {
    damaged("it does not begin like one");
  }
  const unsigned version = in.u8();
  if (version > kIndexVersion) {
    throw Error(ErrorKind::config,
                fmt::format("the index {} has format version {}, and this rota knows version {}; "
                            "install a newer rota",
                            base::printable(shown_), version, kIndexVersion));
  }
  if (version != kIndexVersion || in.u8() != 0 || in.u8() != 0) damaged("its header is wrong");
  if (!whole_) find_last_mark();
}

void CopyIndexReader::damaged(const std::string& how) const {
  throw Error(ErrorKind::corrupt,
              fmt::format("the index {} is damaged: {}", base::printable(shown_), how));
}

base::Bytes CopyIndexReader::read(std::uint64_t size) {
  if (size > end_ - at_) damaged("it breaks off");
  base::Bytes bytes(static_cast<std::size_t>(size));
  if (base::read_at(file_.get(), bytes, at_, shown_) != size) damaged("it breaks off");
  at_ += size;
  return bytes;
}

/// Nothing where the file ends.
std::optional<CopyIndexReader::Frame> CopyIndexReader::read_frame() {
  if (at_ == end_) return std::nullopt;
  const base::Bytes bytes = read(17);
  base::ByteReader in(bytes);
  if (in.u32() != kSkippable || in.u32() != 9) damaged("something foreign stands in it");
  Frame frame;
  frame.type = static_cast<char>(in.u8());
  if (frame.type == kBlockFrame) {
    frame.packed = in.u32();
    frame.unpacked = in.u32();
    if (frame.unpacked == 0 || frame.unpacked > CopyIndexWriter::kMaxBlock ||
        frame.packed > ZSTD_compressBound(CopyIndexWriter::kMaxBlock)) {
      damaged("a block has an impossible size");
    }
  } else if (frame.type == kMarkFrame || frame.type == kEndFrame) {
    frame.number = in.u64();
  } else {
    damaged("something foreign stands in it");
  }
  return frame;
}

/// What an interrupted attempt wrote behind its last mark may be anything, and may speak of files
/// that never came to the medium.
void CopyIndexReader::find_last_mark() {
  const std::uint64_t start = at_;
  const std::uint64_t size = end_;
  std::uint64_t last = start;
  try {
    while (const auto frame = read_frame()) {
      if (frame->type != kBlockFrame) {
        last = at_;
      } else if (frame->packed > end_ - at_) {
        break;
      } else {
        at_ += frame->packed;
      }
      if (frame->type == kEndFrame) break;
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt) throw;
  }
  at_ = start;
  end_ = std::min(last, size);
}

/// Makes the next block the one that is read. False at the end.
bool CopyIndexReader::fill() {
  while (!ended_) {
    const auto frame = read_frame();
    if (!frame) {
      if (whole_) damaged("its end is missing");
      ended_ = true;
    } else if (frame->type == kBlockFrame) {
      unpack(*frame);
      return true;
    } else if (frame->number != entries_) {
      damaged("entries are missing from it");
    } else if (frame->type == kEndFrame) {
      if (at_ != end_) damaged("something stands behind its end");
      ended_ = true;
    }
  }
  return false;
}

void CopyIndexReader::unpack(const Frame& frame) {
  const base::Bytes packed = read(frame.packed);
  if (ZSTD_findFrameCompressedSize(packed.data(), packed.size()) != packed.size()) {
    damaged("a block is not what was written");
  }
  block_.resize(frame.unpacked);
  const std::size_t size =
      ZSTD_decompress(block_.data(), block_.size(), packed.data(), packed.size());
  if (size != block_.size()) damaged("a block is not what was written");
  taken_ = 0;
  decoder_ = tree::EntryDecoder();
}

bool CopyIndexReader::next(CopyEntry& entry) {
  if (taken_ == block_.size() && !fill()) return false;
  const auto bad = [](const char* how) { throw Error(ErrorKind::corrupt, how); };
  try {
    base::ByteReader in(std::span<const std::byte>(block_).subspan(taken_));
    entry = CopyEntry();
    entry.entry.path = decoder_.path(in);
    tree::check_path(entry.entry.path);
    const unsigned head = in.u8();
    if ((head & tree::kCallersFlags & ~kRacy) != 0) bad("an entry has unknown flags");
    entry.racy = (head & kRacy) != 0;
    decoder_.entry(in, head, entry.entry);
    const unsigned flags = in.u8();
    if ((flags & ~(kLinked | kNoise)) != 0) bad("an entry has unknown flags");
    entry.noise = (flags & kNoise) != 0;
    if ((flags & kLinked) != 0) {
      entry.born = static_cast<std::int64_t>(in.varint_max(INT64_MAX));
      if (entry.born == 0) bad("an entry is linked to nothing");
    }
    taken_ = block_.size() - in.left();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt) throw;
    damaged(error.what());
  }
  const tree::Entry& read = entry.entry;
  if ((entries_ == 0) != read.path.empty() || (entries_ == 0 && !read.is_directory()) ||
      (entries_ > 0 && tree::compare_paths(last_, read.path) >= 0)) {
    damaged("its entries are not in order");
  }
  last_ = read.path;
  ++entries_;
  return true;
}

}  // namespace rota::disk
