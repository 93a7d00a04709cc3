#pragma once

#include <optional>
#include <stop_token>
#include <string>

namespace rota::cli {

/// Asks on the controlling terminal, whatever the standard descriptors are, and does not show what
/// is typed. Nothing where there is no terminal, as in cron. The terminal is as before afterwards,
/// also when the person stops rota with Ctrl-C: then Error(interrupted) is thrown.
std::optional<std::string> ask_passphrase(const std::string& question, const std::stop_token& stop);

/// A new passphrase, asked for twice. Throws Error(usage) where there is no terminal.
std::string ask_new_passphrase(const std::stop_token& stop);

/// Throws Error(config) for a passphrase that is too easily guessed.
void check_new_passphrase(const std::string& passphrase);

}  // namespace rota::cli
