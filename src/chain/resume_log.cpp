#include "chain/resume_log.h"

#include <algorithm>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/hash.h"
#include "store/store.h"
#include "tree/entry.h"

namespace rota::chain {

using base::Error;
using base::ErrorKind;

namespace {

/// Notes: u8 type, u32 length, 8 bytes of the payload's SHA-256, payload.
constexpr char kEntries = 'E';  ///< varint count, varint volumes that it needs, a packed block
constexpr char kFrames = 'F';   ///< hash, u32 volume, u32 frame, u32 size, each
constexpr char kVolume = 'V';   ///< u32 number, u64 size, 32 bytes SHA-256, string store's hash
constexpr std::size_t kSum = 8;
constexpr std::size_t kHead = 1 + 4 + kSum;
constexpr std::size_t kMaxNote = 64 << 20;
constexpr int kLevel = 1;

std::string new_path(const std::string& path) { return path + ".new"; }

std::array<std::byte, kSum> sum_of(const base::Bytes& payload) {
  std::array<std::byte, kSum> sum{};
  const base::Sha256Digest digest = base::sha256(payload);
  std::copy_n(digest.begin(), kSum, sum.begin());
  return sum;
}

base::Bytes note(char type, const base::Bytes& payload) {
  base::Bytes bytes;
  base::ByteWriter out(bytes);
  out.u8(static_cast<std::uint8_t>(type));
  out.u32(static_cast<std::uint32_t>(payload.size()));
  out.raw(sum_of(payload));
  out.raw(payload);
  return bytes;
}

struct Note {
  char type = 0;
  base::Bytes payload;
};

/// Notes one after another, up to the first that is torn.
class NoteReader {
 public:
  explicit NoteReader(const std::string& path) : path_(path) {
    if (base::exists(path)) fd_ = base::open_for_reading(path);
  }
  std::optional<Note> next() {
    if (!fd_.valid()) return std::nullopt;
    base::Bytes head(kHead);
    if (base::read_at(fd_.get(), head, at_, path_) != head.size()) return std::nullopt;
    base::ByteReader in(head);
    Note note;
    note.type = static_cast<char>(in.u8());
    const std::uint32_t size = in.u32();
    if (size > kMaxNote) return std::nullopt;
    note.payload.resize(size);
    if (base::read_at(fd_.get(), note.payload, at_ + kHead, path_) != size) return std::nullopt;
    if (!std::ranges::equal(sum_of(note.payload), in.raw(kSum))) return std::nullopt;
    at_ += kHead + size;
    return note;
  }

 private:
  std::string path_;
  base::Fd fd_;
  std::uint64_t at_ = 0;
};

ObjectRow read_volume(const base::Bytes& payload) {
  base::ByteReader in(payload);
  ObjectRow row;
  row.type = ObjectType::volume;
  row.number = in.u32();
  row.size = in.u64();
  std::ranges::copy(in.raw(row.sha256.size()), row.sha256.begin());
  row.store_hash = in.string(256);
  return row;
}

base::Bytes write_volume(const ObjectRow& row) {
  base::Bytes payload;
  base::ByteWriter out(payload);
  out.u32(row.number);
  out.u64(row.size);
  out.raw(row.sha256);
  out.string(row.store_hash);
  return payload;
}

base::Bytes write_frames(const std::vector<std::pair<FrameHash, FramePlace>>& frames) {
  base::Bytes payload;
  base::ByteWriter out(payload);
  for (const auto& [hash, place] : frames) {
    out.raw(hash);
    out.u32(place.volume);
    out.u32(place.frame);
    out.u32(place.size);
  }
  return payload;
}

void read_frames(const base::Bytes& payload, std::map<FrameHash, FramePlace>& frames) {
  base::ByteReader in(payload);
  while (!in.at_end()) {
    FrameHash hash{};
    std::ranges::copy(in.raw(hash.size()), hash.begin());
    FramePlace place;
    place.volume = in.u32();
    place.frame = in.u32();
    place.size = in.u32();
    frames[hash] = place;
  }
}

/// The block of a note of entries; nothing when it needs a volume that is not there.
std::optional<std::span<const std::byte>> usable_block(
    const Note& note, const std::map<std::uint32_t, ObjectRow>* volumes) {
  base::ByteReader in(note.payload);
  bool there = true;
  for (std::uint64_t left = in.varint(); left > 0; --left) {
    const std::uint32_t volume = in.varint32();
    there = there && (volumes == nullptr || volumes->contains(volume));
  }
  if (!there) return std::nullopt;
  return in.raw(in.left());
}

/// The entries of the blocks that need no other volumes than those that are there.
class EntryStream {
 public:
  EntryStream(const std::string& path, const std::map<std::uint32_t, ObjectRow>* volumes)
      : notes_(path), volumes_(volumes) {}

  bool next(IndexRecord& record) {
    for (;;) {
      bool more = false;
      if (!decoder_ || !decoder_->next(record, more)) {
        if (!load()) return false;
        continue;
      }
      bool whole = true;
      while (whole && more) {
        if (!decoder_->continue_extents(record, more)) whole = load();
      }
      // Of an entry whose extents break off, because their block is lost, nothing is known.
      if (whole) return true;
    }
  }

 private:
  bool load() {
    decoder_.reset();
    while (const auto note = notes_.next()) {
      if (note->type != kEntries) continue;
      const auto block = usable_block(*note, volumes_);
      if (!block) continue;
      decoder_.emplace(unpack(*block, kMaxBlock));
      return true;
    }
    return false;
  }

