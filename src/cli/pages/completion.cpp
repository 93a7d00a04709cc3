#include "cli/pages/completion.h"

#include <fmt/core.h>

#include <algorithm>
#include <sstream>

#include "profile/place_list.h"

namespace rota::cli::pages {

namespace {

/// What may be typed in a word's place, told by help as "STATE: on-site, off-site or lost"; empty
/// when it tells it in other words.
std::string choices(const std::string& word, const std::string& help) {
  const std::string intro = word + ": ";
  if (!help.starts_with(intro)) return "";
  std::istringstream said(help.substr(intro.size()));
  std::string all;
  for (std::string choice; said >> choice;) {
    if (choice == "or") continue;
    if (choice.ends_with(',')) choice.pop_back();
    const bool literal =
        std::ranges::all_of(choice, [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
    if (!literal) return "";
    all += (all.empty() ? "" : "|") + choice;
  }
  return all;
}

/// The form, "[PROFILE] DISK STATE", with what is known of its words in their place.
std::string words_of(const CommandText& text) {
  std::istringstream form(text.form);
  std::string all;
  for (std::string word; form >> word;) {
    const std::string known = choices(word, text.words);
    all += (all.empty() ? "" : " ") + (known.empty() ? word : known);
  }
  return all;
}

/// "--out:FILE", of a flag "--json"; each of an option's names has one.
std::string options_of(const CommandText& text) {
  std::string all;
  for (const OptionText& option : text.options) {
    std::istringstream names(option.names);
    for (std::string name; std::getline(names, name, ',');) {
      name.erase(0, name.find_first_not_of(' '));
      std::string type = option.type;
      std::ranges::replace(type, ' ', '_');
      all += (all.empty() ? "" : " ") + name + (type.empty() ? "" : ":" + type);
    }
  }
  return all;
}

std::string commands_of(const std::vector<CommandText>& texts, const std::string& group) {
  std::string all;
  for (const CommandText& text : texts) {
    const std::size_t blank = text.name.find(' ');
    const std::string above = blank == std::string::npos ? "" : text.name.substr(0, blank);
    if (text.name.empty() || above != group) continue;
    all += (all.empty() ? "" : " ") + text.name.substr(blank + 1);
  }
  return all;
}

}  // namespace

std::string completion_tables(const std::vector<CommandText>& texts) {
  std::string tables = "_rota_declared() {\n  commands='' words='' options=''\n  case $1 in\n";
  for (const CommandText& text : texts) {
    tables += fmt::format("    '{}')\n", text.name);
    if (text.group) tables += fmt::format("      commands='{}'\n", commands_of(texts, text.name));
    if (!text.form.empty()) tables += fmt::format("      words='{}'\n", words_of(text));
    tables += fmt::format("      options='{}'\n      ;;\n", options_of(text));
  }
  const profile::Place& config = profile::all_places().front();
  return tables + "  esac\n}\n\n" +
         fmt::format(
             "_rota_config_dir() {{\n"
             "  if [[ -n ${{{0}-}} ]]; then\n"
             "    config=${0}\n"
             "  elif ((EUID == 0)); then\n"
             "    config={1}\n"
             "  else\n"
             "    config=${{{2}:-$HOME/{3}}}/rota\n"
             "  fi\n"
             "}}\n",
             config.override_name, config.system, config.xdg_name, config.below_home);
}

}  // namespace rota::cli::pages
