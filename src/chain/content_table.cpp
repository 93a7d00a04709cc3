#include "chain/content_table.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "chain/signature.h"

namespace rota::chain {

using base::Error;

namespace {

constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS content ("
    " key BLOB PRIMARY KEY, run INTEGER, object INTEGER, position INTEGER, size INTEGER,"
    " signature_at INTEGER, signature_size INTEGER, signature_sum INTEGER) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS signed ON content (signature_at, signature_size)"
    " WHERE signature_size > 0";

/// In the database's user_version, which is 0 for one that was just begun.
constexpr std::int64_t kAllPlaces = 1;
constexpr std::int64_t kAllSignatures = 2;

std::span<const std::byte> key_of(const base::Sha256Digest& content) {
  return std::span(content).first(16);
}

/// signature: all of it was hashed. A row that was damaged, or a signature that is of another
/// layout, must not pass: what is copied by it would be other bytes.
std::int64_t sum_of(base::Sha256& signature, const base::Sha256Digest& content,
                    std::uint64_t layout) {
  base::Bytes of(content.begin(), content.end());
  base::ByteWriter(of).u64(layout);
  signature.update(of);
  const base::Sha256Digest digest = signature.finish();
  std::int64_t sum = 0;
  std::memcpy(&sum, digest.data(), sizeof sum);
  return sum;
}

/// Signatures are read and written in pieces of this size.
constexpr std::size_t kPiece = 256 << 10;

/// Of a file that a packer takes whole.
constexpr std::uint64_t kMaxSmallSignature = 1 << 20;

/// Filesystems give back whole blocks only.
constexpr std::uint64_t kMinHole = 4096;

/// What a lost run or a crash between two steps may leave unused before it is looked for.
constexpr std::uint64_t kSlack = 16 << 20;

std::uint64_t size_of(int file) {
  struct stat st {};
  return ::fstat(file, &st) == 0 ? static_cast<std::uint64_t>(st.st_size) : 0;
}

std::uint64_t room_of(int file) {
  struct stat st {};
  return ::fstat(file, &st) == 0 ? static_cast<std::uint64_t>(st.st_blocks) * 512 : 0;
}

bool holds_data(int file, std::uint64_t at, std::uint64_t end) {
  const off_t data = ::lseek(file, static_cast<off_t>(at), SEEK_DATA);
  return data >= 0 && static_cast<std::uint64_t>(data) < end;
}

}  // namespace

bool ContentTable::punch_hole(int file, std::uint64_t at, std::uint64_t size) {
  return ::fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(at),
                     static_cast<off_t>(size)) == 0 ||
         (errno != EOPNOTSUPP && errno != ENOSYS);
}

struct ContentTable::Open {
  explicit Open(const std::string& path) : database(prepare(path)) {}
  static base::Database prepare(const std::string& path) {
    base::Database database(path);
    // A cache: after a power cut a damaged table is thrown away.
    database.execute("PRAGMA synchronous = OFF");
    database.execute("PRAGMA cache_size = -4000");
    database.execute(kSchema);
    database.execute("BEGIN");
    return database;
  }
  base::Database database;
  base::Statement find{database,
                       "SELECT run, object, position, size, signature_at, signature_size, "
                       "signature_sum FROM content WHERE key = ?1"};
  // Known content keeps its place; a signature is added where there was none.
  base::Statement add{database,
                      "INSERT INTO content VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) "
                      "ON CONFLICT (key) DO UPDATE SET signature_at = excluded.signature_at, "
                      "signature_size = excluded.signature_size, "
                      "signature_sum = excluded.signature_sum "
                      "WHERE signature_size = 0 AND excluded.signature_size > 0"};
  base::Statement sign{database,
                       "UPDATE content SET signature_at = ?2, signature_size = ?3, "
                       "signature_sum = ?4 WHERE key = ?1 AND signature_size = 0"};
  base::Statement free{database, "UPDATE content SET signature_size = 0 WHERE key = ?1"};
};

ContentTable::ContentTable(const std::string& directory, Limits limits)
    : directory_(directory), limits_(std::move(limits)) {
  try {
    open_ = std::make_unique<Open>(path());
  } catch (const Error&) {
    begin_anew();
  }
  const std::string signatures = directory + "/signatures";
  signatures_ = base::Fd(::open(signatures.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!signatures_.valid()) base::throw_os("cannot open", signatures, errno);
  const off_t end = ::lseek(signatures_.get(), 0, SEEK_END);
  signatures_end_ = static_cast<std::uint64_t>(std::max<off_t>(end, 0));
  guarded([this] { drop_lost(); });
}

ContentTable::~ContentTable() = default;

void ContentTable::begin_anew() {
  open_.reset();
  base::real_files().unlink(path());
  base::real_files().unlink(path() + "-journal");
  open_ = std::make_unique<Open>(path());
}

/// Damage to a page shows when it is read, and not always as damage (a column that the schema does
/// not have, a blob that is too large): after any error the action is done again with an empty
/// table. What really keeps SQLite from working then shows again.
template <typename Action>
void ContentTable::guarded(Action action) {
  try {
    return action();
  } catch (const Error&) {
    begin_anew();
  }
  action();
}

std::int64_t ContentTable::flags() {
  base::Statement version(open_->database, "PRAGMA user_version");
  version.step();
  return version.integer(0);
}

void ContentTable::set_flags(std::int64_t flags) {
  open_->database.execute("PRAGMA user_version = " + std::to_string(flags));
}

bool ContentTable::has_all_places() {
  const std::lock_guard lock(mutex_);
  bool all = false;
  guarded([&] { all = (flags() & kAllPlaces) != 0; });
  return all;
}

bool ContentTable::has_all_signatures() {
  const std::lock_guard lock(mutex_);
  bool all = false;
  guarded([&] { all = (flags() & kAllSignatures) != 0; });
  return all;
}

void ContentTable::set_whole() {
  insert(false);
  const std::lock_guard lock(mutex_);
  guarded([this] { set_flags(kAllPlaces | kAllSignatures); });
}

/// The file of signatures may have been lost, or cut, without the database.
void ContentTable::drop_lost() {
  base::Database& database = open_->database;
  base::Statement last(database,
                       "SELECT signature_at + signature_size FROM content "
                       "WHERE signature_size > 0 ORDER BY signature_at DESC LIMIT 1");
  const auto end = static_cast<std::int64_t>(signatures_end_);
  if (!last.step() || last.integer(0) <= end) return;
  last.reset();
  base::Statement(database,
                  "UPDATE content SET signature_size = 0 "
                  "WHERE signature_size > 0 AND signature_at + signature_size > ?1")
      .bind(1, end)
      .run();
  set_flags(flags() & ~kAllSignatures);
}

std::optional<ContentTable::Place> ContentTable::find(const base::Sha256Digest& content) {
  const std::lock_guard lock(mutex_);
  std::optional<Place> place;
  guarded([&] {
    base::Statement& find = open_->find;
    find.bind_blob(1, key_of(content));
    if (find.step()) {
      place.emplace();
      place->run = static_cast<std::uint32_t>(find.integer(0));
      place->block.object = static_cast<std::uint32_t>(find.integer(1));
      place->block.position = static_cast<std::uint32_t>(find.integer(2));
      place->block.size = static_cast<std::uint32_t>(find.integer(3));
    }
    find.reset();
  });
  // Nothing asks for so much memory on the word of a row that may be damaged.
  if (place && place->block.size > store::kMaxObject) return std::nullopt;
  return place;
}

bool ContentTable::has_signature(const base::Sha256Digest& content) {
  return locate(content).size > 0;
}

ContentTable::Stretch ContentTable::locate(const base::Sha256Digest& content) {
  const std::lock_guard lock(mutex_);
  Stretch stretch;
  guarded([&] {
    base::Statement& find = open_->find;
    find.bind_blob(1, key_of(content));
    if (find.step() && find.integer(4) >= 0 && find.integer(5) > 0) {
      stretch = {static_cast<std::uint64_t>(find.integer(4)),
                 static_cast<std::uint64_t>(find.integer(5)), find.integer(6)};
    }
    find.reset();
  });
  return stretch;
}

std::optional<base::Bytes> ContentTable::signature(const base::Sha256Digest& content,
                                                   std::uint64_t layout) {
  const Stretch stretch = locate(content);
  if (stretch.size == 0 || stretch.size > kMaxSmallSignature) return std::nullopt;
  base::Bytes bytes(static_cast<std::size_t>(stretch.size));
  if (base::read_at(signatures_.get(), bytes, stretch.at, "signatures") != bytes.size()) {
    return std::nullopt;
  }
  base::Sha256 hasher;
  hasher.update(bytes);
  if (sum_of(hasher, content, layout) != stretch.sum) return std::nullopt;
  return bytes;
}

std::optional<SignatureBytes> ContentTable::signature_reader(const base::Sha256Digest& content,
                                                             std::uint64_t layout) {
  const Stretch stretch = locate(content);
  if (stretch.size == 0) return std::nullopt;
  base::Sha256 hasher;
  base::Bytes piece(kPiece);
  for (std::uint64_t left = stretch.size; left > 0; left -= piece.size()) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, left)));
    const std::uint64_t at = stretch.at + stretch.size - left;
    if (base::read_at(signatures_.get(), piece, at, "signatures") != piece.size()) {
      return std::nullopt;
    }
    hasher.update(piece);
  }
  if (sum_of(hasher, content, layout) != stretch.sum) return std::nullopt;
  return SignatureBytes{
      stretch.size, [this, stretch](std::uint64_t at, std::span<std::byte> out) {
        if (at > stretch.size || out.size() > stretch.size - at ||
            base::read_at(signatures_.get(), out, stretch.at + at, "signatures") != out.size()) {
          throw Error(base::ErrorKind::corrupt, "a signature in the cache was cut short");
        }
      }};
}

