#pragma once

#include <string>
#include <vector>

#include "profile/places.h"

namespace rota::labels {

/// What labels are printed on: a sheet with rows and columns, or a roll, where each label is a page
/// of its own. Millimetres, from the paper's top left.
struct Stock {
  std::string name;                  ///< "L7163"
  std::vector<std::string> aliases;  ///< other names of the same: "30252"
  std::string title;                 ///< "Avery L7163"
  std::string use;                   ///< "2.5-inch portable disk"; may be empty
  bool roll = false;
  double page_width = 0;
  double page_height = 0;
  double width = 0;  ///< of a label
  double height = 0;
  int columns = 1;
  int rows = 1;
  double left = 0;  ///< of the first label
  double top = 0;
  double step_x = 0;  ///< from one label to the next
  double step_y = 0;

  int per_page() const { return columns * rows; }
};

struct Box {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

/// Where the label with this number lies on its page; 0 is the first, then along the rows.
Box box_of(const Stock& stock, int number);

/// Reads a file of stock.d. file: for messages. Throws Error(config), "<file>:<line>: …", for what
/// is no TOML, for an unknown or missing key, for sizes that cannot be, and for labels that overlap
/// or leave the paper.
Stock parse_stock(const std::string& text, const std::string& file);

/// All stock: rota's own, then <config>/stock.d/*.toml, which may replace it by name; sorted by
/// name. Throws Error(config), and Error(not_found) when rota's own is not installed.
std::vector<Stock> load_stock(const profile::Places& places);

/// Where rota's own stock lies: <prefix>/share/rota/stock.d, beside the program's directory.
std::string stock_directory();

/// By name, alias or title, in any case ("l7163", "avery 5160"). Throws Error(usage), which names
/// the alternatives.
const Stock& find_stock(const std::vector<Stock>& all, const std::string& name);

}  // namespace rota::labels
