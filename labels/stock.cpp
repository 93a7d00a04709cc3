#include "labels/stock.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "profile/config_file.h"
#include "profile/setting_value.h"

namespace rota::labels {

namespace {

using base::Error;
using base::ErrorKind;
using profile::SettingValue;

constexpr double kSmallest = 8;  // mm; no code that a scanner can read is smaller
constexpr double kLargest = 500;
constexpr double kSlack = 0.05;  // mm; the makers' own tables are rounded

struct Paper {
  std::string_view name;
  double width;
  double height;
};
constexpr std::array kPapers{Paper{"A4", 210, 297}, Paper{"Letter", 215.9, 279.4},
                             Paper{"roll", 0, 0}};

[[noreturn]] void fail(const std::string& message) { throw Error(ErrorKind::config, message); }

std::string one_line(const SettingValue& value) {
  std::string text = value.text();
  if (text.empty() || text.size() > 100 || base::printable(text) != text) {
    value.reject("must be 1 to 100 printable characters");
  }
  return text;
}

struct Row {
  std::string_view key;
  bool needed;  ///< of sheets
  void (*read)(const SettingValue& value, Stock& stock);
};

constexpr std::array kRows{
    Row{"title", true,
        [](const SettingValue& value, Stock& stock) { stock.title = one_line(value); }},
    Row{"aliases", false,
        [](const SettingValue& value, Stock& stock) {
          stock.aliases = value.texts(R"(["30252"])");
          for (const std::string& alias : stock.aliases) {
            if (alias.empty() || alias.size() > 32 || base::printable(alias) != alias) {
              value.reject("holds a name that is not 1 to 32 printable characters");
            }
          }
        }},
    Row{"use", false, [](const SettingValue& value, Stock& stock) { stock.use = one_line(value); }},
    Row{"paper", true,
        [](const SettingValue& value, Stock& stock) {
          const std::string name = value.text();
          const auto paper = std::ranges::find(kPapers, std::string_view(name), &Paper::name);
          if (paper == kPapers.end()) value.reject("must be \"A4\", \"Letter\" or \"roll\"");
          stock.roll = paper->name == "roll";
          stock.page_width = paper->width;
          stock.page_height = paper->height;
        }},
    Row{"width", true,
        [](const SettingValue& value, Stock& stock) {
          stock.width = value.number(kSmallest, kLargest);
        }},
    Row{"height", true,
        [](const SettingValue& value, Stock& stock) {
          stock.height = value.number(kSmallest, kLargest);
        }},
    Row{"columns", true,
        [](const SettingValue& value, Stock& stock) { stock.columns = value.integer(1, 50); }},
    Row{"rows", true,
        [](const SettingValue& value, Stock& stock) { stock.rows = value.integer(1, 100); }},
    Row{"left", true,
        [](const SettingValue& value, Stock& stock) { stock.left = value.number(0, kLargest); }},
    Row{"top", true,
        [](const SettingValue& value, Stock& stock) { stock.top = value.number(0, kLargest); }},
    Row{"step_x", true,
        [](const SettingValue& value, Stock& stock) { stock.step_x = value.number(0, kLargest); }},
    Row{"step_y", true,
        [](const SettingValue& value, Stock& stock) { stock.step_y = value.number(0, kLargest); }},
};

/// Of a roll, every label is a page.
bool of_rolls(std::string_view key) {
  return key == "title" || key == "aliases" || key == "use" || key == "paper" || key == "width" ||
         key == "height";
}

void check_keys(const toml::table& table, const Stock& stock, const std::string& file) {
  for (const Row& row : kRows) {
    const bool there = table.contains(row.key);
    if (stock.roll && there && !of_rolls(row.key)) {
      fail(fmt::format("{}: {} is a key of sheets; each label of a roll is a page of its own", file,
                       row.key));
    }
    if (row.needed && !there && (!stock.roll || of_rolls(row.key))) {
      fail(fmt::format("{}: the key {} is missing", file, row.key));
    }
  }
}

void check_sheet(const Stock& stock, const std::string& file) {
  const auto check = [&](const char* what, const char* step_name, int count, double first,
                         double step, double size, double page) {
    if (count > 1 && step < size - kSlack) {
      fail(fmt::format("{}: {} is {} mm, less than a label of {} mm: they would overlap", file,
                       step_name, step, size));
    }
    const double end = first + (count - 1) * step + size;
    if (end > page + kSlack) {
      fail(fmt::format("{}: the {} end at {:.2f} mm, outside the paper of {} mm", file, what, end,
                       page));
    }
  };
  check("columns", "step_x", stock.columns, stock.left, stock.step_x, stock.width,
        stock.page_width);
  check("rows", "step_y", stock.rows, stock.top, stock.step_y, stock.height, stock.page_height);
}

std::string folded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == ' ' || c == '-') continue;
    result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return result;
}