void ContentTable::append(std::span<const std::byte> data) {
  buffered_.insert(buffered_.end(), data.begin(), data.end());
  signatures_end_ += data.size();
  added_ += data.size();
  if (buffered_.size() < kPiece) return;
  base::real_files().write_all(signatures_.get(), buffered_, "signatures");
  buffered_.clear();
}

ContentTable::Row ContentTable::signed_row(const base::Sha256Digest& content,
                                           const base::Bytes& signature, std::uint64_t layout) {
  Row row;
  std::ranges::copy(key_of(content), row.key.begin());
  // More than the cap would not be kept: a full of many terabytes must not fill the disk first.
  if (signature.empty() || added_ + signature.size() > limits_.cap) return row;
  base::Sha256 hasher;
  hasher.update(signature);
  row.signature = {signatures_end_, signature.size(), sum_of(hasher, content, layout)};
  append(signature);
  return row;
}

ContentTable::Row ContentTable::signed_row(const base::Sha256Digest& content,
                                           const base::Fd& signature, std::uint64_t layout) {
  Row row;
  std::ranges::copy(key_of(content), row.key.begin());
  if (added_ + size_of(signature.get()) > limits_.cap) return row;
  row.signature.at = signatures_end_;
  base::Sha256 hasher;
  base::Bytes piece(kPiece);
  while (const std::size_t n =
             base::read_at(signature.get(), piece, row.signature.size, "a temporary file")) {
    const auto part = std::span<const std::byte>(piece).first(n);
    hasher.update(part);
    append(part);
    row.signature.size += n;
  }
  row.signature.sum = sum_of(hasher, content, layout);
  return row;
}

