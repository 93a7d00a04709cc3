#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "chain/index_record.h"
#include "chain/record.h"

namespace rota::chain {

/// Where a frame came to lie in the run that is being written.
struct FramePlace {
  std::uint32_t volume = 0;
  std::uint32_t frame = 0;
  std::uint32_t size = 0;
};

/// The first half of a packed frame's SHA-256.
using FrameHash = std::array<std::byte, 16>;

/// Notes what an unfinished run has put into its volumes, so that it can be resumed without reading
/// or putting that again: a file that only grows, in the state directory.
///
/// It holds the entries whose content lies in volumes, in the walk's order; the frames of a large
/// file whose entry is yet to come; and a row for each volume, made durable before the volume is
/// put. So whatever volume the store shows is known here, with all that it holds. A torn end is
/// cut off: each note has a sum.
///
/// After an interruption the notes are read into `<path>` (see read_resume_log), and the resumed
/// run notes on in `<path>.new`. entry(), frame() and end_volume() are for one thread, volume() for
/// another.
///
/// Memory: a block of entries, and 28 bytes for each frame of a large file in the current volume.
class ResumeLog {
 public:
  /// run: its number; only extents of this run need its volumes.
  ResumeLog(std::string path, std::uint32_t run, base::FileOps& files);
  ~ResumeLog();

  /// A file's entry, its extents resolved by `resolve`.
  void entry(const IndexRecord& record, const BlockEncoder::Resolve& resolve);
  void frame(const FrameHash& hash, const FramePlace& place) { frames_.emplace_back(hash, place); }
  /// Before the current volume is handed on to be put.
  void end_volume();
  /// Before the volume is put.
  void volume(const ObjectRow& row);

  /// What is noted is of no use any more.
  static void remove(const std::string& path, base::FileOps& files);

 private:
  void flush_block();
  void write(char type, const base::Bytes& payload);

  std::string path_;
  std::uint32_t run_;
  base::FileOps& files_;
  std::mutex mutex_;
  base::Fd fd_;
  BlockEncoder encoder_;
  std::optional<Compressor> compressor_;
  std::set<std::uint32_t> needed_;  ///< volumes that the block's entries lie in
  std::vector<std::pair<FrameHash, FramePlace>> frames_;
};

/// What a run that is resumed has already.
struct Resumed {
  std::map<std::uint32_t, ObjectRow> volumes;  ///< those that are in the store
  std::uint32_t next_volume = 0;               ///< the first number that was never used
  std::map<FrameHash, FramePlace> frames;      ///< of the large file that was under way
  std::string entries;                         ///< path for ResumedEntries
};

/// Reads the notes at `path` of run number `run` and keeps what lies in volumes that the store has:
/// `there` says whether a volume is as its row says. Nothing when there are no notes. The notes are
/// rewritten in one atomic step, so that a run may be interrupted and resumed any number of times.
std::optional<Resumed> read_resume_log(const std::string& path, std::uint32_t run,
                                       const std::function<bool(const ObjectRow&)>& there,
                                       base::FileOps& files);

/// The entries of such notes, in the walk's order.
class ResumedEntries {
 public:
  explicit ResumedEntries(const std::string& path);
  ~ResumedEntries();
  bool next(IndexRecord& record);

 private:
  struct File;
  std::unique_ptr<File> file_;
};

}  // namespace rota::chain
