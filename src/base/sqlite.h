#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace rota::base {

class Database;

/// A prepared statement. Parameters count from 1, columns from 0, as in SQLite. Views that column
/// functions return live until the next step() or reset().
class Statement {
 public:
  Statement(Database& database, const std::string& sql);

  /// Binding copies. Throws Error(io) for a parameter that the statement does not have, and between
  /// the first step() and the next reset().
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view text);
  Statement& bind_blob(int index, std::span<const std::byte> data);
  Statement& bind_null(int index);

  /// True when a row is there. Throws Error(io), or Error(corrupt) for a damaged file.
  bool step();
  /// Runs to the end and makes the statement ready again.
  void run();
  void reset();

  std::int64_t integer(int column) const;
  std::string text(int column) const;
  std::span<const std::byte> blob(int column) const;
  bool is_null(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  void check(int code);

  Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// One SQLite database, used by one thread at a time.
class Database {
 public:
  /// path: a file; "" is a private temporary database that stays in a bounded cache and spills to
  /// a file of its own, which is gone with the object.
  explicit Database(const std::string& path);
  /// A file that nobody can change meanwhile, only to be read: on a read-only filesystem, where
  /// SQLite could not make the files that it locks with (sqlite.org/wal.html, "Read-Only
  /// Databases"). What is in a write-ahead log beside it is not seen.
  static Database immutable(const std::string& path);

  void execute(const std::string& sql);
  [[noreturn]] void fail(int code) const;
  const std::string& path() const { return path_; }
  sqlite3* handle() const { return handle_.get(); }
  std::int64_t last_rowid() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  Database(const std::string& path, const std::string& name, int flags);

  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

/// BEGIN IMMEDIATE … COMMIT. Without commit() the destructor rolls back.
class Transaction {
 public:
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace rota::base