void ContentTable::add(const base::Sha256Digest& content, const base::Bytes& signature,
                       std::uint64_t layout) {
  waiting_.push_back(signed_row(content, signature, layout));
}

void ContentTable::add(const base::Sha256Digest& content, const base::Fd& signature,
                       std::uint64_t layout) {
  waiting_.push_back(signed_row(content, signature, layout));
}

void ContentTable::sign(const base::Sha256Digest& content, const base::Bytes& signature,
                        std::uint64_t layout) {
  queue(signed_row(content, signature, layout));
}

void ContentTable::sign(const base::Sha256Digest& content, const base::Fd& signature,
                        std::uint64_t layout) {
  queue(signed_row(content, signature, layout));
}

void ContentTable::queue(Row row) {
  if (row.signature.size == 0) return;
  row.is_known = true;
  batch_.push_back(std::move(row));
  if (batch_.size() >= kBatch) insert(false);
}

void ContentTable::supersede(const base::Sha256Digest& content) {
  std::ranges::copy(key_of(content), superseded_.emplace_back().begin());
  if (superseded_.size() >= kBatch) insert(false);
}

void ContentTable::placed(std::uint32_t run, const BlockRow& block) {
  for (Row& row : waiting_) {
    row.place.run = run;
    row.place.block = {block.object, block.position, block.size, ""};
    batch_.push_back(std::move(row));
  }
  waiting_.clear();
  if (batch_.size() >= kBatch) insert(false);
}

