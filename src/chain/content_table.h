#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/sqlite.h"
#include "chain/record.h"
#include "chain/signature_file.h"

namespace rota::chain {

/// What this machine knows of the contents in a chain: where the index speaks of them, so that
/// equal content is stored once, and their signatures, so that a changed file needs no download.
///
/// A cache: it may be lost at any time, and costs storage then, never correctness. What it says is
/// checked where it is used (full hash in the index block, a sum over each signature), so that a
/// stale or damaged row can mislead nobody. Reading is thread safe; add() and commit() are for one
/// thread, and what was added is found from the next open() on.
///
/// On disk: SQLite, 16 bytes of each content's SHA-256 as key; signatures one after another in a
/// file beside it, whose freed stretches are given back to the disk. While a run adds to it, it may
/// take twice the cap. Memory: 4 MB of SQLite's cache and kBatch rows.
class ContentTable {
 public:
  struct Limits {
    /// Bytes of all signatures. When there are more, the oldest go.
    std::uint64_t cap = std::uint64_t{2} << 30;
    /// Where it cannot, all signatures are forgotten when their file has outgrown the cap.
    SignatureFile::Punch punch = SignatureFile::punch_hole;
  };

  /// directory: exists. A damaged table is thrown away and begun anew.
  explicit ContentTable(const std::string& directory) : ContentTable(directory, Limits()) {}
  ContentTable(const std::string& directory, Limits limits);
  ~ContentTable();

  /// False when what earlier runs added may be missing: the table was lost, or begun anew.
  bool has_all_places();
  /// The same for signatures. Those that the cap took are not missing.
  bool has_all_signatures();
  /// From the next commit on nothing is missing. What was placed until now is found at once.
  void set_whole();

  /// Where a content's entry lies: a block of the index piece that run number `run` wrote.
  struct Place {
    std::uint32_t run = 0;
    BlockRow block;  ///< without first_path
  };
  std::optional<Place> find(const base::Sha256Digest& content);
  bool has_signature(const base::Sha256Digest& content);
  /// Of a small file. Nothing when there is none, it is damaged, or it is of packed bytes without
  /// other holes (layout: HoleLayout).
  std::optional<base::Bytes> signature(const base::Sha256Digest& content, std::uint64_t layout = 0);

  /// The same for a large one, which was checked and is read where it lies: until the next
  /// commit(), and not beyond this object's end.
  std::optional<SignatureBytes> signature_reader(const base::Sha256Digest& content,
                                                 std::uint64_t layout = 0);

  /// A content whose entry will stand in the next block that placed() names. signature: empty for
  /// none.
  void add(const base::Sha256Digest& content, const base::Bytes& signature,
           std::uint64_t layout = 0);
  /// The same with a signature in a file, from its start to its end.
  void add(const base::Sha256Digest& content, const base::Fd& signature, std::uint64_t layout = 0);
  void placed(std::uint32_t run, const BlockRow& block);
  /// A signature for a content that has its place and no signature.
  void sign(const base::Sha256Digest& content, const base::Bytes& signature, std::uint64_t layout);
  void sign(const base::Sha256Digest& content, const base::Fd& signature, std::uint64_t layout);
  /// A file has another content now: the signature of this one is freed with the next commit.
  void supersede(const base::Sha256Digest& content);
  /// Makes what was added visible; without it nothing was added.
  void commit();

  static constexpr std::size_t kBatch = 32'768;

 private:
  using Key = std::array<std::byte, 16>;
  struct Row {
    Key key{};
    Place place;
    SignaturePlace signature;
    bool is_known = false;  ///< it has a place: only the signature is new
  };
  struct Open;
  template <typename Action>
  void guarded(Action action);
  void begin_anew();
  std::string path() const { return directory_ + "/content.db"; }
  SignaturePlace locate(const base::Sha256Digest& content);
  Row signed_row(const base::Sha256Digest& content, const base::Bytes& signature,
                 std::uint64_t layout);
  Row signed_row(const base::Sha256Digest& content, const base::Fd& signature,
                 std::uint64_t layout);
  void queue(Row row);
  void insert(bool commit);
  std::int64_t flags();
  void set_flags(std::int64_t flags);
  void drop_lost();
  void evict();
  void release();

  std::string directory_;
  Limits limits_;
  std::mutex mutex_;
  std::unique_ptr<Open> open_;
  SignatureFile signatures_;
  bool freed_ = false;        ///< stretches were freed since the last commit
  std::vector<Row> waiting_;  ///< for placed()
  std::vector<Key> superseded_;
  std::vector<Row> batch_;
};

}  // namespace rota::chain
