#include "tui/keys.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "ledger/disk_code.h"
#include "tui/key_parts.h"
#include "tui/views.h"

namespace rota::tui {

namespace {

/// What a label's codes begin with: the printed id "ROTA-B-7", and the text of the QR code.
constexpr std::string_view kScan = "ROTA";
constexpr std::size_t kMostScan = 200;

/// Whether more of a label may begin like this.
bool is_scan(std::string_view text) {
  if (kScan.starts_with(text)) return true;
  return text.starts_with(kScan) && text.size() <= kMostScan &&
         (text[kScan.size()] == '-' || text[kScan.size()] == ':') &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == ':' || c == '.' || c == '_';
         });
}

/// Opens the menu of the disk whose label was scanned.
void select_scanned(State& state, const Model& model, const std::string& scanned) {
  const auto code = ledger::parse_scan(scanned);
  if (!code) {
    state.message = scanned + " is on no label of ours: scan it again.";
    return;
  }
  const auto disk = std::ranges::find_if(
      model.disks, [&](const DiskModel& one) { return one.status.name == code->name; });
  if (disk == model.disks.end()) {
    state.message = "The ledger knows no disk with the label ROTA-" + code->name + ".";
    return;
  }
  state.selected = static_cast<std::size_t>(disk - model.disks.begin());
  state.pages = {Page::overview};
  open_page(state, Page::menu);
  // What one would do with a disk in the hand: bring it in, or take it away.
  const char offered = disk->status.off_site ||
                               disk->status.custody == rotation::Custody::in_transit_back ||
                               disk->status.custody == rotation::Custody::in_transit_out
                           ? 'i'
                           : 'o';
  state.item = static_cast<std::size_t>(find_act(offered) - acts().data());
}

/// Takes a key that belongs to a label: no other key means anything with "R", so that a scanner
/// that types a label is told from a person by its first character.
bool scan(State& state, const Model& model, const Key& key) {
  if (key.code == KeyCode::text) {
    const std::string text = state.scanned + key.text;
    if (is_scan(text)) {
      state.scanned = text;
      return true;
    }
  }
  if (state.scanned.empty()) return false;
  const std::string scanned = state.scanned;
  state.scanned.clear();
  if (key.code != KeyCode::enter) return false;
  select_scanned(state, model, scanned);
  return true;
}

/// Where a label begins that a scanner typed behind what stood in a field; npos: it typed none. A
/// person who writes of a disk sets it apart: "swapped with ROTA-B", "/mnt/ROTA-B".
std::size_t scan_in(const std::string& answer) {
  for (std::size_t at = answer.find(kScan); at != std::string::npos;
       at = answer.find(kScan, at + 1)) {
    const char before = at == 0 ? 'a' : answer[at - 1];
    const bool joined = before < 0 || (std::isalnum(static_cast<unsigned char>(before)) != 0);
    if (joined && answer.size() > at + kScan.size() && is_scan(answer.substr(at))) return at;
  }
  return std::string::npos;
}

/// A scanner types a label also while a form is open, and its Enter would do the act of the form
/// with another disk than the one in the hand: the form is left for the disk that was scanned.
bool scan_in_form(State& state, const Model& model, const Key& key) {
  if (state.fields.empty()) return scan(state, model, key);
  if (key.code != KeyCode::enter) return false;
  std::string& answer = state.fields[state.field].answer;
  const std::size_t at = scan_in(answer);
  if (at == std::string::npos) return false;
  const std::string scanned = answer.substr(at);
  answer.erase(at);
  select_scanned(state, model, scanned);
  return true;
}

void back(State& state, Wish& wish) {
  if (state.pages.size() > 1) {
    state.browser.wanted.clear();
    state.pages.pop_back();
    state.scroll = 0;
  } else {
    wish.kind = Wish::Kind::quit;
  }
}

void keep_in_sight(State& state, const Model& model, int columns, int rows) {
  const std::vector<Line> lines = page_lines(model, state, columns);
  const auto shown = static_cast<std::size_t>(std::max(rows - 2, 1));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty() || lines[i].front().style != Style::selected) continue;
    if (i < state.scroll) state.scroll = i;
    if (i >= state.scroll + shown) state.scroll = i - shown + 1;
  }
}