/// In the order of the keys, so that each page of the table is touched once a batch.
void ContentTable::insert(bool commit) {
  std::ranges::sort(batch_, {}, &Row::key);
  std::ranges::sort(superseded_);
  const std::lock_guard lock(mutex_);
  guarded([&] {
    for (const Key& key : superseded_) open_->free.bind_blob(1, key).run();
    for (const Row& row : batch_) {
      const auto at = static_cast<std::int64_t>(row.signature.at);
      const auto size = static_cast<std::int64_t>(row.signature.size);
      if (row.is_known) {
        open_->sign.bind_blob(1, row.key).bind(2, at).bind(3, size).bind(4, row.signature.sum);
        open_->sign.run();
        continue;
      }
      open_->add.bind_blob(1, row.key)
          .bind(2, std::int64_t{row.place.run})
          .bind(3, std::int64_t{row.place.block.object})
          .bind(4, std::int64_t{row.place.block.position})
          .bind(5, std::int64_t{row.place.block.size})
          .bind(6, at)
          .bind(7, size)
          .bind(8, row.signature.sum)
          .run();
    }
    if (!commit) return;
    evict();
    open_->database.execute("COMMIT");
  });
  freed_ = freed_ || !superseded_.empty();
  batch_.clear();
  superseded_.clear();
}

/// The oldest signatures go until the rest is within the cap.
void ContentTable::evict() {
  base::Database& database = open_->database;
  base::Statement total(database,
                        "SELECT sum(signature_size) FROM content WHERE signature_size > 0");
  base::Statement oldest(database,
                         "SELECT key, signature_size FROM content WHERE signature_size > 0 "
                         "ORDER BY signature_at LIMIT ?1");
  total.step();
  auto live = static_cast<std::uint64_t>(total.integer(0));
  total.reset();
  while (live > limits_.cap) {
    std::vector<Key> keys;
    oldest.bind(1, std::int64_t{kBatch});
    while (live > limits_.cap && oldest.step()) {
      std::ranges::copy(oldest.blob(0).first(std::min<std::size_t>(oldest.blob(0).size(), 16)),
                        keys.emplace_back().begin());
      live -= std::min(live, static_cast<std::uint64_t>(oldest.integer(1)));
    }
    oldest.reset();
    if (keys.empty()) return;
    for (const Key& key : keys) open_->free.bind_blob(1, key).run();
    freed_ = true;
  }
}

/// Gives the room between the signatures back, after the commit that freed it: before it, a crash
/// would leave rows whose signatures are gone.
void ContentTable::release() {
  const std::uint64_t room = room_of(signatures_.get());
  base::Statement rows(open_->database,
                       "SELECT signature_at, signature_size FROM content WHERE signature_size > 0 "
                       "ORDER BY signature_at");
  base::Statement total(open_->database,
                        "SELECT sum(signature_size) FROM content WHERE signature_size > 0");
  total.step();
  const auto live = static_cast<std::uint64_t>(total.integer(0));
  total.reset();
  if (!freed_ && room <= live + live / 4 + kSlack) return;
  bool can = true;
  std::uint64_t end = 0;  // of what is in use so far
  const auto punch = [&](std::uint64_t to) {
    if (!can || to < end + kMinHole || !holds_data(signatures_.get(), end, to)) return;
    can = limits_.punch(signatures_.get(), end, to - end);
  };
  while (rows.step()) {
    const auto at = static_cast<std::uint64_t>(rows.integer(0));
    punch(std::min(at, signatures_end_));
    end = std::max(end, at + static_cast<std::uint64_t>(rows.integer(1)));
  }
  rows.reset();
  punch(signatures_end_);
  if (can || room <= limits_.cap) return;
  open_->database.execute("UPDATE content SET signature_size = 0 WHERE signature_size > 0");
  open_->database.execute("COMMIT");
  open_->database.execute("BEGIN");
  if (::ftruncate(signatures_.get(), 0) == 0) signatures_end_ = 0;
}

void ContentTable::commit() {
  base::real_files().write_all(signatures_.get(), buffered_, "signatures");
  buffered_.clear();
  insert(true);
  const std::lock_guard lock(mutex_);
  open_->database.execute("BEGIN");
  guarded([&] { release(); });
  freed_ = false;
  added_ = 0;
}

}  // namespace rota::chain
