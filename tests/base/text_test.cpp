#include "base/text.h"

#include <catch2/catch.hpp>

using namespace rota::base;

TEST_CASE("a text of several lines keeps them, and what was made printable before", "[text]") {
  CHECK(printable_text("a\n\tb") == "a\n\tb");
  CHECK(printable_text(printable("\x1b]0;x\a")) == "\\x1b]0;x\\x07");
  CHECK(printable_text("\x1b[2J\r\xc2\x9b caf\xe9 é") == "\\x1b[2J\\x0d\\xc2\\x9b caf\\xe9 é");
  CHECK(printable_text(std::string_view("a\0b", 3)) == "a\\x00b");
}

TEST_CASE("a text is printable when a terminal shows it as it is", "[text]") {
  for (const char* text : {"", "the bank", "Übung\\日本", "'"}) CHECK(is_printable(text));
  for (const char* text : {"a\nb", "\t", "\x1b[m", "\x7f", "\xc2\x9b", "caf\xe9"}) {
    CHECK_FALSE(is_printable(text));
  }
}

TEST_CASE("a shell reads a quoted word as it was", "[text]") {
  CHECK(shell_quoted("") == "''");
  CHECK(shell_quoted("the bank") == "'the bank'");
  CHECK(shell_quoted("jo's $(reboot) `x` \\") == "'jo'\\''s $(reboot) `x` \\'");
}