bool is_called(const Stock& stock, const std::string& name) {
  return folded(stock.name) == name || folded(stock.title) == name ||
         std::ranges::any_of(stock.aliases,
                             [&](const std::string& alias) { return folded(alias) == name; });
}

/// False when there is no such directory.
bool read_directory(const std::string& directory, std::vector<Stock>& all) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  if (error == std::errc::no_such_file_or_directory) return false;
  if (error) base::throw_os("cannot read the directory", directory, error.value());
  std::ranges::sort(files);
  for (const std::filesystem::path& file : files) {
    const auto text = profile::read_config(file.string());
    if (!text) continue;
    Stock stock = parse_stock(*text, base::printable(file.string()));
    stock.name = base::printable(file.stem().string());
    std::erase_if(all, [&](const Stock& other) { return other.name == stock.name; });
    all.push_back(std::move(stock));
  }
  return true;
}

}  // namespace

Box box_of(const Stock& stock, int number) {
  if (stock.roll) return {0, 0, stock.width, stock.height};
  const int on_page = number % stock.per_page();
  return {stock.left + on_page % stock.columns * stock.step_x,
          stock.top + on_page / stock.columns * stock.step_y, stock.width, stock.height};
}

Stock parse_stock(const std::string& text, const std::string& file) {
  const toml::table table = profile::parse_toml(text, file);
  Stock stock;
  for (auto&& [key, node] : table) {
    const auto row = std::ranges::find(kRows, key.str(), &Row::key);
    if (row == kRows.end()) {
      std::vector<std::string> known;
      for (const Row& candidate : kRows) known.emplace_back(candidate.key);
      fail(fmt::format("{}:{}: unknown key \"{}\"; the keys are {}", file, key.source().begin.line,
                       base::printable(key.str()), fmt::join(known, ", ")));
    }
    row->read(SettingValue(file, row->key, node), stock);
  }
  check_keys(table, stock, file);
  if (stock.roll) {
    stock.page_width = stock.width;
    stock.page_height = stock.height;
  } else {
    check_sheet(stock, file);
  }
  return stock;
}

std::string stock_directory() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) base::throw_os("cannot find", "the program's own file", error.value());
  return (program.parent_path().parent_path() / "share/rota/stock.d").string();
}

std::vector<Stock> load_stock(const profile::Places& places) {
  std::vector<Stock> all;
  const std::string own = stock_directory();
  if (!read_directory(own, all)) {
    throw Error(ErrorKind::not_found,
                fmt::format("there is no directory {} with rota's label stock: install rota-label "
                            "whole",
                            base::printable(own)));
  }
  read_directory(places.config + "/stock.d", all);
  std::ranges::sort(all, {}, &Stock::name);
  return all;
}

const Stock& find_stock(const std::vector<Stock>& all, const std::string& name) {
  const std::string wanted = folded(name);
  std::vector<std::string> names;
  for (const Stock& stock : all) {
    if (is_called(stock, wanted)) return stock;
    names.push_back(stock.name);
  }
  throw Error(
      ErrorKind::usage,
      fmt::format("there is no label stock \"{}\"; there are {}. Others can be described in "
                  "a file in stock.d beside rotation.toml",
                  base::printable(name), fmt::join(names, ", ")));
}

}  // namespace rota::labels
