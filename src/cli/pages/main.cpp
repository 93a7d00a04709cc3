#include <fmt/core.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "cli/pages/command_pages.h"
#include "cli/pages/completion.h"
#include "cli/pages/document.h"
#include "cli/pages/help_text.h"
#include "cli/program.h"

// Writes what explains rota from what rota's commands declare; part of the build, not installed.
//
//     rota-pages commands DIR LABEL_HELP TUI_HELP [DOCUMENT...]   pages of section 1 into DIR
//     rota-pages completion FILE BASH LABEL_HELP                  BASH and its tables into FILE
//     rota-pages document FILE XML NAME DOCUMENT...               the page of docs/NAME.md
namespace rota::cli::pages {

namespace {

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw base::Error(base::ErrorKind::io, "cannot read " + path);
  return text;
}

void write(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text << std::flush;
  if (!out) throw base::Error(base::ErrorKind::io, "cannot write " + path);
}

/// All that rota's commands declare. label: the --help of rota-label, to which `rota label` hands
/// its words.
std::vector<CommandText> describe(const std::string& label) {
  Context context({});
  std::vector<CommandText> texts = Program(context).line().describe();
  for (CommandText& text : texts) {
    if (!text.passed_on) continue;
    CommandText said = read_help(read(label));
    said.name = text.name;
    said.summary = text.summary;
    said.passed_on = true;
    text = std::move(said);
  }
  return texts;
}

int run(const std::vector<std::string>& words) {
  if (words.size() >= 4 && words[0] == "commands") {
    const std::vector<std::string> documents(words.begin() + 4, words.end());
    const auto pages = command_pages(describe(words[2]), read_help(read(words[3])), documents);
    for (const auto& [name, page] : pages) write(fmt::format("{}/{}.1", words[1], name), page);
  } else if (words.size() == 4 && words[0] == "completion") {
    write(words[1], read(words[2]) + '\n' + completion_tables(describe(words[3])));
  } else if (words.size() >= 4 && words[0] == "document") {
    write(words[1], document_page(words[3], {words.begin() + 4, words.end()}, read(words[2])));
  } else {
    throw base::Error(base::ErrorKind::usage, "it is run by cmake: see src/cli/pages");
  }
  return base::kExitDone;
}

}  // namespace

}  // namespace rota::cli::pages

int main(int argc, char** argv) {
  try {
    return rota::cli::pages::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fputs(fmt::format("rota-pages: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
}