  NoteReader notes_;
  const std::map<std::uint32_t, ObjectRow>* volumes_;
  std::optional<BlockDecoder> decoder_;
};

}  // namespace

ResumeLog::ResumeLog(std::string path, std::uint32_t run, base::FileOps& files)
    : path_(new_path(path)), run_(run), files_(files) {
  files_.unlink(path_);
  fd_ = files_.create(path_, 0600);
  files_.sync_directory(base::parent_directory(path_));
}

ResumeLog::~ResumeLog() = default;

void ResumeLog::entry(const IndexRecord& record, const BlockEncoder::Resolve& resolve) {
  std::set<std::uint32_t> needed;
  for (std::size_t i = 0; record.extents && i < record.extents->size(); ++i) {
    Extent extent = record.extents->at(i);
    if (extent.pending()) extent = resolve(extent);
    if (!extent.hole() && extent.run == run_) needed.insert(extent.volume);
  }
  // Entries of other volumes are in a block of their own, so that none is lost with another's.
  if (needed != needed_) flush_block();
  needed_ = needed;
  encoder_.add(record, resolve, [&] {
    flush_block();
    needed_ = needed;
  });
  if (encoder_.full()) flush_block();
}

void ResumeLog::flush_block() {
  if (encoder_.empty()) return;
  if (!compressor_) compressor_.emplace(kLevel);
  base::Bytes payload;
  base::ByteWriter out(payload);
  out.varint(needed_.size());
  for (const std::uint32_t volume : needed_) out.varint(volume);
  out.raw(compressor_->pack(encoder_.take()));
  write(kEntries, payload);
  needed_.clear();
}

void ResumeLog::end_volume() {
  flush_block();
  if (!frames_.empty()) write(kFrames, write_frames(frames_));
  frames_.clear();
}

void ResumeLog::volume(const ObjectRow& row) {
  write(kVolume, write_volume(row));
  files_.fsync(fd_.get(), path_);
}

void ResumeLog::write(char type, const base::Bytes& payload) {
  const base::Bytes bytes = note(type, payload);
  const std::lock_guard lock(mutex_);
  files_.write_all(fd_.get(), bytes, path_);
}

void ResumeLog::remove(const std::string& path, base::FileOps& files) {
  files.unlink(path);
  files.unlink(new_path(path));
}

namespace {

void gather_volumes(const std::string& path, const std::function<bool(const ObjectRow&)>& there,
                    Resumed& resumed) {
  NoteReader notes(path);
  while (const auto note = notes.next()) {
    if (note->type != kVolume) continue;
    ObjectRow row = read_volume(note->payload);
    resumed.next_volume = std::max(resumed.next_volume, row.number + 1);
    if (there(row)) resumed.volumes[row.number] = std::move(row);
  }
}

/// The frames behind the last entries that can be used: those of the file that was under way.
void gather_frames(const std::string& path, Resumed& resumed) {
  std::map<FrameHash, FramePlace> frames;
  NoteReader notes(path);
  while (const auto note = notes.next()) {
    if (note->type == kEntries && usable_block(*note, &resumed.volumes)) frames.clear();
    if (note->type == kFrames) read_frames(note->payload, frames);
  }
  std::erase_if(frames,
                [&](const auto& row) { return !resumed.volumes.contains(row.second.volume); });
  resumed.frames.merge(frames);
}

}  // namespace

std::optional<Resumed> read_resume_log(const std::string& path, std::uint32_t run,
                                       const std::function<bool(const ObjectRow&)>& there,
                                       base::FileOps& files) try {
  if (!base::exists(path) && !base::exists(new_path(path))) return std::nullopt;
  Resumed resumed;
  resumed.entries = path;
  for (const std::string& part : {path, new_path(path)}) gather_volumes(part, there, resumed);
  if (resumed.volumes.empty()) return std::nullopt;
  for (const std::string& part : {path, new_path(path)}) gather_frames(part, resumed);

  // Both streams in one, newer entries first: the run was interrupted again.
  const std::string merged = path + ".merged";
  {
    ResumeLog log(merged, run, files);
    EntryStream older(path, &resumed.volumes);
    EntryStream newer(new_path(path), &resumed.volumes);
    IndexRecord a;
    IndexRecord b;
    bool has_a = older.next(a);
    bool has_b = newer.next(b);
    while (has_a || has_b) {
      const auto order = !has_b   ? std::strong_ordering::less
                         : !has_a ? std::strong_ordering::greater
                                  : tree::compare_paths(a.entry.path, b.entry.path);
      log.entry(order < 0 ? a : b, nullptr);
      if (order <= 0) has_a = older.next(a);
      if (order >= 0) has_b = newer.next(b);
    }
    for (const auto& [hash, place] : resumed.frames) log.frame(hash, place);
    log.end_volume();
    for (const auto& [number, row] : resumed.volumes) log.volume(row);
  }
  files.rename(new_path(merged), path);
  files.unlink(new_path(path));
  files.sync_directory(base::parent_directory(path));
  return resumed;
} catch (const Error& error) {
  if (error.kind() != ErrorKind::corrupt) throw;
  return std::nullopt;
}

struct ResumedEntries::File {
  explicit File(const std::string& path) : stream(path, nullptr) {}
  EntryStream stream;
};

ResumedEntries::ResumedEntries(const std::string& path) : file_(std::make_unique<File>(path)) {}
ResumedEntries::~ResumedEntries() = default;

bool ResumedEntries::next(IndexRecord& record) try {
  return file_->stream.next(record);
} catch (const Error& error) {
  if (error.kind() != ErrorKind::corrupt) throw;
  return false;  // notes that were damaged: what is behind them is read and put again
}

}  // namespace rota::chain
