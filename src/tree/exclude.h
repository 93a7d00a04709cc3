#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tree/glob.h"

namespace rota::tree {

/// What a rule set says of one path.
enum class Verdict {
  include,
  exclude,
  scan  ///< a directory above something that a `+` rule names: kept only if something below is
};

/// Exclude and include rules in duplicity's form (duplicity(1), FILE SELECTION): one rule a line,
/// "- PATTERN" leaves out, "+ PATTERN" (or a bare PATTERN) takes in, the first rule that matches
/// decides, a path that no rule matches is taken in. Lines that are empty or start with '#' are
/// skipped. Patterns (tree/glob.h) are full paths ("/var/tmp") and match what lies below them too.
///
/// Blanks at both ends of a line and the CR of "\r\n" are no part of it; a pattern in single or
/// double quotes keeps its blanks: - "/srv/name with a blank at its end ".
class ExcludeRules {
 public:
  /// name: the file's name, for messages. Throws Error(config) with file and line.
  static ExcludeRules parse(std::string_view text, const std::string& name);

  /// Appends rules; those that stand first win.
  void append(ExcludeRules more);
  /// Appends a rule that leaves out this path, in which no byte is special, and what lies below.
  /// Throws Error(config) unless the path is absolute.
  void add_exclude(const std::string& absolute_path);

  /// path: absolute, no trailing slash (but "/").
  ///
  /// A `+` rule that could match below a directory keeps a later `-` from excluding it: the verdict
  /// is then `scan`. A directory that no rule matches is taken in, empty or not. (In duplicity "+
  /// **/name" alone drops every directory that ends up empty; nobody means that.)
  ///
  /// Whoever walks a tree never asks about the tree's own root: it is always taken in, as in
  /// duplicity, or "- **" would leave nothing to scan.
  Verdict match(std::string_view path, bool is_directory) const;
  bool empty() const { return rules_.empty(); }

 private:
  struct Rule {
    bool include = false;
    Glob glob;
  };
  std::vector<Rule> rules_;
};

}  // namespace rota::tree