/// The run or the copy that is selected on a page of them; nothing elsewhere.
std::optional<Subject> selected_tree(State& state, const Model& model) {
  if (state.page() == Page::runs) {
    const auto runs = shown_runs(model);
    if (state.run >= runs.size()) return std::nullopt;
    return Subject{"", runs[state.run]->profile, runs[state.run]->name};
  }
  const DiskModel* disk = selected_disk(model, state);
  if (state.page() != Page::copies || disk == nullptr) return std::nullopt;
  const auto copies = shown_copies(*disk);
  if (state.copy >= copies.size()) return std::nullopt;
  const ledger::CopyRow& copy = *copies[state.copy];
  if (copy.state != ledger::CopyState::sealed) {
    state.message = std::string("This copy is ") + ledger::word(copy.state) +
                    ": only a sealed one can be looked into.";
    return std::nullopt;
  }
  return Subject{disk->status.name, copy.server, copy.snapshot};
}

/// The lines of a page that scrolls, or the rows of a list that is chosen from.
void move(State& state, const Model& model, std::int64_t by, int columns, int rows) {
  const auto moved = [by](std::size_t from, std::size_t count) {
    const auto most = static_cast<std::int64_t>(count) - 1;
    return static_cast<std::size_t>(std::clamp<std::int64_t>(static_cast<std::int64_t>(from) + by,
                                                             0, std::max<std::int64_t>(most, 0)));
  };
  if (state.page() == Page::overview) {
    state.selected = moved(state.selected, model.disks.size());
  } else if (state.page() == Page::menu) {
    state.item = moved(state.item, acts().size());
  } else if (state.page() == Page::runs) {
    state.run = moved(state.run, shown_runs(model).size());
    keep_in_sight(state, model, columns, rows);
  } else if (state.page() == Page::copies) {
    const DiskModel* disk = selected_disk(model, state);
    state.copy = moved(state.copy, disk != nullptr ? shown_copies(*disk).size() : 0);
    keep_in_sight(state, model, columns, rows);
  } else {
    const std::size_t lines = page_lines(model, state, columns).size();
    const auto shown = static_cast<std::size_t>(std::max(rows - 2, 1));
    state.scroll = moved(state.scroll, lines > shown ? lines - shown + 1 : 1);
  }
}

void enter(State& state, const Model& model) {
  if (model.disks.empty()) return;
  if (state.page() == Page::overview) {
    state.item = 0;
    open_page(state, Page::menu);
  } else if (state.page() == Page::menu) {
    begin_act(state, model, acts()[state.item]);
  }
}

void open_by_letter(State& state, const Model& model, char letter, Wish& wish, int columns) {
  const bool any = !model.disks.empty();
  const auto open = [&](Page page) {
    if (state.page() != page) open_page(state, page);
  };
  switch (letter) {
    case 'q':
    case 'h':
      return back(state, wish);
    case 'l':
      return enter(state, model);
    case 'd':
      return any ? open(Page::details) : void();
    case 'C':
      state.copy = 0;
      return any ? open(Page::copies) : void();
    case 'J':
      return any ? open(Page::job) : void();
    case 'H':
    case 't':
      state.this_disk = letter == 't';
      return open(Page::history);
    case 'A':
      return open(Page::alarms);
    case 'T':
      return open(Page::runs);
    case 'D':
      return model.profiles.empty() ? void() : begin_act(state, model, make_drill(), Subject{});
    case 'S': {
      const auto drill = std::ranges::find_if(model.jobs, &Job::drill);
      if (drill != model.jobs.end()) {
        begin_act(state, model, stop_drill(), {"", drill->server, ""});
      } else {
        state.message = "No drill is under way; a job with a disk is stopped with Enter and s.";
      }
      return;
    }
    case '?':
      return open(Page::help);
    case '/':
      state.searching = true;
      state.search.clear();
      return;
    case 'n':
      return search_on(state, model, columns);
    case 'r':
      wish.kind = Wish::Kind::reload;
      return;
    default:
      return;
  }
}

