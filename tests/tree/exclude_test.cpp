#include "tree/exclude.h"

#include <catch2/catch.hpp>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace rota::tree {

static std::ostream& operator<<(std::ostream& out, Verdict verdict) {
  static constexpr const char* kNames[] = {"include", "exclude", "scan"};
  return out << kNames[static_cast<int>(verdict)];
}

namespace {

struct Case {
  std::string path;  ///< a directory when it ends with '/'
  Verdict verdict;
};

/// A rule set and what is expected of it.
class Given {
 public:
  explicit Given(const std::string& text)
      : text_(text), rules_(ExcludeRules::parse(text, "rules")) {}
  explicit Given(ExcludeRules rules) : rules_(std::move(rules)) {}

  void expect(const std::vector<Case>& cases) const {
    INFO("rules\n" << text_);
    for (Case c : cases) {
      INFO("path " << c.path);
      const bool is_directory = c.path.back() == '/';
      if (is_directory && c.path.size() > 1) c.path.pop_back();
      CHECK(rules_.match(c.path, is_directory) == c.verdict);
    }
  }

 private:
  std::string text_;
  ExcludeRules rules_;
};

std::string error_of(const std::string& text) {
  try {
    ExcludeRules::parse(text, "/etc/rota/exclude");
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::config);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("no rules take everything in", "[exclude]") {
  CHECK(ExcludeRules().empty());
  CHECK(ExcludeRules::parse("", "rules").empty());
  CHECK(ExcludeRules::parse("\n  \n# - /a\n  # - /a\r\n\r\n", "rules").empty());
  Given("").expect({{"/", Verdict::include}, {"/a", Verdict::include}});
}

TEST_CASE("a minus leaves out a path and all below it", "[exclude]") {
  Given("- /proc\n- /var/tmp/*\n- **.o\n")
      .expect({
          {"/", Verdict::include},
          {"/proc/", Verdict::exclude},
          {"/proc/1", Verdict::exclude},
          {"/process", Verdict::include},
          {"/var/", Verdict::include},
          {"/var/tmp/", Verdict::include},
          {"/var/tmp/x", Verdict::exclude},
          {"/src/a.o", Verdict::exclude},
          {"/src/a.c", Verdict::include},
      });
}

TEST_CASE("the first rule that matches decides", "[exclude]") {
  Given("+ /a/keep\n- /a\n+ /a/late\n")
      .expect({
          {"/a/keep", Verdict::include},
          {"/a/keep/x", Verdict::include},
          {"/a/late", Verdict::exclude},
          {"/a/x", Verdict::exclude},
          {"/a/", Verdict::scan},
          {"/b", Verdict::include},
      });
  Given("- /a\n+ /a/keep\n").expect({{"/a/", Verdict::exclude}, {"/a/keep", Verdict::exclude}});
}

TEST_CASE("directories above what a plus names are scanned when a later minus matches them",
          "[exclude]") {
  Given("+ /a/*/c\n")
      .expect({
          {"/", Verdict::include},
          {"/a/", Verdict::include},
          {"/a", Verdict::include},
          {"/a/x/", Verdict::include},
          {"/a/x/c", Verdict::include},
          {"/a/x/c/d", Verdict::include},
          {"/a/x/d/", Verdict::include},
          {"/b/", Verdict::include},
      });
  Given("+ /a/*/c\n- **\n")
      .expect({
          {"/", Verdict::scan},
          {"/a/", Verdict::scan},
          {"/a", Verdict::exclude},  // a file: nothing can be below
          {"/a/x/", Verdict::scan},
          {"/a/x/c/", Verdict::include},
          {"/a/x/c/d", Verdict::include},
          {"/a/x/d/", Verdict::exclude},
          {"/b/", Verdict::exclude},
      });
  Given("+ **/keep\n- **\n")
      .expect({
          {"/", Verdict::scan},
          {"/any/", Verdict::scan},
          {"/any/where/", Verdict::scan},
          {"/any/file", Verdict::exclude},
          {"/any/keep", Verdict::include},
          {"/any/keep/it", Verdict::include},
      });
  // Without a minus nothing is left out, empty directories neither.
  Given("+ **/keep\n").expect({{"/any/", Verdict::include}, {"/any/file", Verdict::include}});
  Given("+ **/keep\n- /b\n").expect({{"/a/", Verdict::include}, {"/b/", Verdict::scan}});
  Given("+ /etc\n").expect({{"/", Verdict::include}, {"/etc/", Verdict::include}});
}

TEST_CASE("a later plus that matches a directory itself keeps it even when empty", "[exclude]") {
  Given("+ /a/b/c\n+ /a/b\n- **\n").expect({{"/a/", Verdict::scan}, {"/a/b/", Verdict::include}});
  // A minus has nothing to say about the directories above its pattern.
  Given("- /a/b/c\n- /a/b/d/**\n")
      .expect({{"/a/", Verdict::include}, {"/a/b/d/", Verdict::include}});
}

TEST_CASE("a minus for everything leaves out what no rule before has named", "[exclude]") {
  for (const char* everything : {"- **", "- /", "- /**"}) {
    Given(std::string("+ /home/ann\n") + everything)
        .expect({
            {"/", Verdict::scan},
            {"/home/", Verdict::scan},
            {"/home/ann/", Verdict::include},
            {"/home/ann/x", Verdict::include},
            {"/home/bob/", Verdict::exclude},
            {"/etc/", Verdict::exclude},
            {"/vmlinuz", Verdict::exclude},
        });
    Given(everything).expect({{"/", Verdict::exclude}, {"/a", Verdict::exclude}});
  }
}

TEST_CASE("a slash at the end restricts a rule to directories", "[exclude]") {
  Given("- /a/cache/\n- **/tmp/\n")
      .expect({
          {"/a/cache/", Verdict::exclude},
          {"/a/cache/x", Verdict::exclude},
          {"/a/cache", Verdict::include},
          {"/b/tmp/", Verdict::exclude},
          {"/b/tmp", Verdict::include},
      });
  Given("+ /a/b/\n- **\n")
      .expect({
          {"/a/", Verdict::scan},
          {"/a/b/", Verdict::include},
          {"/a/b/x", Verdict::include},
          {"/a/b", Verdict::exclude},
      });
}

TEST_CASE("a line may be bare, blank, quoted, indented or end with CR", "[exclude]") {
  const Verdict out = Verdict::exclude;
  const Verdict in = Verdict::include;
  Given("/a\n- /").expect({{"/a", in}, {"/b", out}});  // bare: takes in; no newline at the end
  Given("- /a\r\n- /b\r\n").expect({{"/a", out}, {"/b", out}, {"/c", in}});
  Given("  -   /a \t\n").expect({{"/a", out}, {"/a ", in}});
  Given("-\t/a\n").expect({{"/a", out}});
  Given("- /a b\n").expect({{"/a b", out}, {"/a", in}});
  Given("- \"/a \"\n- '/b '\n").expect({{"/a ", out}, {"/a", in}, {"/b ", out}, {"/b", in}});
  Given("- \"ignorecase:/A \"\n").expect({{"/a ", out}});
  Given("- /a\"\n- /#b\n").expect({{"/a\"", out}, {"/#b", out}});
  Given("- /\xff\xfe\n").expect({{"/\xff\xfe", out}, {"/\xff", in}});
  Given("- ignorecase:/Tmp\n").expect({{"/TMP/x", out}});
  Given("- */a\n").expect({{"/a", out}, {"/b/a", in}});
}

TEST_CASE("rules are joined in order", "[exclude]") {
  ExcludeRules rules;
  rules.add_exclude("/srv/store[1]");
  CHECK_FALSE(rules.empty());
  rules.append(ExcludeRules::parse("+ /srv\n- **\n", "rules"));
  Given(rules).expect({
      {"/srv/", Verdict::include},
      {"/srv/store[1]/", Verdict::exclude},
      {"/srv/store[1]/x", Verdict::exclude},
      {"/srv/store1", Verdict::include},
      {"/etc/", Verdict::exclude},
  });
  CHECK_THROWS_AS(rules.add_exclude("srv"), base::Error);
  CHECK_THROWS_AS(rules.add_exclude(""), base::Error);
}

TEST_CASE("a rule that cannot be meant is refused with file, line and mend", "[exclude]") {
  using Catch::Contains;
  using Catch::StartsWith;
  for (const char* pattern :
       {"proc", "*.o", "?a", "[a-z]x", "*", "./a", "ignorecase:proc", "*proc", "\"/a", "~/x"}) {
    INFO(pattern);
    CHECK_THAT(error_of("# one\n\n- " + std::string(pattern) + "\n"),
               StartsWith("/etc/rota/exclude:3: ") && Contains("patterns are full paths") &&
                   Contains("\"**/\" to match at any depth"));
    CHECK_THAT(error_of(pattern), Contains("exclude:1: ") && Contains("full paths"));
  }
  CHECK_THAT(error_of("- /a\n+ /b[c\n"), StartsWith("/etc/rota/exclude:2: ") &&
                                             Contains("\"/b[c\"") && Contains("without a ']'"));
  CHECK_THAT(error_of("-/a\n"),
             StartsWith("/etc/rota/exclude:1: ") && Contains("\"- /full/path\""));
  CHECK_THAT(error_of("+\n"), Contains("\"+ /full/path\""));
  CHECK_THAT(error_of("- \"\"\n"), Contains("exclude:1: ") && Contains("is empty"));
  CHECK_THAT(error_of("- /a//b\n"), Contains("exclude:1: "));
}

}  // namespace rota::tree
