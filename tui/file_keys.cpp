#include <algorithm>

#include "tui/key_parts.h"
#include "tui/view_parts.h"

namespace rota::tui {

namespace {

Wish list(State& state, const std::string& path) {
  want(state.browser, path);
  Wish wish;
  wish.kind = Wish::Kind::list;
  return wish;
}

Wish open_selected(State& state) {
  if (state.browser.open.empty()) return {};
  const Directory& directory = state.browser.open.back();
  if (directory.item >= directory.rows.size()) return {};
  const FileRow& row = directory.rows[directory.item];
  if (row.kind == 'd') return list(state, path_in(directory, row));
  state.message = "It is no directory; f restores it.";
  return {};
}

/// Where one came from is still known.
void up(State& state) {
  Browser& browser = state.browser;
  const bool waits = !browser.wanted.empty();
  browser.wanted.clear();
  if ((waits || !browser.problem.empty()) && !browser.open.empty()) {
    browser.problem.clear();  // back to what was asked from
  } else if (browser.open.size() > 1) {
    browser.open.pop_back();
  } else {
    state.pages.pop_back();
  }
}

void restore_selected(State& state, const Model& model) {
  if (state.browser.open.empty()) return;
  const Directory& directory = state.browser.open.back();
  if (directory.item >= directory.rows.size()) return;
  const std::string path = original(path_in(directory, directory.rows[directory.item]));
  restore_from(state, model, state.browser.subject);
  for (std::size_t i = 0; i < state.fields.size(); ++i) {
    if (state.fields[i].question != question_of("PATH")) continue;
    state.fields[i].answer = path;
    state.field = i + 1;
  }
}

void move_to(State& state, std::int64_t item, int rows) {
  if (state.browser.open.empty()) return;
  Directory& directory = state.browser.open.back();
  const auto last = static_cast<std::int64_t>(directory.rows.size()) - 1;
  directory.item =
      static_cast<std::size_t>(std::clamp<std::int64_t>(item, 0, std::max<std::int64_t>(last, 0)));
  directory.first = first_file(directory, rows);
}

}  // namespace

void restore_from(State& state, const Model& model, const Subject& subject) {
  begin_act(state, model, subject.disk.empty() ? restore_run() : restore_copy(), subject);
}

Wish browse(State& state, const Subject& subject) {
  state.browser = Browser{};
  state.browser.subject = subject;
  open_page(state, Page::files);
  return list(state, "");
}

std::optional<Wish> handle_files(State& state, const Model& model, const Key& key, int rows) {
  const Directory* directory = state.browser.open.empty() ? nullptr : &state.browser.open.back();
  const auto item = static_cast<std::int64_t>(directory != nullptr ? directory->item : 0);
  const auto last = static_cast<std::int64_t>(directory != nullptr ? directory->rows.size() : 0);
  const auto letter = [&](char c) { return key.code == KeyCode::text && key.text[0] == c; };
  if (key.code == KeyCode::up || key.code == KeyCode::wheel_up || letter('k')) {
    move_to(state, item - 1, rows);
  } else if (key.code == KeyCode::down || key.code == KeyCode::wheel_down || letter('j')) {
    move_to(state, item + 1, rows);
  } else if (key.code == KeyCode::page_up) {
    move_to(state, item - shown_files(rows), rows);
  } else if (key.code == KeyCode::page_down) {
    move_to(state, item + shown_files(rows), rows);
  } else if (key.code == KeyCode::home || letter('g')) {
    move_to(state, 0, rows);
  } else if (key.code == KeyCode::end || letter('G')) {
    move_to(state, last, rows);
  } else if (key.code == KeyCode::enter || key.code == KeyCode::right || letter('l')) {
    return open_selected(state);
  } else if (key.code == KeyCode::left || key.code == KeyCode::backspace || letter('h')) {
    up(state);
  } else if (letter('f')) {
    restore_selected(state, model);
  } else if (key.code == KeyCode::click) {
    const auto file = file_at(state, rows, key.row);
    if (file && *file == directory->item) return open_selected(state);
    if (file) move_to(state, static_cast<std::int64_t>(*file), rows);
  } else {
    return std::nullopt;
  }
  return Wish{};
}

void search_files(State& state, const std::string& wanted) {
  if (state.browser.open.empty()) return;
  Directory& directory = state.browser.open.back();
  const std::size_t count = directory.rows.size();
  for (std::size_t i = 1; i <= count; ++i) {
    const std::size_t at = (directory.item + i) % count;
    if (lower(directory.rows[at].name).find(wanted) == std::string::npos) continue;
    directory.item = at;  // the view brings it into sight
    return;
  }
  state.message = "\"" + state.search + "\" is not here.";
}

}  // namespace rota::tui
