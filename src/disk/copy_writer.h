#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/progress.h"
#include "base/time.h"
#include "disk/changes.h"
#include "disk/copy_record.h"
#include "tree/sink.h"

namespace rota::disk {

/// What a copy is to be.
struct CopyPlan {
  std::string server;
  base::Instant time{};  ///< of the snapshot; no sealed copy of the server has it yet
  std::string source;    ///< in words, for COPY.json
  std::string host;
  std::string program;
};

struct CopySummary {
  std::string directory;  ///< "<snapshot>.partial", to be verified and sealed
  CopyRecord record;      ///< as in COPY.json
  ChangeSummary changes;  ///< against the newest sealed copy
  /// Entries that were taken over from an attempt that was interrupted. They count as new: nothing
  /// read them back from the medium yet.
  std::uint64_t resumed = 0;
  std::uint64_t resumed_bytes = 0;
};

/// Writes one copy of a server below a disk's root directory, as "<snapshot>.partial".
///
/// What did not change since the newest sealed copy becomes a hard link to it, what an interrupted
/// attempt has already written is taken over from its ".partial", and all else is written. Each
/// half a minute or GiB what is there is made durable and noted in the index, so that an attempt
/// that ends without warning loses no more than that. Leftovers of earlier attempts go when the new
/// copy is complete.
///
/// Memory: TreeWriter's 4 + 4 batches (4 MiB of file content each is never held, only names) and
/// buffers, index blocks (1 MB), three streams of earlier indexes (1 MB each), SQLite for hard
/// links (2 × 2 MB), names of directories (6 MB): about 40 MB with the program.
class CopyWriter final : public tree::Sink {
 public:
  /// root: the disk's root directory, open for reading; stays the caller's and open.
  CopyWriter(int root, CopyPlan plan, base::Clock& clock, base::Warnings& warnings,
             base::Progress& progress, std::stop_token stop);
  ~CopyWriter() override;

  /// Writes the copy and makes it durable, COPY.json last. Throws Error(refused) when a sealed copy
  /// of that time is there; FileError (its number says ENOSPC, EROFS, EIO), Error(interrupted).
  /// Then the ".partial" is what the next attempt begins with.
  void consume(tree::Source& source) override;

  /// After consume().
  const CopySummary& summary() const;

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace rota::disk
