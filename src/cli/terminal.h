#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/file.h"

namespace rota::cli {

/// The controlling terminal, whatever the standard descriptors are; not valid where there is none,
/// as in cron.
base::Fd open_terminal();

void write_terminal(int tty, std::string_view text);

/// One line with its end; what there is at the end of input, "" when that is nothing. Throws
/// Error(interrupted) when the person stops rota meanwhile, and Error(usage) beyond `limit` bytes.
std::string read_line(int tty, std::size_t limit, const std::stop_token& stop);

/// Asks a question and returns the answer without its line end. Nothing where there is no terminal,
/// or no answer.
std::optional<std::string> ask(const std::string& question, const std::stop_token& stop);

}  // namespace rota::cli
