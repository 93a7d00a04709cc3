#pragma once

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

void open_page(State& state, Page page);
/// Takes the last character off.
void erase_last(std::string& text);

}  // namespace rota::tui
