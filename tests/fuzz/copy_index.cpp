// The index of a copy: the file as it lies on a disk, or (first byte odd) one block's content,
// which is packed here, because mutated zstd frames would never be opened.
#include "disk/copy_index.h"

#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include <vector>

#include "disk/copy_index_format.h"
#include "fuzz/fuzz.h"

using namespace rota;

namespace {

base::Fd file_of(std::span<const std::byte> bytes) {
  base::Fd fd(::memfd_create("index", MFD_CLOEXEC));
  fuzz::require(::write(fd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
                "a file in memory can be written");
  return fd;
}

base::Bytes packed(std::span<const std::byte> block) {
  base::Bytes frame(ZSTD_compressBound(block.size()));
  frame.resize(ZSTD_compress(frame.data(), frame.size(), block.data(), block.size(), 1));
  base::Bytes bytes;
  base::ByteWriter out(bytes);
  out.u32(disk::kSkippable);
  out.u32(8);
  out.u8(disk::kHeaderFrame);
  out.raw(base::as_bytes(disk::kMagic));
  out.u8(disk::kIndexVersion);
  out.u8(0);
  out.u8(0);
  out.u32(disk::kSkippable);
  out.u32(9);
  out.u8(disk::kBlockFrame);
  out.u32(static_cast<std::uint32_t>(frame.size()));
  out.u32(static_cast<std::uint32_t>(block.size()));
  out.raw(frame);
  out.u32(disk::kSkippable);
  out.u32(9);
  out.u8(disk::kMarkFrame);
  out.u64(0);
  return bytes;
}

/// What can be read of it, up to the first damage.
std::vector<disk::CopyEntry> read(base::Fd fd, disk::CopyIndexReader::Extent extent) {
  std::vector<disk::CopyEntry> entries;
  fuzz::accepted(
      [&] {
        disk::CopyIndexReader reader(std::move(fd), extent, "index");
        disk::CopyEntry entry;
        while (reader.next(entry)) entries.push_back(entry);
      },
      {base::ErrorKind::corrupt, base::ErrorKind::config});
  return entries;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Extent = disk::CopyIndexReader::Extent;
  fuzz::Input input(data, size);
  const bool one_block = (input.number(1) & 1) != 0;
  const auto rest = input.rest();
  const auto entries =
      one_block ? read(file_of(packed(rest)), Extent::marked) : read(file_of(rest), Extent::whole);
  if (!one_block) read(file_of(rest), Extent::marked);

  // What was read can be written, and is then the same.
  base::Fd file(::memfd_create("again", MFD_CLOEXEC));
  base::Fd same(::dup(file.get()));
  disk::CopyIndexWriter writer(std::move(file), "again");
  for (const disk::CopyEntry& entry : entries) writer.add(entry);
  writer.finish();
  const auto again = read(std::move(same), Extent::whole);
  fuzz::require(again.size() == entries.size(), "an index loses no entry");
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const tree::Entry& a = entries[i].entry;
    const tree::Entry& b = again[i].entry;
    fuzz::require(a.path == b.path && a.kind == b.kind && a.digest == b.digest &&
                      a.target == b.target && a.xattrs == b.xattrs && a.ctime == b.ctime &&
                      a.inode == b.inode && a.user == b.user && a.size == b.size &&
                      entries[i].born == again[i].born && entries[i].racy == again[i].racy &&
                      entries[i].noise == again[i].noise,
                  "an entry is the same after writing and reading");
  }
  return 0;
}
