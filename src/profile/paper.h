#pragma once

#include <string>
#include <vector>

namespace rota::profile {

/// What rotation.toml says for paper: labels and the recovery plan. Keys at the top of the file.
struct Paper {
  std::vector<std::string> contacts;  ///< "Jo Doe, +49 30 1234": whom to call, for the plan
  std::string owner;                  ///< whose the disks are; full labels and the plan
  std::string if_found;               ///< "call +49 30 1234": full labels
  /// The same for discreet labels, which tell nothing of it by themselves: it should name nobody.
  std::string if_found_discreet;
  std::string label_stock = "L7163";
  std::string
      print_after_copy;  ///< printer that prints a label after each sealed copy; empty: none
};

}  // namespace rota::profile
