#include "chain/content_table.h"

#include <fcntl.h>
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
    " signature_at INTEGER, signature_size INTEGER, signature_sum INTEGER) WITHOUT ROWID";

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

}  // namespace

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
};

ContentTable::ContentTable(const std::string& directory) : directory_(directory) {
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

std::optional<Matcher::ReadSignature> ContentTable::signature_reader(
    const base::Sha256Digest& content, std::uint64_t layout) {
  const Stretch stretch = locate(content);
  if (stretch.size == 0) return std::nullopt;
  const auto read = [this, end = stretch.at + stretch.size, at = stretch.at]() mutable {
    base::Bytes piece(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, end - at)));
    piece.resize(base::read_at(signatures_.get(), piece, at, "signatures"));
    at += piece.size();
    return piece;
  };
  base::Sha256 hasher;
  auto check = read;
  for (base::Bytes piece = check(); !piece.empty(); piece = check()) hasher.update(piece);
  if (sum_of(hasher, content, layout) != stretch.sum) return std::nullopt;
  return read;
}

void ContentTable::append(std::span<const std::byte> data) {
  buffered_.insert(buffered_.end(), data.begin(), data.end());
  signatures_end_ += data.size();
  if (buffered_.size() < kPiece) return;
  base::real_files().write_all(signatures_.get(), buffered_, "signatures");
  buffered_.clear();
}

void ContentTable::add(const base::Sha256Digest& content, const base::Bytes& signature,
                       std::uint64_t layout) {
  Row row;
  std::ranges::copy(key_of(content), row.key.begin());
  if (!signature.empty()) {
    base::Sha256 hasher;
    hasher.update(signature);
    row.signature = {signatures_end_, signature.size(), sum_of(hasher, content, layout)};
    append(signature);
  }
  waiting_.push_back(row);
}

void ContentTable::add(const base::Sha256Digest& content, const base::Fd& signature,
                       std::uint64_t layout) {
  Row row;
  std::ranges::copy(key_of(content), row.key.begin());
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
  waiting_.push_back(row);
}

void ContentTable::placed(std::uint32_t run, const BlockRow& block) {
  for (Row& row : waiting_) {
    row.place.run = run;
    row.place.block = {block.object, block.position, block.size, ""};
    batch_.push_back(std::move(row));
  }
  waiting_.clear();
  if (batch_.size() >= kBatch) insert();
}

/// In the order of the keys, so that each page of the table is touched once a batch.
void ContentTable::insert() {
  std::ranges::sort(batch_, {}, &Row::key);
  const std::lock_guard lock(mutex_);
  guarded([&] {
    for (const Row& row : batch_) {
      open_->add.bind_blob(1, row.key)
          .bind(2, std::int64_t{row.place.run})
          .bind(3, std::int64_t{row.place.block.object})
          .bind(4, std::int64_t{row.place.block.position})
          .bind(5, std::int64_t{row.place.block.size})
          .bind(6, static_cast<std::int64_t>(row.signature.at))
          .bind(7, static_cast<std::int64_t>(row.signature.size))
          .bind(8, row.signature.sum)
          .run();
    }
  });
  batch_.clear();
}

void ContentTable::commit() {
  base::real_files().write_all(signatures_.get(), buffered_, "signatures");
  buffered_.clear();
  insert();
  const std::lock_guard lock(mutex_);
  guarded([&] { open_->database.execute("COMMIT"); });
  open_->database.execute("BEGIN");
}

}  // namespace rota::chain
