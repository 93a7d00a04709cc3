#include "tui/act.h"

#include <array>
#include <string_view>

namespace rota::tui {

namespace {

struct Question {
  const char* word;
  const char* text;
};

constexpr std::array kQuestions = {
    Question{"PLACE", "Where to"},
    Question{"BY", "Who says so"},
    Question{"REASON", "Why"},
    Question{"PATH", "Which file or directory (none: all)"},
    Question{"DIR", "Into which directory"},
    Question{"SERVER", "Of which server"},
    Question{"FILE", "Into which PDF"},
    Question{"FROM", "From which disk (none: from the store)"},
    Question{"SAMPLE", "How much (none: all; 5% or 2G of it)"},
    Question{"ALARM", "Which (none: all, where they are of one sort)"},
};

/// The server whose turn comes first.
std::string drill_suggestion(const Model& model) {
  const rotation::DrillStatus* first = nullptr;
  for (const rotation::DrillStatus& drill : model.status.rotation.drills) {
    if (first == nullptr || drill.level > first->level ||
        (drill.level == first->level && drill.due && (!first->due || *drill.due < *first->due))) {
      first = &drill;
    }
  }
  return first != nullptr ? first->server : "";
}

}  // namespace

std::span<const Act> acts() {
  static const std::vector<Act> all = {
      {'o',
       "Check out: it leaves now",
       {"disk", "move", "DISK", "in-transit-out", "--place", "PLACE", "--by", "BY"},
       false,
       "The disk is on its way until somebody says that it has arrived."},
      {'p',
       "It has arrived off site",
       {"disk", "move", "DISK", "off-site", "--place", "PLACE", "--by", "BY"},
       false,
       "From now on its copies are what you can go back to."},
      {'b', "It is on its way back", {"disk", "move", "DISK", "in-transit-back", "--by", "BY"}},
      {'i', "Check in: it is here again", {"disk", "move", "DISK", "on-site", "--by", "BY"}},
      {'c',
       "Copy to it now",
       {"disk", "attach", "DISK"},
       true,
       "The disk must be plugged in. The copy goes on when this screen is left."},
      {'s',
       "Stop the job that runs with it",
       {},
       false,
       "What is complete on the disk stays; the next plug-in resumes."},
      {'v', "Read its newest copies back", {"disk", "verify", "DISK"}, true},
      {'e', "Eject it", {"disk", "eject", "DISK"}, true},
      {'a',
       "Take note of its tripwires and alarms",
       {"disk", "accept", "DISK", "--reason", "REASON", "--by", "BY", "--alarm", "ALARM"},
       false,
       "Look at the files first (page of alarms). Its turn goes on when it is plugged in again. "
       "Where tripwires and other alarms are open, say which: tripwire, or another's kind."},
      {'f',
       "Restore files from it",
       {"restore", "SERVER", "--disk", "DISK", "--path", "PATH", "--to", "DIR"},
       true,
       "The directory must be empty or new."},
      make_drill(),
      {'l',
       "Draw its label",
       {"label", "DISK", "--kind", "both", "-o", "FILE"},
       false,
       "For the stock that rotation.toml names: print it, and stick it on the disk."},
      {'x',
       "It is lost",
       {"disk", "lost", "DISK", "--reason", "REASON", "--by", "BY"},
       false,
       "Its copies no longer count; what is on it may be in anybody's hands."},
      {'h',
       "Hold it: never write over it",
       {"disk", "hold", "DISK", "--reason", "REASON", "--by", "BY"}},
      {'u', "Release it: give it its turn again", {"disk", "release", "DISK", "--by", "BY"}},
      {'r',
       "Retire it for good",
       {"disk", "retire", "DISK", "--reason", "REASON", "--by", "BY"},
       false,
       "There is no way back; its name is never used again."},
  };
  return all;
}

const Act* find_act(char key) {
  for (const Act& act : acts()) {
    if (act.key == key) return &act;
  }
  return nullptr;
}

const Act& restore_run() {
  static const Act act = {'f',
                          "Restore files from it",
                          {"restore", "PROFILE", "--at", "RUN", "--path", "PATH", "--to", "DIR"},
                          true,
                          "The directory must be empty or new."};
  return act;
}

const Act& restore_copy() {
  static const Act act = {
      'f',
      "Restore files from it",
      {"restore", "PROFILE", "--disk", "DISK", "--at", "RUN", "--path", "PATH", "--to", "DIR"},
      true,
      "The disk must be plugged in. The directory must be empty or new."};
  return act;
}

const Act& make_drill() {
  static const Act act = {
      'D',
      "Make a drill: try a recovery",
      {"drill", "SERVER", "--disk", "FROM", "--sample", "SAMPLE"},
      true,
      "Restores to a scratch directory, compares, checks, times and records it. A disk must be "
      "plugged in. It goes on when this screen is left."};
  return act;
}

const Act& stop_drill() {
  static const Act act = {'S',
                          "Stop the drill",
                          {},
                          false,
                          "What was restored to try it is removed, and no drill is recorded."};
  return act;
}

const char* question_of(const char* word) {
  for (const Question& question : kQuestions) {
    if (std::string_view(question.word) == word) return question.text;
  }
  return nullptr;
}

std::string suggestion(const char* word, const Model& model, const DiskModel* disk,
                       const std::string& by) {
  const std::string_view asked = word;
  if (asked == "BY") return by;
  if (asked == "SERVER" && disk == nullptr) return drill_suggestion(model);
  if (disk == nullptr) return "";
  if (asked == "FROM") return disk->status.name;
  if (asked == "FILE") return "label-" + disk->status.name + ".pdf";
  if (asked == "SERVER" && disk->servers.size() == 1) return disk->servers.front();
  if (asked != "PLACE") return "";
  if (!disk->status.place.empty()) return disk->status.place;
  const auto place = model.places.find(disk->status.set);
  return place == model.places.end() ? "" : place->second;
}

std::vector<std::string> arguments(const Act& act, const Subject& subject,
                                   std::span<const std::string> answers) {
  std::vector<std::string> words;
  std::size_t next = 0;
  for (const char* word : act.words) {
    const std::string_view asked = word;
    if (asked == "DISK" || asked == "PROFILE" || asked == "RUN") {
      words.push_back(asked == "DISK"      ? subject.disk
                      : asked == "PROFILE" ? subject.profile
                                           : subject.run);
    } else if (question_of(word) == nullptr) {
      words.emplace_back(word);
    } else {
      const std::string answer = next < answers.size() ? answers[next] : "";
      ++next;
      const bool option = !words.empty() && words.back().starts_with("--");
      if (option) {
        // In one word, so that an answer that begins with a dash is no option.
        const std::string name = words.back();
        words.pop_back();
        if (!answer.empty()) words.push_back(name + "=" + answer);
      } else if (!answer.empty()) {
        words.push_back(answer);
      }
    }
  }
  if (words.front() != "label") words.emplace_back("--json");  // it draws, and tells nothing
  return words;
}

}  // namespace rota::tui
