#include "tree/glob.h"

#include <fmt/core.h>

#include <algorithm>
#include <bitset>
#include <type_traits>

#include "base/error.h"
#include "base/text.h"

namespace rota::tree {

namespace {

using base::Error;
using base::ErrorKind;
using ByteSet = std::bitset<256>;

constexpr std::size_t kWordBits = 64;
constexpr std::string_view kIgnoreCase = "ignorecase:";

struct Token {
  ByteSet bytes;
  bool repeats = false;
};

std::size_t index(char byte) { return static_cast<unsigned char>(byte); }
char lower(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + ('a' - 'A')) : byte;
}
bool equal_lower(std::string_view any_case, std::string_view lower_case) {
  return std::equal(any_case.begin(), any_case.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) { return lower(a) == b; });
}

[[noreturn]] void fail(std::string_view pattern, std::string_view reason) {
  throw Error(ErrorKind::config,
              fmt::format("the pattern \"{}\" {}", base::printable(pattern), reason));
}

void add_other_case(ByteSet& set) {
  for (std::size_t small = 'a'; small <= 'z'; ++small) {
    const std::size_t capital = small - 'a' + 'A';
    if (set[small] || set[capital]) set.set(small).set(capital);
  }
}

ByteSet any_but_slash() { return ByteSet().set().reset(index('/')); }

/// Reads "[...]" and moves `at` from the '[' to behind the ']'.
ByteSet parse_brackets(std::string_view pattern, std::size_t& at, bool ignore_case) {
  std::size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  const std::size_t end = pattern.find(']', i + 1);  // + 1: a ']' that stands first is a member
  if (end == std::string_view::npos) {
    fail(pattern, "has a '[' without a ']': close it, or write \"[[]\" for a '[' in a name");
  }
  ByteSet set;
  while (i < end) {
    const std::size_t first = index(pattern[i]);
    std::size_t last = first;
    if (i + 2 < end && pattern[i + 1] == '-') {
      last = index(pattern[i + 2]);
      if (last < first) fail(pattern, "has a range in brackets that runs backwards: swap its ends");
      i += 2;
    }
    ++i;
    if (first == index('/') || last == index('/')) {
      fail(pattern, "has a '/' in brackets, where it can never match: take it out");
    }
    for (std::size_t byte = first; byte <= last; ++byte) set.set(byte);
  }
  if (ignore_case) add_other_case(set);
  at = end + 1;
  return (negated ? ~set : set) & any_but_slash();
}

Token parse_token(std::string_view pattern, std::size_t& at, bool ignore_case) {
  switch (pattern[at]) {
    case '*':
      ++at;
      if (at == pattern.size() || pattern[at] != '*') return {any_but_slash(), true};
      ++at;
      return {ByteSet().set(), true};
    case '?':
      ++at;
      return {any_but_slash(), false};
    case '[':
      return {parse_brackets(pattern, at, ignore_case), false};
    default: {
      ByteSet set;
      set.set(index(pattern[at++]));
      if (ignore_case) add_other_case(set);
      return {set, false};
    }
  }
}

}  // namespace

Glob Glob::literal(std::string_view path) {
  if (path.empty()) throw Error(ErrorKind::config, "a path to match is empty: give a full path");
  if (path == "/") return parse(path);
  Glob glob;
  glob.directories_only_ = path.back() == '/';
  glob.prefix_ = path.substr(0, path.size() - (glob.directories_only_ ? 1 : 0));
  return glob;
}

Glob Glob::parse(std::string_view pattern) {
  Glob glob;
  std::string_view rest = pattern;
  glob.ignore_case_ = equal_lower(rest.substr(0, kIgnoreCase.size()), kIgnoreCase);
  if (glob.ignore_case_) rest.remove_prefix(kIgnoreCase.size());
  if (rest.empty()) fail(pattern, "is empty: write a path, or \"**\" for everything");
  if (rest.find("//") != std::string_view::npos) {
    fail(pattern, "has \"//\", which no path has: write one '/'");
  }
  if (rest == "/") {
    rest = "/**";
  } else if (rest.back() == '/') {
    glob.directories_only_ = true;
    rest.remove_suffix(1);
  }

  std::size_t at = std::min(rest.find_first_of("*?["), rest.size());
  glob.prefix_ = rest.substr(0, at);
  if (glob.ignore_case_) {
    std::transform(glob.prefix_.begin(), glob.prefix_.end(), glob.prefix_.begin(), lower);
  }

  std::vector<Token> tokens;
  while (at < rest.size()) {
    const Token token = parse_token(rest, at, glob.ignore_case_);
    // "***": stars behind a "**" add nothing. close() relies on no two runs in a row.
    const bool idle = token.repeats && !tokens.empty() && tokens.back().repeats;
    if (!idle) tokens.push_back(token);
  }

  glob.tokens_ = tokens.size();
  if (tokens.empty()) return glob;
  glob.words_ = tokens.size() / kWordBits + 1;
  glob.takes_.resize(256 * glob.words_);
  glob.repeats_.resize(glob.words_);
  for (std::size_t j = 0; j < tokens.size(); ++j) {
    const std::uint64_t bit = std::uint64_t{1} << (j % kWordBits);
    const std::size_t word = j / kWordBits;
    if (tokens[j].repeats) glob.repeats_[word] |= bit;
    for (std::size_t byte = 0; byte < 256; ++byte) {
      if (tokens[j].bytes[byte]) glob.takes_[byte * glob.words_ + word] |= bit;
    }
  }
  return glob;
}

