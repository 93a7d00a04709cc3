#include "tui/terminal.h"

#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS 1
#include <curses.h>
#include <langinfo.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/error.h"

// From term.h, whose macros take names such as `columns` and `tab` away from everybody.
extern "C" int setupterm(const char* term, int fd, int* error);

namespace rota::tui {

namespace {

enum Pair : short { kPlainPair = 0, kGoodPair, kWarningPair, kAlarmPair };

Abilities abilities(bool only_ascii) {
  Abilities found;
  const char* term = std::getenv("TERM");
  const std::string_view name = term != nullptr ? term : "";
  found.ascii = only_ascii || std::string_view(::nl_langinfo(CODESET)) != "UTF-8" ||
                name.starts_with("vt1") || name.starts_with("vt2");
  const char* no_colour = std::getenv("NO_COLOR");
  found.colour = ::has_colors() && (no_colour == nullptr || *no_colour == '\0');
  return found;
}

void begin_colours() {
  ::start_color();
  const bool own = ::use_default_colors() == OK;
  const short back = own ? -1 : COLOR_BLACK;
  const bool many = COLORS >= 256;
  ::init_pair(kGoodPair, static_cast<short>(many ? 34 : COLOR_GREEN), back);
  ::init_pair(kWarningPair, static_cast<short>(many ? 178 : COLOR_YELLOW), back);
  ::init_pair(kAlarmPair, static_cast<short>(many ? 196 : COLOR_RED), back);
}

struct Look {
  attr_t attributes = A_NORMAL;
  short pair = kPlainPair;
};

Look look(Style style) {
  switch (style) {
    case Style::plain:
      return {};
    case Style::dim:
      return {A_DIM, kPlainPair};
    case Style::strong:
      return {A_BOLD, kPlainPair};
    case Style::heading:
      return {A_REVERSE, kPlainPair};
    case Style::good:
      return {A_NORMAL, kGoodPair};
    case Style::warning:
      return {A_BOLD, kWarningPair};
    case Style::alarm:
      return {A_BOLD | A_REVERSE, kAlarmPair};
    case Style::selected:
      return {A_REVERSE, kPlainPair};
    case Style::banner:
      return {A_BOLD | A_REVERSE, kGoodPair};
  }
  return {};
}

Key named(KeyCode code) {
  Key key;
  key.code = code;
  return key;
}

std::optional<Key> mouse_key() {
  MEVENT event;
  if (::getmouse(&event) != OK) return std::nullopt;
  if ((event.bstate & BUTTON4_PRESSED) != 0) return named(KeyCode::wheel_up);
  if ((event.bstate & BUTTON5_PRESSED) != 0) return named(KeyCode::wheel_down);
  if ((event.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED)) == 0) return std::nullopt;
  Key key = named(KeyCode::click);
  key.row = event.y;
  return key;
}

std::optional<Key> function_key(wint_t code) {
  switch (code) {
    case KEY_UP:
      return named(KeyCode::up);
    case KEY_DOWN:
      return named(KeyCode::down);
    case KEY_LEFT:
      return named(KeyCode::left);
    case KEY_RIGHT:
      return named(KeyCode::right);
    case KEY_PPAGE:
      return named(KeyCode::page_up);
    case KEY_NPAGE:
      return named(KeyCode::page_down);
    case KEY_HOME:
      return named(KeyCode::home);
    case KEY_END:
      return named(KeyCode::end);
    case KEY_ENTER:
      return named(KeyCode::enter);
    case KEY_BACKSPACE:
    case KEY_DC:
      return named(KeyCode::backspace);
    case KEY_BTAB:
      return named(KeyCode::back_tab);
    case KEY_MOUSE:
      return mouse_key();
    default:
      return std::nullopt;
  }
}

std::optional<Key> character_key(wint_t code) {
  switch (code) {
    case '\r':
    case '\n':
      return named(KeyCode::enter);
    case '\t':
      return named(KeyCode::tab);
    case 27:
      return named(KeyCode::escape);
    case 3:
      return named(KeyCode::interrupt);
    case 12:
      return named(KeyCode::redraw);
    case 8:
    case 127:
      return named(KeyCode::backspace);
    default:
      break;
  }
  if (code < 32) return std::nullopt;
  Key key;
  key.text = encoded(std::u32string(1, static_cast<char32_t>(code)));
  return key;
}

}  // namespace

