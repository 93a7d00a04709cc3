// An exclude file; behind its first NUL, paths to judge, a NUL after each.
#include "tree/exclude.h"

#include <algorithm>

#include "base/bytes.h"
#include "fuzz/fuzz.h"

using namespace rota;
using tree::ExcludeRules;
using tree::Verdict;

namespace {

std::string with_crlf(std::string_view text) {
  std::string other;
  for (const char c : text) other += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return other;
}

/// A path as a walk would give it.
bool can_be_walked(std::string_view path) {
  return path.size() > 1 && path.front() == '/' && path.back() != '/' &&
         path.find("//") == std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = base::as_text(fuzz::Input(data, size).rest());
  const auto take = [&text] {
    const std::string_view part = text.substr(0, text.find('\0'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    return part;
  };
  const std::string_view file = take();
  ExcludeRules rules;
  std::string message;
  if (!fuzz::accepted([&] { rules = ExcludeRules::parse(file, "fuzz"); }, {base::ErrorKind::config},
                      &message)) {
    fuzz::require(message.starts_with("fuzz:"), "a message names the file and the line");
    return 0;
  }
  const ExcludeRules windows = ExcludeRules::parse(with_crlf(file), "fuzz");
  while (!text.empty()) {
    const std::string path(take());
    if (!can_be_walked(path)) continue;
    ExcludeRules own;
    own.add_exclude(path);
    own.append(rules);
    for (const bool directory : {false, true}) {
      const Verdict verdict = rules.match(path, directory);
      fuzz::require(windows.match(path, directory) == verdict, "line ends change nothing");
      fuzz::require(verdict != Verdict::scan || directory, "only directories are scanned");
      fuzz::require(own.match(path, directory) == Verdict::exclude, "the first rule decides");
      fuzz::require(own.match(path + "/x", directory) == Verdict::exclude,
                    "what lies below is left out too");
    }
  }
  return 0;
}