TEST_CASE("printable text keeps UTF-8 and shows all else as escapes", "[text]") {
  CHECK(printable("") == "");
  CHECK(printable("notes 2026.txt") == "notes 2026.txt");
  CHECK(printable("Übung/日本/😀") == "Übung/日本/😀");
  CHECK(printable("a\nb\tc") == "a\\x0ab\\x09c");
  CHECK(printable("\x1b[31mred\x7f") == "\\x1b[31mred\\x7f");
  CHECK(printable(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(printable("C:\\temp") == "C:\\\\temp");
  CHECK(printable("caf\xe9") == "caf\\xe9");
  CHECK(printable("\xe9 \xc3\xa9") == "\\xe9 é");
}

TEST_CASE("printable text escapes the controls that hide in UTF-8", "[text]") {
  CHECK(printable("\xc2\x9b"
                  "31m") == "\\xc2\\x9b31m");
  CHECK(printable("\xc2\xa0") == "\xc2\xa0");  // a no-break space is no control
}

TEST_CASE("two different names never look the same when printed", "[text]") {
  CHECK(printable("\n") != printable("\\x0a"));
  CHECK(printable("\xff") != printable("\\xff"));
}

TEST_CASE("a path that would fill a screen is shown by its ends", "[text]") {
  CHECK(shortened("") == "");
  CHECK(shortened(std::string(400, 'x')) == std::string(400, 'x'));
  const std::string text = shortened("/begin/" + std::string(30'000, 'x') + "/end");
  CHECK(text.size() == 403);
  CHECK(text.starts_with("/begin/x"));
  CHECK(text.find("x...x") != std::string::npos);
  CHECK(text.ends_with("x/end"));
}

TEST_CASE("only well-formed sequences are UTF-8", "[text]") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("plain"));
  CHECK(is_utf8("\xc2\x80"));
  CHECK(is_utf8("\xdf\xbf"));
  CHECK(is_utf8("\xe0\xa0\x80"));
  CHECK(is_utf8("\xed\x9f\xbf"));
  CHECK(is_utf8("\xef\xbf\xbf"));
  CHECK(is_utf8("\xf0\x90\x80\x80"));
  CHECK(is_utf8("\xf4\x8f\xbf\xbf"));

  CHECK_FALSE(is_utf8("\x80"));              // a continuation without a start
  CHECK_FALSE(is_utf8("a\xc3"));             // cut off
  CHECK_FALSE(is_utf8("\xe2\x82"));          // cut off
  CHECK_FALSE(is_utf8("\xf0\x9f\x98"));      // cut off
  CHECK_FALSE(is_utf8("\xc3("));             // no continuation
  CHECK_FALSE(is_utf8("\xe2\x82("));         // no continuation
  CHECK_FALSE(is_utf8("\xc0\xaf"));          // overlong '/'
  CHECK_FALSE(is_utf8("\xc1\xbf"));          // overlong
  CHECK_FALSE(is_utf8("\xe0\x9f\xbf"));      // overlong
  CHECK_FALSE(is_utf8("\xf0\x8f\xbf\xbf"));  // overlong
  CHECK_FALSE(is_utf8("\xed\xa0\x80"));      // a surrogate
  CHECK_FALSE(is_utf8("\xf4\x90\x80\x80"));  // beyond U+10FFFF
  CHECK_FALSE(is_utf8("\xf5\x80\x80\x80"));
  CHECK_FALSE(is_utf8("\xff"));
}

TEST_CASE("sizes have three figures at most and decimal units", "[text]") {
  CHECK(human_size(0) == "0 B");
  CHECK(human_size(999) == "999 B");
  CHECK(human_size(1000) == "1 kB");
  CHECK(human_size(1005) == "1.01 kB");
  CHECK(human_size(1004) == "1 kB");
  CHECK(human_size(1'500'000'000) == "1.5 GB");
  CHECK(human_size(1'234'000) == "1.23 MB");
  CHECK(human_size(12'345'678) == "12.3 MB");
  CHECK(human_size(123'456'789) == "123 MB");
  CHECK(human_size(2'050'000'000'000) == "2.05 TB");
}

TEST_CASE("a size that rounds up to a thousand takes the next unit", "[text]") {
  CHECK(human_size(9'994) == "9.99 kB");
  CHECK(human_size(9'995) == "10 kB");
  CHECK(human_size(99'949) == "99.9 kB");
  CHECK(human_size(99'950) == "100 kB");
  CHECK(human_size(999'499) == "999 kB");
  CHECK(human_size(999'500) == "1 MB");
  CHECK(human_size(999'999'999'999) == "1 TB");
  CHECK(human_size(UINT64_MAX) == "18.4 EB");
}

TEST_CASE("counts have a comma every three figures", "[text]") {
  CHECK(human_count(0) == "0");
  CHECK(human_count(999) == "999");
  CHECK(human_count(1000) == "1,000");
  CHECK(human_count(78'204) == "78,204");
  CHECK(human_count(123'456) == "123,456");
  CHECK(human_count(UINT64_MAX) == "18,446,744,073,709,551,615");
}

TEST_CASE("durations show their two largest units", "[text]") {
  CHECK(human_duration(-5) == "0 s");
  CHECK(human_duration(0) == "0 s");
  CHECK(human_duration(45) == "45 s");
  CHECK(human_duration(60) == "1 min");
  CHECK(human_duration(65) == "1 min 05 s");
  CHECK(human_duration(200) == "3 min 20 s");
  CHECK(human_duration(3599) == "59 min 59 s");
  CHECK(human_duration(3600) == "1 h");
  CHECK(human_duration(7500) == "2 h 05 min");
  CHECK(human_duration(26 * 3600) == "26 h");
  CHECK(human_duration(2 * 86400 - 1) == "47 h 59 min");
  CHECK(human_duration(3 * 86400 + 80000) == "3 days");
}

TEST_CASE("the nearest word is the one that was probably meant", "[text]") {
  const std::vector<std::string> commands = {"backup", "restore", "list", "check", "disk"};
  CHECK(nearest("bakcup", commands) == "backup");
  CHECK(nearest("backpu", commands) == "backup");
  CHECK(nearest("restroe", commands) == "restore");
  CHECK(nearest("lsit", commands) == "list");  // a swap is one slip
  CHECK(nearest("dis", commands) == "disk");
  CHECK(nearest("list", commands) == "list");
}

TEST_CASE("a word that is too far from all has no nearest", "[text]") {
  const std::vector<std::string> commands = {"backup", "restore", "list"};
  CHECK(nearest("", commands) == std::nullopt);
  CHECK(nearest("xyzzy", commands) == std::nullopt);
  CHECK(nearest("mist-ake", commands) == std::nullopt);
  CHECK(nearest("lost", {}) == std::nullopt);
  CHECK(nearest("lo", commands) == std::nullopt);
  // A third of six is two.
  CHECK(nearest("xxckup", commands) == "backup");
  CHECK(nearest("xxxkup", commands) == std::nullopt);
}

TEST_CASE("the nearest of several equals is the first", "[text]") {
  const std::vector<std::string> names = {"cat", "bat", "at"};
  CHECK(nearest("rat", names) == "cat");
  CHECK(nearest("bat", names) == "bat");
}

TEST_CASE("a table lines up its columns by characters", "[text]") {
  CHECK(table({"disk", ">size", "state"}, {{"Küche", "1.5 GB", "fresh"}, {"b", "700 MB", "old"}}) ==
        "disk     size  state\n"
        "Küche  1.5 GB  fresh\n"
        "b      700 MB  old\n");
}

TEST_CASE("a table has no blanks at the ends of its lines and takes short rows", "[text]") {
  CHECK(table({"a", "b"}, {{"long text"}, {"x", "y"}, {}}) ==
        "a          b\n"
        "long text\n"
        "x          y\n"
        "\n");
  CHECK(table({"name"}, {}) == "name\n");
  CHECK(table({}, {{"a", "b"}}) == "a  b\n");
  CHECK(table({}, {}) == "");
}
