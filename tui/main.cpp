#include <fmt/core.h>
#include <langinfo.h>

#include <clocale>
#include <cstdio>
#include <exception>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/version.h"
#include "tui/app.h"
#include "tui/guard.h"
#include "tui/recording.h"
#include "tui/views.h"

namespace rota::tui {

namespace {

int fail(const char* message, int status) {
  std::fputs(fmt::format("rota-tui: {}\n", message).c_str(), stderr);
  return status;
}

/// Turns what went wrong into a sentence and an exit status.
template <typename Action>
int reported(Action action) {
  try {
    return action();
  } catch (const base::Error& error) {
    return fail(error.what(), base::exit_code(error.kind()));
  } catch (const std::bad_alloc&) {
    return fail("this machine has not enough memory free", 1);
  } catch (const std::exception& error) {
    return fail(fmt::format("an error that rota does not know: {}", error.what()).c_str(), 1);
  }
}

Key key_of(char32_t character) {
  Key key;
  key.text = encoded(std::u32string(1, character));
  if (character == U'\n') key.code = KeyCode::enter;
  return key;
}

void print_frame(const Model& model, const Options& options) {
  State state;
  std::u32string keys;
  std::string_view typed = options.keys;
  while (!typed.empty()) {  // decoded() would make a line feed a blank
    const std::size_t end = std::min(typed.find('\n'), typed.size());
    keys += decoded(typed.substr(0, end));
    if (end < typed.size()) keys += U'\n';
    typed.remove_prefix(std::min(end + 1, typed.size()));
  }
  for (const char32_t character : keys) {
    handle(state, model, key_of(character), options.columns, options.rows);
  }
  const bool ascii = options.ascii || std::string_view(::nl_langinfo(CODESET)) != "UTF-8";
  const Grid grid = draw(model, state, options.columns, options.rows);
  std::fputs(grid.text(ascii).c_str(), stdout);
}

int without_terminal(const Options& options) {
  Source source(options, base::real_clock());
  const Rows rows = source.read(true);
  // Names of people and places stand in it.
  if (!options.record.empty()) base::write_output(options.record, recording(rows), 0600);
  if (options.snapshot) print_frame(make_model(rows), options);
  if (std::fflush(stdout) != 0) base::throw_os("cannot write", "the output", errno);
  return base::kExitDone;
}

int run(int argc, char** argv) {
  std::setlocale(LC_ALL, "");
  std::setlocale(LC_NUMERIC, "C");
  const Options options = parse_options(argc, argv);
  if (options.help) {
    std::fputs(kUsage, stdout);
    return base::kExitDone;
  }
  if (options.version) {
    fmt::print("rota-tui {}\n", base::kVersion);
    return base::kExitDone;
  }
  if (options.snapshot || !options.record.empty()) return without_terminal(options);
  return guarded([&] {
    return reported([&] {
      Source source(options, base::real_clock());
      App app(source, options);
      return app.run();
    });
  });
}

}  // namespace

/// The program.
int start(int argc, char** argv) {
  return reported([&] { return run(argc, argv); });
}

}  // namespace rota::tui

int main(int argc, char** argv) { return rota::tui::start(argc, argv); }
