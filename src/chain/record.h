#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "chain/frame.h"
#include "chain/key.h"
#include "chain/names.h"
#include "store/store.h"

namespace rota::chain {

/// One object of a run, so that it can be checked from a listing (size, the store's own hash) and
/// from its content (SHA-256).
struct ObjectRow {
  ObjectType type = ObjectType::volume;
  std::uint32_t number = 0;
  std::uint64_t size = 0;
  base::Sha256Digest sha256{};
  std::string store_hash;  ///< in hexadecimal; empty where the store keeps none
};

/// One block of an index piece: where it lies among the piece's objects, and its first path.
struct BlockRow {
  std::uint32_t object = 0;
  std::uint32_t position = 0;
  std::uint32_t size = 0;  ///< in the store
  std::string first_path;
};

/// A sorted part of a run's index, written by `run` (its number in the chain) and covering the
/// changes of `span` runs; the full's piece covers everything.
struct Piece {
  std::uint32_t run = 0;
  std::uint32_t span = 1;
  std::uint64_t entries = 0;
  std::vector<ObjectRow> objects;
  std::vector<BlockRow> blocks;
};

/// Where the system facts of a run lie (object "f000000"): with the run of this number, which was
/// the last to find them changed.
struct Facts {
  std::uint32_t run = 0;
  base::Sha256Digest sha256{};  ///< of the text
};

/// The small object that makes a run visible: what it is, what it is made of and how to read it.
///
/// Memory: about 130 bytes for each 16 MiB stored and each 128 KiB of index; while it is written or
/// read, its text and its packed form too, 220 bytes more: 3.5 MB for 160 GB that were stored, 220
/// MB for 10 TB.
struct RunRecord {
  std::string run;
  std::string chain;
  RunKind kind = RunKind::full;
  base::Instant time{};
  std::vector<std::string> runs;  ///< names of the chain's runs up to this one, by number
  std::string parent;             ///< empty for a full
  std::optional<base::Sha256Digest> parent_sha256;  ///< of the parent's record
  std::string source;                               ///< the root of what was backed up
  std::string host;
  std::string program;       ///< "rota 0.1.0"
  std::uint64_t files = 0;   ///< entries in the tree at this run
  std::uint64_t bytes = 0;   ///< bytes of its regular files
  std::uint64_t stored = 0;  ///< bytes that this run added to the store
  std::uint64_t warnings = 0;
  store::HashKind store_hash = store::HashKind::none;
  /// Until when the store keeps the objects of this run's chain, where it locks them.
  std::optional<base::Instant> locked_until;
  std::optional<Facts> facts;
  /// Of an encrypted chain: who can open it, and the key of each of its runs, by number, wrapped
  /// for them. So who opens the newest run can open all that it needs. Empty for a chain in the
  /// clear.
  std::vector<Recipient> recipients;
  std::vector<Envelope> envelopes;
  std::vector<ObjectRow> objects;  ///< of this run, index included
  std::vector<Piece> pieces;       ///< oldest first: together the index of this run

  bool encrypted() const { return !recipients.empty(); }
  std::uint32_t number() const { return static_cast<std::uint32_t>(runs.size() - 1); }
};

/// What the lines of a record are together at most, unpacked: about 1.4 million objects, 24 TB.
inline constexpr std::size_t kMaxRecordText = 256 << 20;

/// Keeps a run from storing what its record could not name: it ends while little is lost, and not
/// when all is there. Thread safe.
class RecordRoom {
 public:
  /// source: what is backed up, for the message.
  explicit RecordRoom(std::string source, std::size_t most = kMaxRecordText)
      : source_(std::move(source)), left_(most) {}
  /// For the line of an object or a block. Throws Error(refused) when there is no room for it.
  void take(const ObjectRow& object);
  void take(const BlockRow& block);
  /// For those of a record that another one takes over.
  void take(const Piece& piece);

 private:
  void take(std::size_t bytes);

  std::string source_;
  std::atomic<std::size_t> left_;
};

/// The record's object, in the clear (encrypt_record() follows). Throws Error(usage) when a field
/// cannot be stored, and Error(refused) beyond kMaxRecordText or store::kMaxPut.
base::Bytes encode(const RunRecord& record);

/// Reads what encode() made, from bytes that nobody vouches for: throws Error(corrupt), or
/// Error(config) for a newer format.
RunRecord decode_record(std::span<const std::byte> data);

/// Any bytes as printable ASCII: "%" and everything outside 0x21–0x7e as %XX.
std::string percent_encode(std::string_view bytes);
std::string percent_decode(std::string_view text);

}  // namespace rota::chain
