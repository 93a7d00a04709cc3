#pragma once

namespace CLI {
class App;
}

namespace rota::labels {

/// `rota-label label …` and `rota-label plan …`; arguments behind that word. Each returns the exit
/// status, and throws base::Error.
int label_command(int argc, char** argv);
int plan_command(int argc, char** argv);

/// Parses, or prints --help; false when that was all. Throws Error(usage).
bool parse(CLI::App& app, int argc, char** argv);

}  // namespace rota::labels