void handle_letter(State& state, const Model& model, char letter, Wish& wish, int columns,
                   int rows) {
  constexpr std::int64_t kFar = 1'000'000;
  if (letter == 'j') return move(state, model, 1, columns, rows);
  if (letter == 'k') return move(state, model, -1, columns, rows);
  if (letter == 'g') return move(state, model, -kFar, columns, rows);
  if (letter == 'G') return move(state, model, kFar, columns, rows);
  if (letter == ' ') return enter(state, model);
  // In the menu a letter is the act that it stands beside.
  const Act* act = state.page() == Page::menu ? find_act(letter) : nullptr;
  if (act != nullptr) return begin_act(state, model, *act);
  open_by_letter(state, model, letter, wish, columns);
}

}  // namespace

void open_page(State& state, Page page) {
  state.pages.push_back(page);
  state.scroll = 0;
}

Wish handle(State& state, const Model& model, const Key& key, int columns, int rows) {
  Wish wish;
  state.message.clear();
  if (key.code == KeyCode::interrupt) {
    wish.kind = Wish::Kind::quit;
    return wish;
  }
  if (key.code == KeyCode::redraw) {
    wish.kind = Wish::Kind::redraw;
    return wish;
  }
  if (state.searching) {
    handle_search(state, model, key, columns);
    return wish;
  }
  if (key.code == KeyCode::escape) {
    state.scanned.clear();
    if (state.pages.size() > 1) back(state, wish);
    return wish;
  }
  if (state.page() == Page::form) {
    if (scan_in_form(state, model, key)) return wish;
    return handle_form(state, key);
  }
  if (scan(state, model, key)) return wish;
  if (state.page() == Page::files) {
    if (const auto done = handle_files(state, model, key, rows)) return *done;
  }
  if (const bool enters = key.code == KeyCode::enter || key.code == KeyCode::right;
      enters || (key.code == KeyCode::text && (key.text == "f" || key.text == "l"))) {
    if (const auto tree = selected_tree(state, model)) {
      if (key.text != "f") return browse(state, *tree);
      restore_from(state, model, *tree);
      return wish;
    }
  }
  switch (key.code) {
    case KeyCode::up:
    case KeyCode::wheel_up:
      move(state, model, -1, columns, rows);
      break;
    case KeyCode::down:
    case KeyCode::wheel_down:
      move(state, model, 1, columns, rows);
      break;
    case KeyCode::page_up:
      move(state, model, -(rows - 3), columns, rows);
      break;
    case KeyCode::page_down:
      move(state, model, rows - 3, columns, rows);
      break;
    case KeyCode::home:
      handle_letter(state, model, 'g', wish, columns, rows);
      break;
    case KeyCode::end:
      handle_letter(state, model, 'G', wish, columns, rows);
      break;
    case KeyCode::enter:
    case KeyCode::right:
      enter(state, model);
      break;
    case KeyCode::left:
      if (state.pages.size() > 1) back(state, wish);
      break;
    case KeyCode::click:
      if (const auto disk = disk_at(model, state, columns, rows, key.row)) {
        if (*disk == state.selected) enter(state, model);
        state.selected = *disk;
      } else if (state.page() == Page::menu && key.row >= 3 &&
                 static_cast<std::size_t>(key.row - 3) < acts().size()) {
        state.item = static_cast<std::size_t>(key.row - 3);
        enter(state, model);
      }
      break;
    case KeyCode::text:
      if (key.text.size() == 1) handle_letter(state, model, key.text[0], wish, columns, rows);
      break;
    default:
      break;
  }
  return wish;
}

void keep_selection(State& state, const Model& before, const Model& after) {
  const DiskModel* disk = selected_disk(before, state);
  if (disk != nullptr) {
    const DiskModel* same = after.find(disk->status.name);
    if (same != nullptr) state.selected = static_cast<std::size_t>(same - after.disks.data());
  }
  if (state.selected >= after.disks.size()) {
    state.selected = after.disks.empty() ? 0 : after.disks.size() - 1;
  }
}

}  // namespace rota::tui
