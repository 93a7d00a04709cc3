#include "tree/link_table.h"

namespace rota::tree {

namespace {

base::Database open_table() {
  base::Database database("");
  database.execute("PRAGMA cache_size = -2000");
  database.execute("PRAGMA synchronous = OFF");
  database.execute("PRAGMA journal_mode = OFF");
  database.execute("CREATE TABLE links (key BLOB PRIMARY KEY, path BLOB NOT NULL) WITHOUT ROWID");
  database.execute("BEGIN");
  return database;
}

}  // namespace

struct LinkTable::Tables {
  base::Database database = open_table();
  base::Statement find{database, "SELECT path FROM links WHERE key = ?1"};
  base::Statement add{database, "INSERT INTO links (key, path) VALUES (?1, ?2)"};
};

void LinkTable::Forget::operator()(Tables* tables) const { delete tables; }

std::optional<std::string> LinkTable::first_or_register(const std::string& group,
                                                        const std::string& path) {
  if (!tables_) tables_.reset(new Tables);
  const auto bytes = [](const std::string& text) { return std::as_bytes(std::span(text)); };
  base::Statement& find = tables_->find;
  find.bind_blob(1, bytes(group));
  if (find.step()) {
    std::string first = find.text(0);
    find.reset();
    return first;
  }
  find.reset();
  tables_->add.bind_blob(1, bytes(group)).bind_blob(2, bytes(path)).run();
  return std::nullopt;
}

}  // namespace rota::tree
