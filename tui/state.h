#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tui/act.h"
#include "tui/files.h"
#include "tui/model.h"

namespace rota::tui {

enum class Page {
  overview,
  menu,
  details,
  copies,
  history,
  alarms,
  runs,
  job,
  form,
  result,
  help,
  files
};

/// A field of a form that is filled in.
struct Field {
  std::string question;
  std::string answer;
  bool required = true;
};

/// What a person does with the screen: which page, which disk, what was typed. Changed by keys
/// (keys.h), drawn by views (views.h); neither knows a terminal.
struct State {
  std::vector<Page> pages{Page::overview};  ///< the last one is shown, those before it are behind
  std::size_t selected = 0;                 ///< the disk, its number in the model
  std::size_t scroll = 0;                   ///< lines above the page's first shown one
  std::size_t item = 0;                     ///< of the menu
  std::size_t copy = 0;                     ///< the selected copy of the disk, of those shown
  std::size_t run = 0;                      ///< the run that is selected, of all that are shown
  bool this_disk = false;                   ///< the history, of the selected disk only

  const Act* act = nullptr;  ///< of the form
  Subject subject;           ///< that it is done with
  std::vector<Field> fields;
  std::size_t field = 0;
  const Act* done = nullptr;  ///< of the result: what was begun last
  Subject done_with;
  int done_number = 0;  ///< counts what was begun
  std::string result;   ///< what came of it: lines
  bool good = false;    ///< it did what it should
  bool busy = false;    ///< it is still under way
  std::string message;  ///< one line, until the next key

  Browser browser;

  bool searching = false;
  std::string search;
  std::string scanned;  ///< of a label that is being typed by a scanner, "ROTA-…"

  std::optional<std::string> by;  ///< the last person who was named; nothing: who runs this

  Page page() const { return pages.back(); }
};

/// "B", "web 20261110T030000Z-abcd", or of a copy "B web 20261024T030000Z".
inline std::string name_of(const Subject& subject) {
  if (subject.profile.empty()) return subject.disk;  // may be empty: a drill
  return (subject.disk.empty() ? "" : subject.disk + " ") + subject.profile +
         (subject.run.empty() ? "" : " " + subject.run);
}

/// The disk that is selected; null when there is none.
inline const DiskModel* selected_disk(const Model& model, const State& state) {
  return state.selected < model.disks.size() ? &model.disks[state.selected] : nullptr;
}

}  // namespace rota::tui
