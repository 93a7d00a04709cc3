#pragma once

#include <optional>
#include <string>

#include "tui/keys.h"

/// The parts of handle(), for its own files only.
namespace rota::tui {

/// While a form is filled in.
Wish handle_form(State& state, const Key& key);
/// Begins an act with the selected disk: shows its form.
void begin_act(State& state, const Model& model, const Act& act);
void begin_act(State& state, const Model& model, const Act& act, const Subject& subject);
/// While something is searched for.
void handle_search(State& state, const Model& model, const Key& key, int columns);
void search_on(State& state, const Model& model, int columns);

/// On the page of files; nothing: the key means there what it means everywhere.
std::optional<Wish> handle_files(State& state, const Model& model, const Key& key, int rows);
void search_files(State& state, const std::string& wanted);
/// Looks into a run or a copy.
Wish browse(State& state, const Subject& subject);
/// Shows the form for a restore of a run or a copy.
void restore_from(State& state, const Model& model, const Subject& subject);

void open_page(State& state, Page page);
/// ASCII letters small, for a search.
std::string lower(std::string text);
/// Takes the last character off.
void erase_last(std::string& text);

}  // namespace rota::tui
