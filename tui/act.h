#pragma once

#include <span>
#include <string>
#include <vector>

#include "tui/model.h"

namespace rota::tui {

/// What an act is done with: a disk, a run of a chain, or a copy on a disk.
struct Subject {
  std::string disk;
  std::string profile;
  std::string run;  ///< its name; of a copy its snapshot, "20261024T030000Z"
};

/// Something that a person can have done: a call of `rota`, never the work itself.
struct Act {
  char key;
  const char* title;  ///< "Check out: it leaves now"
  /// The words behind `rota`, none: what runs is to stop; "DISK", "PROFILE" and "RUN" stand for the
  /// subject, and "PLACE", "BY", "REASON", "PATH", "DIR", "SERVER", "FILE", "FROM", "SAMPLE",
  /// "ALARM" stand for answers. An option whose answer is empty is left out with it.
  std::vector<const char*> words;
  bool runs_long = false;  ///< shown while it runs, not waited for
  const char* note = "";   ///< what it means, on the form
};

/// In the order of the menu.
std::span<const Act> acts();
/// By its key; null: none has it.
const Act* find_act(char key);
/// Taking something out of a run, and out of a copy.
const Act& restore_run();
const Act& restore_copy();
/// A tested recovery, of whatever server and from wherever one says.
const Act& make_drill();
/// The drill of the subject's profile that is under way.
const Act& stop_drill();

/// The question behind a word of `words`; null for a word that is none.
const char* question_of(const char* word);
/// An answer to begin with: the place of the disk's set, who was named last.
/// disk: null for a run.
std::string suggestion(const char* word, const Model& model, const DiskModel* disk,
                       const std::string& by);

/// The arguments for `rota`, `--json` among them. answers: one for each word that asks, in order.
std::vector<std::string> arguments(const Act& act, const Subject& subject,
                                   std::span<const std::string> answers);

}  // namespace rota::tui
