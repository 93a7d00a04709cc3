#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "tui/key_parts.h"
#include "tui/views.h"

namespace rota::tui {

namespace {

constexpr std::size_t kMostAnswer = 1'000;

Wish finish(State& state) {
  for (std::size_t i = 0; i < state.fields.size(); ++i) {
    if (state.fields[i].required && state.fields[i].answer.empty()) {
      state.field = i;
      state.message = state.fields[i].question + "? This must be said.";
      return {};
    }
  }
  Wish wish;
  if (state.act->words.empty()) {
    wish.kind = Wish::Kind::stop;
    wish.disk = state.subject.disk;
    wish.server = state.subject.profile;
    return wish;
  }
  std::vector<std::string> answers;
  std::size_t next = 0;
  for (const char* word : state.act->words) {
    if (question_of(word) == nullptr) continue;
    answers.push_back(state.fields[next].answer);
    if (std::string_view(word) == "BY" && !answers.back().empty()) state.by = answers.back();
    ++next;
  }
  wish.kind = Wish::Kind::run;
  wish.arguments = arguments(*state.act, state.subject, answers);
  state.pages.back() = Page::result;
  state.done = state.act;
  state.done_with = state.subject;
  ++state.done_number;
  state.busy = true;
  state.result.clear();
  state.scroll = 0;
  return wish;
}

bool found_in(const DiskModel& disk, const std::string& wanted) {
  const rotation::DiskStatus& status = disk.status;
  std::string all = status.label + " " + status.word + " " + status.place + " " + status.by + " " +
                    disk.rows.disk.serial + " " + disk.rows.disk.model;
  for (const std::string& server : disk.servers) all += " " + server;
  return lower(all).find(wanted) != std::string::npos;
}

}  // namespace

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

void erase_last(std::string& text) {
  std::u32string characters = decoded(text);
  if (!characters.empty()) characters.pop_back();
  text = encoded(characters);
}

void begin_act(State& state, const Model& model, const Act& act) {
  const DiskModel* disk = selected_disk(model, state);
  if (disk == nullptr) return;
  begin_act(state, model, act, {disk->status.name, "", ""});
}

void begin_act(State& state, const Model& model, const Act& act, const Subject& subject) {
  const DiskModel* disk = model.find(subject.disk);
  state.act = &act;
  state.subject = subject;
  state.fields.clear();
  state.field = 0;
  for (const char* word : act.words) {
    const char* question = question_of(word);
    if (question == nullptr) continue;
    const std::string_view asked = word;
    // `rota` knows who called sudo, and the place of a set.
    const bool required =
        asked == "REASON" || asked == "DIR" || asked == "PLACE" || asked == "FILE";
    state.fields.push_back(
        {question, suggestion(word, model, disk, state.by.value_or("")), required});
  }
  open_page(state, Page::form);
}

Wish handle_form(State& state, const Key& key) {
  if (state.act == nullptr) return {};
  const std::size_t count = state.fields.size();
  const bool last = state.field + 1 >= count;
  switch (key.code) {
    case KeyCode::enter:
      if (last) return finish(state);
      ++state.field;
      break;
    case KeyCode::tab:
    case KeyCode::down:
      state.field = last ? 0 : state.field + 1;
      break;
    case KeyCode::back_tab:
    case KeyCode::up:
      state.field = state.field == 0 ? (count == 0 ? 0 : count - 1) : state.field - 1;
      break;
    case KeyCode::backspace:
      if (state.field < count) erase_last(state.fields[state.field].answer);
      break;
    case KeyCode::text:
      if (state.field < count && state.fields[state.field].answer.size() < kMostAnswer) {
        state.fields[state.field].answer += key.text;
      }
      break;
    default:
      break;
  }
  return {};
}

void search_on(State& state, const Model& model, int columns) {
  const std::string wanted = lower(state.search);
  if (wanted.empty()) return;
  if (state.page() == Page::files) return search_files(state, wanted);
  if (state.page() == Page::overview || state.page() == Page::menu) {
    for (std::size_t i = 1; i <= model.disks.size(); ++i) {
      const std::size_t disk = (state.selected + i) % model.disks.size();
      if (!found_in(model.disks[disk], wanted)) continue;
      state.selected = disk;
      return;
    }
  } else {
    const std::vector<Line> lines = page_lines(model, state, columns);
    for (std::size_t i = 1; i <= lines.size(); ++i) {
      const std::size_t line = (state.scroll + i) % lines.size();
      std::string text;
      for (const Span& span : lines[line]) text += span.text;
      if (lower(text).find(wanted) == std::string::npos) continue;
      state.scroll = line;
      return;
    }
  }
  state.message = "\"" + state.search + "\" is not here.";
}

void handle_search(State& state, const Model& model, const Key& key, int columns) {
  switch (key.code) {
    case KeyCode::enter:
      state.searching = false;
      search_on(state, model, columns);
      break;
    case KeyCode::escape:
      state.searching = false;
      break;
    case KeyCode::backspace:
      erase_last(state.search);
      break;
    case KeyCode::text:
      if (state.search.size() < kMostAnswer) state.search += key.text;
      break;
    default:
      break;
  }
}

}  // namespace rota::tui