bool Glob::equals_prefix(std::string_view path, std::size_t size) const {
  const std::string_view front = path.substr(0, size);
  const std::string_view wanted = std::string_view(prefix_).substr(0, size);
  return ignore_case_ ? equal_lower(front, wanted) : front == wanted;
}

Glob::Match Glob::match(std::string_view path, bool is_directory) const {
  if (path.size() < prefix_.size()) {
    if (!is_directory) return Match::no;
    const bool at_border = path.empty() || path == "/" || prefix_[path.size()] == '/';
    return at_border && equals_prefix(path, path.size()) ? Match::above : Match::no;
  }
  if (!equals_prefix(path, prefix_.size())) return Match::no;
  if (tokens_ > 0) return match_tail(path, is_directory);
  if (path.size() > prefix_.size()) {
    return path[prefix_.size()] == '/' ? Match::below : Match::no;
  }
  return is_directory || !directories_only_ ? Match::yes : Match::no;
}

Glob::Match Glob::match_tail(std::string_view path, bool is_directory) const {
  // The number of words is a constant for nearly all patterns, and the loops over words vanish.
  if (words_ == 1) {
    std::uint64_t state = 0;
    return run(path, is_directory, &state, std::integral_constant<std::size_t, 1>());
  }
  std::vector<std::uint64_t> state(words_);
  return run(path, is_directory, state.data(), words_);
}

template <typename Words>
Glob::Match Glob::run(std::string_view path, bool is_directory, std::uint64_t* state,
                      Words words) const {
  state[0] = 1;
  close(state, words);
  for (std::size_t i = prefix_.size(); i < path.size(); ++i) {
    if (path[i] == '/' && i > 0 && accepts(state)) return Match::below;
    if (!step(state, words, path[i])) return Match::no;
  }
  if (accepts(state) && (is_directory || !directories_only_)) return Match::yes;
  if (!is_directory) return Match::no;
  // Every token takes some byte, so whatever is alive can be carried on to a match; that a name
  // must not be empty is no hindrance, because no pattern has "//".
  return path.empty() || path == "/" || step(state, words, '/') ? Match::above : Match::no;
}

/// Adds the states that are reached by a run's matching nothing. Two runs never stand side by side,
/// so one round is enough.
template <typename Words>
void Glob::close(std::uint64_t* state, Words words) const {
  for (std::size_t w = words; w-- > 0;) {
    const std::uint64_t carry = w > 0 ? (state[w - 1] & repeats_[w - 1]) >> (kWordBits - 1) : 0;
    state[w] |= ((state[w] & repeats_[w]) << 1) | carry;
  }
}

/// Moves on by one byte. False when no state is left.
template <typename Words>
bool Glob::step(std::uint64_t* state, Words words, char byte) const {
  const std::uint64_t* const takes = takes_.data() + index(byte) * words;
  std::uint64_t alive = 0;
  for (std::size_t w = words; w-- > 0;) {  // downwards: word w needs the old word w - 1
    const std::uint64_t carry =
        w > 0 ? (state[w - 1] & takes[w - 1] & ~repeats_[w - 1]) >> (kWordBits - 1) : 0;
    const std::uint64_t taken = state[w] & takes[w];
    state[w] = (taken & repeats_[w]) | ((taken & ~repeats_[w]) << 1) | carry;
    alive |= state[w];
  }
  if (alive == 0) return false;
  close(state, words);
  return true;
}

bool Glob::accepts(const std::uint64_t* state) const {
  return ((state[tokens_ / kWordBits] >> (tokens_ % kWordBits)) & 1) != 0;
}

}  // namespace rota::tree
