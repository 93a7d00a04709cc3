#include "tui/grid.h"

#include <catch2/catch.hpp>

using namespace rota::tui;

TEST_CASE("widths are those of the terminal: wide, combining, and plain", "[grid]") {
  CHECK(width(std::string_view("abc")) == 3);
  CHECK(width(std::string_view("日本")) == 4);
  CHECK(width(std::string_view("e\u0301")) == 1);
  CHECK(width(std::string_view("█│…")) == 3);
  CHECK(width(std::string_view("\xff\xfe")) == 2);
}

TEST_CASE("what is too long is cut at a character, never through a wide one", "[grid]") {
  CHECK(fitted("abcdef", 4) == "abc…");
  CHECK(fitted("日本語", 4) == "日…");
  CHECK(fitted("日本語", 6) == "日本語");
  CHECK(fitted("abc", 0).empty());
  CHECK(padded("日", 4) == "日  ");
  CHECK(width(padded("日本語", 4)) == 4);
}

TEST_CASE("a line is divided at blanks, a long word anywhere", "[grid]") {
  CHECK(wrapped("one two three", 8) == std::vector<std::string>{"one two", "three"});
  CHECK(wrapped("abcdefghij", 4) == std::vector<std::string>{"abcd", "efgh", "ij"});
  CHECK(wrapped("日本 語", 4) == std::vector<std::string>{"日本", "語"});
  CHECK(wrapped(" 123日", 4) == std::vector<std::string>{"", "123", "日"});
  CHECK(wrapped("", 4) == std::vector<std::string>{""});
}

TEST_CASE("a grid cuts off what lies outside and never shows half a wide character", "[grid]") {
  Grid grid(5, 2);
  grid.put(3, 0, "日x");
  grid.put(4, 1, "日");
  grid.put(-1, 1, "ab");
  grid.put(0, 7, "nowhere");
  CHECK(grid.text() == "   日\nb\n");
  CHECK(grid.text(true) == "   ??\nb\n");
}

TEST_CASE("control characters and bytes that are no text cannot reach the terminal", "[grid]") {
  Grid grid(20, 1);
  grid.put(0, 0,
           "a\033[2Jb\x9b"
           "c\xff\r\n");
  CHECK(grid.text() == "a [2Jb\uFFFDc\uFFFD\n");
  Grid more(4, 1);
  more.put(0, 0, "\xC2\x9Bx");  // the same control character as UTF-8
  CHECK(more.text() == " x\n");
}

TEST_CASE("a character takes no more combining ones than a cell can hold", "[grid]") {
  Grid grid(3, 1);
  std::string piled = "e";
  for (int i = 0; i < 100; ++i) piled += "\u0301";
  grid.put(0, 0, piled + "x");
  CHECK(grid.at(0, 0).text.size() <= 5);
  CHECK(grid.at(1, 0).text == U"x");
}
