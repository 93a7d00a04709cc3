#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rota::tree {

/// A shell pattern for paths, compiled once. Immutable; may be used from several threads.
///
///   *        any run of bytes without '/', the empty one too
///   **       any run of bytes, '/' too
///   ?        one byte, but not '/'
///   [a-z_]   one of these; [!a-z_] or [^a-z_] one that is none of these; never '/'. A ']' that
///            stands first is meant literally, so is a '-' at an end. [*] is how to write a '*':
///            there is no escape character.
///   .../     a trailing '/': only a directory matches (and what lies below it)
///   /        alone: everything
///   ignorecase:...  in front: ASCII letters match in either case
///
/// Paths and patterns are bytes, not characters: "?" is one byte of a UTF-8 name.
/// Source: duplicity(1), FILE SELECTION; but brackets are the shell's: duplicity's [!a] takes a
/// '/'.
class Glob {
 public:
  enum class Match {
    no,
    yes,    ///< the path itself
    below,  ///< the path lies below a directory that matches; the path itself may match or not
    above   ///< the path is a directory, no match, and something below it could be one
  };

  /// Throws Error(config) for a pattern that is empty, has "//" or a '/' within brackets, a '['
  /// that is not closed or a range that runs backwards. The message quotes the pattern.
  static Glob parse(std::string_view pattern);

  /// The pattern that matches this path and what lies below it: no byte is special.
  /// Throws Error(config) when the path is empty.
  static Glob literal(std::string_view path);

  /// path: no trailing '/' (but "/" itself), no "//". An absolute path never lies below "/", and a
  /// relative one never below "": the root is not a candidate for `below`, or "**/" (all
  /// directories) would take in every file.
  ///
  /// A literal pattern costs one memcmp, any other path.size() * pattern.size() / 64 steps at most,
  /// whatever the pattern.
  Match match(std::string_view path, bool is_directory) const;

 private:
  Glob() = default;
  bool equals_prefix(std::string_view path, std::size_t size) const;
  Match match_tail(std::string_view path, bool is_directory) const;
  template <typename Words>
  Match run(std::string_view path, bool is_directory, std::uint64_t* state, Words words) const;
  template <typename Words>
  void close(std::uint64_t* state, Words words) const;
  template <typename Words>
  bool step(std::uint64_t* state, Words words, char byte) const;
  bool accepts(const std::uint64_t* state) const;

  std::string prefix_;  ///< the literal bytes in front; lower case when ignore_case_
  bool ignore_case_ = false;
  bool directories_only_ = false;

  // What follows prefix_ is a chain of tokens (one byte of a set, or a run of bytes of a set), run
  // as a nondeterministic automaton, all states at once: bit j of a state says that the bytes so
  // far may be matched by the first j tokens. There is no backtracking to grow exponential.
  std::size_t tokens_ = 0;              ///< 0: the pattern is literal
  std::size_t words_ = 0;               ///< 64-bit words of a state: tokens_ + 1 bits
  std::vector<std::uint64_t> takes_;    ///< [byte][word]: bit j when token j takes the byte
  std::vector<std::uint64_t> repeats_;  ///< [word]: bit j when token j is a run
};

}  // namespace rota::tree
