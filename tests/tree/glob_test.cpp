#include "tree/glob.h"

#include <catch2/catch.hpp>
#include <functional>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"

namespace rota::tree {

using Match = Glob::Match;

static std::ostream& operator<<(std::ostream& out, Match match) {
  static constexpr const char* kNames[] = {"no", "yes", "below", "above"};
  return out << kNames[static_cast<int>(match)];
}

namespace {

struct Case {
  const char* pattern;
  const char* path;
  bool is_directory;
  Match match;
};

constexpr bool kFile = false;
constexpr bool kDirectory = true;

void check_all(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    INFO("pattern " << c.pattern << ", path " << c.path << (c.is_directory ? "/" : ""));
    CHECK(Glob::parse(c.pattern).match(c.path, c.is_directory) == c.match);
  }
}

std::string error_of(const std::string& pattern) {
  try {
    Glob::parse(pattern);
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::config);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a literal pattern matches a path, what is below, and knows what is above", "[glob]") {
  check_all({
      {"/var/tmp", "/var/tmp", kFile, Match::yes},
      {"/var/tmp", "/var/tmp", kDirectory, Match::yes},
      {"/var/tmp", "/var/tmp/a", kFile, Match::below},
      {"/var/tmp", "/var/tmp/a/b", kDirectory, Match::below},
      {"/var/tmp", "/var/tmpfs", kFile, Match::no},
      {"/var/tmp", "/var/tm", kDirectory, Match::no},
      {"/var/tmp", "/var/tmq", kDirectory, Match::no},
      {"/var/tmp", "/var", kDirectory, Match::above},
      {"/var/tmp", "/var", kFile, Match::no},
      {"/var/tmp", "/va", kDirectory, Match::no},
      {"/var/tmp", "/", kDirectory, Match::above},
      {"/var/tmp", "/srv", kDirectory, Match::no},
      {"/a", "/a", kFile, Match::yes},
      {"/a", "/", kDirectory, Match::above},
  });
}

TEST_CASE("a star stays within a name, two stars do not", "[glob]") {
  check_all({
      {"/a/*/c", "/", kDirectory, Match::above},
      {"/a/*/c", "/a", kDirectory, Match::above},
      {"/a/*/c", "/a", kFile, Match::no},
      {"/a/*/c", "/b", kDirectory, Match::no},
      {"/a/*/c", "/a/x", kDirectory, Match::above},
      {"/a/*/c", "/a/x/c", kFile, Match::yes},
      {"/a/*/c", "/a/x/c/d", kFile, Match::below},
      {"/a/*/c", "/a/x/y/c", kDirectory, Match::no},
      {"/a/*/c", "/a/x/cc", kDirectory, Match::no},
      {"/a/*", "/a", kDirectory, Match::above},
      {"/a/*", "/a/b", kFile, Match::yes},
      {"/a/*", "/a/b/c", kFile, Match::below},
      {"/a/b*", "/a/b", kFile, Match::yes},
      {"/a/b*d", "/a/bcd", kFile, Match::yes},
      {"/a/b*d", "/a/bcdc", kFile, Match::no},
      {"/a/**/c", "/a/c", kFile, Match::no},  // "/a/" and "/c" share no '/'
      {"/a/**/c", "/a/c", kDirectory, Match::above},
      {"/a/**/c", "/a/x/c", kFile, Match::yes},
      {"/a/**/c", "/a/x/y/c", kFile, Match::yes},
      {"/a/**/c", "/a/x/y/c/z", kFile, Match::below},
      {"/a/**/c", "/b/x/c", kDirectory, Match::no},
      {"/a/**", "/a", kDirectory, Match::above},
      {"/a/**", "/a", kFile, Match::no},
      {"/a/**", "/a/b", kFile, Match::yes},
      {"/a/**", "/ab", kDirectory, Match::no},
      {"/a**", "/ab/c", kFile, Match::below},
      {"**/keep", "/", kDirectory, Match::above},
      {"**/keep", "/any/where", kDirectory, Match::above},
      {"**/keep", "/any/where", kFile, Match::no},
      {"**/keep", "/keep", kFile, Match::yes},
      {"**/keep", "/any/where/keep", kDirectory, Match::yes},
      {"**/keep", "/any/keep/it", kFile, Match::below},
      {"**.o", "/src/x.o", kFile, Match::yes},
      {"**.o", "/src/x.oo", kFile, Match::no},
      {"*/etc", "/etc", kFile, Match::yes},
      {"*/etc", "/x/etc", kFile, Match::no},
      {"/***b", "/x/y/ab", kFile, Match::yes},
      {"/a/****", "/a/b", kFile, Match::yes},
  });
}

TEST_CASE("the root is matched by what matches everything", "[glob]") {
  check_all({
      {"/", "/", kDirectory, Match::yes},
      {"/", "/a", kFile, Match::yes},
      {"/", "/a/b", kFile, Match::below},
      {"**", "/", kDirectory, Match::yes},
      {"**", "/a", kFile, Match::yes},
      {"/**", "/", kDirectory, Match::yes},
      {"/**", "/a", kFile, Match::yes},
      {"/*", "/", kDirectory, Match::yes},
      {"/?*", "/", kDirectory, Match::above},
      {"*", "/", kDirectory, Match::no},
      {"*.o", "/", kDirectory, Match::no},
      {"?", "/", kDirectory, Match::no},
      {"a", "/", kDirectory, Match::no},
  });
}

TEST_CASE("a question mark is one byte but a slash", "[glob]") {
  check_all({
      {"/a?c", "/abc", kFile, Match::yes},
      {"/a?c", "/ac", kFile, Match::no},
      {"/a?c", "/a/c", kFile, Match::no},
      {"/a??", "/a\xc3\xa9", kFile, Match::yes},  // two bytes of one character
      {"/a?", "/a\xc3\xa9", kFile, Match::no},
      {"/?", "/\xff", kFile, Match::yes},
      {"/\xff*", "/\xff\xfe", kFile, Match::yes},
      {"/a\\*", "/a\\b", kFile, Match::yes},  // no escapes: a backslash is a backslash
      {"/a*", "/a\nb", kFile, Match::yes},
  });
}

TEST_CASE("brackets name bytes, ranges and their opposite, never a slash", "[glob]") {
  check_all({
      {"/a[bc]d", "/abd", kFile, Match::yes},   {"/a[bc]d", "/acd", kFile, Match::yes},
      {"/a[bc]d", "/aed", kFile, Match::no},    {"/[a-c0-9]", "/b", kFile, Match::yes},
      {"/[a-c0-9]", "/5", kFile, Match::yes},   {"/[a-c0-9]", "/d", kFile, Match::no},
      {"/[a-c0-9]", "/-", kFile, Match::no},    {"/[!a-c]", "/d", kFile, Match::yes},
      {"/[!a-c]", "/b", kFile, Match::no},      {"/[^a-c]", "/b", kFile, Match::no},
      {"/[^a-c]", "/^", kFile, Match::yes},     {"/[a^]", "/^", kFile, Match::yes},
      {"/x[!a]y", "/x/y", kFile, Match::no},    {"/x[.-0]y", "/x/y", kFile, Match::no},
      {"/x[.-0]y", "/x.y", kFile, Match::yes},  {"/[]]", "/]", kFile, Match::yes},
      {"/[!]]", "/]", kFile, Match::no},        {"/[!]]", "/a", kFile, Match::yes},
      {"/[]a]", "/a", kFile, Match::yes},       {"/[a-]", "/-", kFile, Match::yes},
      {"/[-a]", "/-", kFile, Match::yes},       {"/[!-a]", "/-", kFile, Match::no},
      {"/[*]", "/*", kFile, Match::yes},        {"/[*]", "/a", kFile, Match::no},
      {"/[[]x]", "/[x]", kFile, Match::yes},    {"/[\x80-\xff]", "/\xe9", kFile, Match::yes},
      {"/[\x80-\xff]", "/e", kFile, Match::no}, {"/a]", "/a]", kFile, Match::yes},
  });
}

TEST_CASE("ignorecase: makes ASCII letters match in either case", "[glob]") {
  check_all({
      {"/Temp", "/temp", kFile, Match::no},
      {"ignorecase:/Temp", "/tEMP", kFile, Match::yes},
      {"IgnoreCase:/Temp", "/temp", kFile, Match::yes},
      {"ignorecase:/Temp", "/TEMP/x", kFile, Match::below},
      {"ignorecase:/Temp/x", "/TEMP", kDirectory, Match::above},
      {"ignorecase:**.JPG", "/a/b.jpg", kFile, Match::yes},
      {"ignorecase:**.jpg", "/a/b.JPG", kFile, Match::yes},
      {"ignorecase:/[a-c]*", "/Bx", kFile, Match::yes},
      {"ignorecase:/[!A-C]*", "/bx", kFile, Match::no},
      {"ignorecase:/[a-c]*", "/Dx", kFile, Match::no},
      {"ignorecase:/@[[]*", "/`{", kFile, Match::no},  // next to the letters, no letters
      {"ignorecase:/\xc3\xa9*", "/\xc3\x89x", kFile, Match::no},
      {"/ignorecase:", "/ignorecase:", kFile, Match::yes},
  });
}

TEST_CASE("a slash at the end asks for a directory", "[glob]") {
  check_all({
      {"/a/b/", "/a/b", kDirectory, Match::yes},
      {"/a/b/", "/a/b", kFile, Match::no},
      {"/a/b/", "/a/b/c", kFile, Match::below},
      {"/a/b/", "/a", kDirectory, Match::above},
      {"/a/*/", "/a/b", kDirectory, Match::yes},
      {"/a/*/", "/a/b", kFile, Match::no},
      {"/a/*/", "/a/b/c", kFile, Match::below},
      {"/a/**/", "/a/b", kFile, Match::no},
      {"**/", "/a", kDirectory, Match::yes},
      {"**/", "/a", kFile, Match::no},
      {"**/", "/a/b", kFile, Match::below},
      {"**/x/", "/x/x", kFile, Match::below},
  });
}

TEST_CASE("a glob matches relative paths as well", "[glob]") {
  check_all({
      {"a/b", "a/b", kFile, Match::yes},
      {"a/b", "a", kDirectory, Match::above},
      {"a/b", "", kDirectory, Match::above},
      {"*.o", "x.o", kFile, Match::yes},
      {"*.o", "", kDirectory, Match::above},
      {"*.o", "", kFile, Match::no},
      {"**/", "a", kFile, Match::no},
  });
}

TEST_CASE("in a literal path no byte is special", "[glob]") {
  CHECK(Glob::literal("/a*[").match("/a*[", kFile) == Match::yes);
  CHECK(Glob::literal("/a*[").match("/a*[/x", kFile) == Match::below);
  CHECK(Glob::literal("/a*[").match("/axx", kFile) == Match::no);
  CHECK(Glob::literal("/a/").match("/a", kFile) == Match::no);
  CHECK(Glob::literal("/a/").match("/a", kDirectory) == Match::yes);
  CHECK(Glob::literal("/").match("/a/b", kFile) == Match::below);
  CHECK(Glob::literal("ignorecase:x").match("x", kFile) == Match::no);
  CHECK_THROWS_AS(Glob::literal(""), base::Error);
}

TEST_CASE("a pattern that means nothing is refused with the mend", "[glob]") {
  using Catch::Contains;
  CHECK_THAT(error_of(""), Contains("is empty"));
  CHECK_THAT(error_of("ignorecase:"), Contains("is empty"));
  CHECK_THAT(error_of("/a//b"), Contains("//"));
  CHECK_THAT(error_of("//"), Contains("//"));
  CHECK_THAT(error_of("/a[b"), Contains("\"/a[b\"") && Contains("without a ']'"));
  CHECK_THAT(error_of("/a["), Contains("without a ']'"));
  CHECK_THAT(error_of("/a[]"), Contains("without a ']'"));
  CHECK_THAT(error_of("/a[!]"), Contains("without a ']'"));
  CHECK_THAT(error_of("/a[]x"), Contains("without a ']'"));
  CHECK_THAT(error_of("/[z-a]"), Contains("backwards"));
  CHECK_THAT(error_of("/[a/b]"), Contains("'/' in brackets"));
  CHECK_THAT(error_of("/\xff[\n"), Contains("\\xff", Catch::CaseSensitive::No));
}

TEST_CASE("hostile patterns and paths end in good time", "[glob]") {
  // A matcher that backtracks needs longer than the world for these: the test is that they end.
  std::string stars = "/";
  for (int i = 0; i < 40; ++i) stars += i % 2 == 0 ? "**a" : "*a";
  const std::string path = "/" + std::string(100'000, 'a');
  CHECK(Glob::parse(stars).match(path, kFile) == Match::yes);
  CHECK(Glob::parse(stars + "b").match(path, kFile) == Match::no);
  CHECK(Glob::parse(stars + "b").match(path, kDirectory) == Match::above);

  std::string deep;
  for (int i = 0; i < 20'000; ++i) deep += "/a";
  CHECK(Glob::parse("**/a**/a**/a**/a**/b").match(deep, kFile) == Match::no);
}

TEST_CASE("patterns of any length keep their meaning", "[glob]") {
  // Around the borders of the 64-bit words of a state.
  for (const std::size_t length :
       {60U, 61U, 62U, 63U, 64U, 65U, 126U, 127U, 128U, 254U, 255U, 256U, 300U, 1000U}) {
    INFO("length " << length);
    const std::string name(length, 'x');
    const Glob glob = Glob::parse("**" + name + "*y");
    CHECK(glob.match("/a/" + name + "y", kFile) == Match::yes);
    CHECK(glob.match("/a/x" + name + "zzy", kFile) == Match::yes);
    CHECK(glob.match("/a/" + name + "y/z", kFile) == Match::below);
    CHECK(glob.match("/a/" + name + "/y", kFile) == Match::no);
    CHECK(glob.match("/a/" + name.substr(1) + "y", kFile) == Match::no);
    CHECK(glob.match("/a/" + name, kDirectory) == Match::above);
  }
}

namespace {

/// A pattern as its parts, so that the reference need not read patterns.
struct Part {
  std::string text;
  bool repeats;
  std::function<bool(char)> takes;
};

/// The slow matcher: tries everything, remembers what it has tried.
class Reference {
 public:
  Reference(const std::vector<Part>& parts, const std::string& path) : parts_(parts), path_(path) {}

  /// The first `size` bytes of the path match the whole pattern.
  bool matches(std::size_t size) { return start(size, false); }
  /// The whole path is the beginning of something that matches.
  bool begins() { return start(path_.size(), true); }

 private:
  bool start(std::size_t end, bool beginning_is_enough) {
    end_ = end;
    beginning_is_enough_ = beginning_is_enough;
    seen_.assign(parts_.size() + 1, std::vector<std::optional<bool>>(end + 1));
    return run(0, 0);
  }
  bool run(std::size_t part, std::size_t at) {
    if (!seen_[part][at]) seen_[part][at] = try_all(part, at);
    return *seen_[part][at];
  }
  bool try_all(std::size_t part, std::size_t at) {
    if (at == end_ && beginning_is_enough_) return true;
    if (part == parts_.size()) return at == end_;
    const bool takes = at < end_ && parts_[part].takes(path_[at]);
    if (!parts_[part].repeats) return takes && run(part + 1, at + 1);
    return run(part + 1, at) || (takes && run(part, at + 1));
  }

  const std::vector<Part>& parts_;
  std::string path_;
  std::size_t end_ = 0;
  bool beginning_is_enough_ = false;
  std::vector<std::vector<std::optional<bool>>> seen_;
};

Match reference_match(const std::vector<Part>& parts, bool directories_only,
                      const std::string& path, bool is_directory) {
  Reference reference(parts, path);
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (path[i] == '/' && reference.matches(i)) return Match::below;
  }
  if (reference.matches(path.size()) && (is_directory || !directories_only)) return Match::yes;
  const std::string inside = path == "/" ? path : path + "/";
  return is_directory && Reference(parts, inside).begins() ? Match::above : Match::no;
}

template <typename T>
const T& pick(const std::vector<T>& from, std::mt19937& random) {
  return from[std::uniform_int_distribution<std::size_t>(0, from.size() - 1)(random)];
}

char folded(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string random_path(std::mt19937& random) {
  std::string path;
  const int names = std::uniform_int_distribution(0, 4)(random);
  for (int i = 0; i < names; ++i) {
    path += '/';
    const int length = std::uniform_int_distribution(1, 3)(random);
    for (int j = 0; j < length; ++j) path += pick<char>({'a', 'a', 'b', 'A', 'c'}, random);
  }
  return path.empty() ? "/" : path;
}

}  // namespace

TEST_CASE("random patterns match as the slow reference does", "[glob]") {
  constexpr unsigned kSeed = 20260104;
  std::mt19937 random(kSeed);
  int counts[4] = {};
  for (int round = 0; round < 4000; ++round) {
    const bool ignore_case = round % 4 == 3;
    const auto one = [&](char wanted) {
      return Part{std::string(1, wanted), false, [=](char c) {
                    return c == wanted || (ignore_case && folded(c) == folded(wanted));
                  }};
    };
    const auto fold = [ignore_case](char c) { return ignore_case ? folded(c) : c; };
    const std::vector<Part> kinds = {
        one('a'),
        one('b'),
        one('A'),
        one('/'),
        one('/'),
        {"*", true, [](char c) { return c != '/'; }},
        {"**", true, [](char) { return true; }},
        {"?", false, [](char c) { return c != '/'; }},
        {"[ab]", false, [fold](char c) { return fold(c) == 'a' || c == 'b'; }},
        {"[!a]", false, [fold](char c) { return fold(c) != 'a' && c != '/'; }},
        {"[b-d]", false, [](char c) { return c >= 'b' && c <= 'd'; }},
    };
    std::vector<Part> parts = {round % 3 == 0 ? kinds[6] : one('/')};
    const int length = std::uniform_int_distribution(1, 8)(random);
    for (int i = 0; i < length; ++i) {
      const Part& part = pick(kinds, random);
      // "//" is refused, and two parts "*" side by side would read as one "**".
      const bool joins = (part.text == "/" || part.text == "*") && parts.back().text == part.text;
      if (!joins) parts.push_back(part);
    }
    bool directories_only = std::uniform_int_distribution(0, 3)(random) == 0;
    if (parts.back().text == "/") {
      if (parts.size() == 1) continue;  // "/" has a meaning of its own
      parts.pop_back();
      directories_only = true;
    }
    std::string pattern = ignore_case ? "ignorecase:" : "";
    for (const Part& part : parts) pattern += part.text;
    if (directories_only) pattern += '/';

    const Glob glob = Glob::parse(pattern);
    for (int i = 0; i < 25; ++i) {
      const std::string path = random_path(random);
      const bool is_directory = path == "/" || i % 2 == 0;
      const Match expected = reference_match(parts, directories_only, path, is_directory);
      const Match actual = glob.match(path, is_directory);
      ++counts[static_cast<int>(expected)];
      if (actual == expected) continue;
      FAIL_CHECK("seed " << kSeed << ", pattern " << pattern << ", path " << path
                         << (is_directory ? "/" : "") << ": " << actual << ", not " << expected);
    }
  }
  // The random cases must be worth something: each answer has to come up often.
  for (const int count : counts) CHECK(count > 2000);
}

TEST_CASE("a directory is above exactly when some path below it matches", "[glob]") {
  // All paths of up to 12 bytes over 'a' and '/': more than patterns of up to 6 parts and
  // directories of up to 5 bytes need for a witness.
  std::vector<std::string> paths = {"/a"};
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::string base = paths[i];
    if (base.size() < 12) paths.push_back(base + "a");
    if (base.size() < 11) paths.push_back(base + "/a");
  }
  constexpr unsigned kSeed = 7;
  std::mt19937 random(kSeed);
  for (int round = 0; round < 300; ++round) {
    std::string pattern = round % 3 == 0 ? "**" : "/";
    const int length = std::uniform_int_distribution(1, 5)(random);
    for (int i = 0; i < length; ++i) {
      const std::string part = pick<std::string>({"a", "/", "*", "**", "?", "[!b]"}, random);
      if (part != "/" || pattern.back() != '/') pattern += part;
    }
    if (pattern == "/") continue;
    const Glob glob = Glob::parse(pattern);
    std::vector<std::string> matching;
    for (const std::string& path : paths) {
      if (glob.match(path, kDirectory) == Match::yes) matching.push_back(path);
    }
    for (const std::string& path : paths) {
      if (path.size() > 5) continue;
      const Match actual = glob.match(path, kDirectory);
      if (actual == Match::yes || actual == Match::below) continue;
      bool witness = false;
      for (const std::string& other : matching) witness = witness || other.starts_with(path + "/");
      if ((actual == Match::above) == witness) continue;
      FAIL_CHECK("seed " << kSeed << ", pattern " << pattern << ", path " << path << ": " << actual
                         << ", but a match below " << (witness ? "is there" : "is not there"));
    }
  }
}

}  // namespace rota::tree
