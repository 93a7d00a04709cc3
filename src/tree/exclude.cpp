#include "tree/exclude.h"

#include <fmt/core.h>

#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace rota::tree {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::string_view kBlanks = " \t\r\f\v";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string_view unquote(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.front() == text.back() &&
                      (text.front() == '"' || text.front() == '\'');
  return quoted ? text.substr(1, text.size() - 2) : text;
}

/// The next line of `text`, which loses it.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

/// The glob of a rule, which must be able to match an absolute path. Errors lack file and line.
Glob parse_full_path(std::string_view pattern) {
  Glob glob = Glob::parse(pattern);
  if (glob.match("/", true) == Glob::Match::no) {
    throw Error(ErrorKind::config,
                fmt::format("the pattern \"{}\" can match nothing: patterns are full paths, begin "
                            "it with \"/\", or with \"**/\" to match at any depth",
                            base::printable(pattern)));
  }
  return glob;
}

}  // namespace

ExcludeRules ExcludeRules::parse(std::string_view text, const std::string& name) {
  ExcludeRules rules;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = trim(take_line(text));
    if (line.empty() || line.front() == '#') continue;
    const char sign = line.front();
    const bool has_sign = sign == '+' || sign == '-';
    try {
      if (has_sign) {
        line.remove_prefix(1);
        if (line.empty() || kBlanks.find(line.front()) == std::string_view::npos) {
          throw Error(ErrorKind::config,
                      fmt::format("a '{0}' stands alone or without a blank behind "
                                  "it: write \"{0} /full/path\"",
                                  sign));
        }
      }
      rules.rules_.push_back({sign != '-', parse_full_path(unquote(trim(line)))});
    } catch (const Error& error) {
      throw Error(error.kind(), fmt::format("{}:{}: {}", name, number, error.what()));
    }
  }
  return rules;
}

void ExcludeRules::append(ExcludeRules more) {
  rules_.insert(rules_.end(), std::make_move_iterator(more.rules_.begin()),
                std::make_move_iterator(more.rules_.end()));
}

void ExcludeRules::add_exclude(const std::string& absolute_path) {
  if (!absolute_path.starts_with('/')) {
    throw Error(ErrorKind::config, fmt::format("cannot leave out \"{}\": give its full path",
                                               base::printable(absolute_path)));
  }
  rules_.push_back({false, Glob::literal(absolute_path)});
}

Verdict ExcludeRules::match(std::string_view path, bool is_directory) const {
  bool scan = false;
  for (const Rule& rule : rules_) {
    switch (rule.glob.match(path, is_directory)) {
      case Glob::Match::no:
        break;
      case Glob::Match::above:
        if (rule.include) scan = true;
        break;
      case Glob::Match::yes:
      case Glob::Match::below:
        if (rule.include) return Verdict::include;
        return scan ? Verdict::scan : Verdict::exclude;
    }
  }
  return Verdict::include;
}

}  // namespace rota::tree
