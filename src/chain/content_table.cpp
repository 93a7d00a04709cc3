#include "chain/content_table.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/error.h"

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

/// What a lost run or a crash between two steps may leave unused before it is looked for.
constexpr std::uint64_t kSlack = 16 << 20;

std::uint64_t size_of(int file) {
  struct stat st {};
  return ::fstat(file, &st) == 0 ? static_cast<std::uint64_t>(st.st_size) : 0;
}

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
  base::Statement sign{database,
                       "UPDATE content SET signature_at = ?2, signature_size = ?3, "
                       "signature_sum = ?4 WHERE key = ?1 AND signature_size = 0"};
  base::Statement free{database, "UPDATE content SET signature_size = 0 WHERE key = ?1"};
};

ContentTable::ContentTable(const std::string& directory, Limits limits)
    : directory_(directory), limits_(std::move(limits)), signatures_(directory + "/signatures") {
  try {
    open_ = std::make_unique<Open>(path());
  } catch (const Error&) {
    begin_anew();
  }
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
  const auto end = static_cast<std::int64_t>(signatures_.end());
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

SignaturePlace ContentTable::locate(const base::Sha256Digest& content) {
  const std::lock_guard lock(mutex_);
  SignaturePlace place;
  guarded([&] {
    base::Statement& find = open_->find;
    find.bind_blob(1, key_of(content));
    if (find.step() && find.integer(4) >= 0 && find.integer(5) > 0) {
      place = {static_cast<std::uint64_t>(find.integer(4)),
               static_cast<std::uint64_t>(find.integer(5)), find.integer(6)};
    }
    find.reset();
  });
  return place;
}

std::optional<base::Bytes> ContentTable::signature(const base::Sha256Digest& content,
                                                   std::uint64_t layout) {
  return signatures_.read(locate(content), content, layout);
}

std::optional<SignatureBytes> ContentTable::signature_reader(const base::Sha256Digest& content,
                                                             std::uint64_t layout) {
  return signatures_.reader(locate(content), content, layout);
}

ContentTable::Row ContentTable::signed_row(const base::Sha256Digest& content,
                                           const base::Bytes& signature, std::uint64_t layout) {
  Row row;
  std::ranges::copy(key_of(content), row.key.begin());
  // More than the cap would not be kept: a full of many terabytes must not fill the disk first.
  if (signature.empty() || signatures_.appended() + signature.size() > limits_.cap) return row;
  row.signature = signatures_.append(content, layout, signature);
  return row;
}

ContentTable::Row ContentTable::signed_row(const base::Sha256Digest& content,
                                           const base::Fd& signature, std::uint64_t layout) {
  Row row;
  std::ranges::copy(key_of(content), row.key.begin());
  if (signatures_.appended() + size_of(signature.get()) > limits_.cap) return row;
  row.signature = signatures_.append(content, layout, signature);
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
  const std::uint64_t room = signatures_.room();
  base::Statement rows(open_->database,
                       "SELECT signature_at, signature_size FROM content WHERE signature_size > 0 "
                       "ORDER BY signature_at");
  base::Statement total(open_->database,
                        "SELECT sum(signature_size) FROM content WHERE signature_size > 0");
  total.step();
  const auto live = static_cast<std::uint64_t>(total.integer(0));
  total.reset();
  if (!freed_ && room <= live + live / 4 + kSlack) return;
  const auto next = [&]() -> std::optional<SignaturePlace> {
    if (!rows.step()) return std::nullopt;
    return SignaturePlace{static_cast<std::uint64_t>(rows.integer(0)),
                          static_cast<std::uint64_t>(rows.integer(1)), 0};
  };
  const bool can = signatures_.give_back_gaps(next, limits_.punch);
  rows.reset();
  if (can || room <= limits_.cap) return;
  open_->database.execute("UPDATE content SET signature_size = 0 WHERE signature_size > 0");
  open_->database.execute("COMMIT");
  open_->database.execute("BEGIN");
  signatures_.clear();
}

void ContentTable::commit() {
  signatures_.flush();
  insert(true);
  const std::lock_guard lock(mutex_);
  open_->database.execute("BEGIN");
  guarded([&] { release(); });
  freed_ = false;
  signatures_.begin_count();
}

}  // namespace rota::chain