Terminal::Terminal(bool only_ascii) {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
    throw base::Error(
        base::ErrorKind::usage,
        "the screen needs a terminal; `rota-tui --snapshot 120x40` prints it as text, "
        "and `rota status` says the same in words");
  }
  ::set_escdelay(100);
  SCREEN* screen = ::newterm(nullptr, stdout, stdin);
  if (screen == nullptr) {
    throw base::Error(base::ErrorKind::usage,
                      "this terminal is not known here: set TERM, for example to xterm or vt100");
  }
  abilities_ = abilities(only_ascii);
  ::raw();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  ::curs_set(0);
  ::mouseinterval(0);
  ::mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, nullptr);
  if (abilities_.colour) begin_colours();
  if (::tigetstr("cup") == nullptr) {
    ::endwin();
    throw base::Error(base::ErrorKind::usage,
                      "this terminal cannot move its cursor; `rota status` says in words what the "
                      "screen shows");
  }
}

Terminal::~Terminal() {
  // Where there is no second screen to leave, the prompt comes onto an empty line.
  ::move(LINES - 1, 0);
  ::clrtoeol();
  ::refresh();
  ::endwin();
}

int Terminal::columns() const { return COLS; }
int Terminal::rows() const { return LINES; }

void Terminal::show(const Grid& grid) {
  for (int row = 0; row < std::min(grid.rows(), LINES); ++row) {
    for (int column = 0; column < std::min(grid.columns(), COLS); ++column) {
      const Cell& cell = grid.at(column, row);
      const Look style = look(cell.style);
      const short pair = abilities_.colour ? style.pair : short{kPlainPair};
      std::array<wchar_t, CCHARW_MAX + 1> text{};
      if (abilities_.ascii) {
        text[0] = static_cast<wchar_t>(cell.text.empty() ? '?' : ascii(cell.text.front()));
      } else {
        if (cell.text.empty()) continue;  // the right half of the one before
        const std::size_t length = std::min<std::size_t>(cell.text.size(), CCHARW_MAX);
        for (std::size_t i = 0; i < length; ++i) text[i] = static_cast<wchar_t>(cell.text[i]);
      }
      cchar_t shown;
      if (::setcchar(&shown, text.data(), style.attributes, pair, nullptr) == OK) {
        ::mvadd_wch(row, column, &shown);
      }
    }
  }
  ::refresh();
}

void Terminal::redraw() { ::clearok(curscr, TRUE); }

std::optional<Key> Terminal::key() {
  for (;;) {
    wint_t code = 0;
    const int kind = ::get_wch(&code);
    if (kind == ERR) return std::nullopt;
    // KEY_RESIZE is none of ours: by then the new size is taken in, and ncurses sends every cell
    // anew.
    auto key = kind == KEY_CODE_YES ? function_key(code) : character_key(code);
    if (key) return key;
  }
}

void reset_terminal() {
  int error = 0;
  if (::isatty(STDOUT_FILENO) == 0 || ::setupterm(nullptr, STDOUT_FILENO, &error) != OK) return;
  std::string sequence;
  for (const char* name : {"sgr0", "rmkx", "cnorm", "rmcup"}) {
    const char* text = ::tigetstr(name);
    if (text != nullptr && reinterpret_cast<std::intptr_t>(text) != -1) sequence += text;
    if (std::string_view(name) != "rmkx") continue;
    const char* mouse = ::tigetstr("kmous");
    if (mouse != nullptr && reinterpret_cast<std::intptr_t>(mouse) != -1) {
      sequence += "\033[?1006l\033[?1000l";
    }
  }
  ::putp(sequence.c_str());
  std::fflush(stdout);
}

}  // namespace rota::tui
