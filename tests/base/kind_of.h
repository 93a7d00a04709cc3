#pragma once

#include <optional>
#include <string>

#include "base/error.h"

namespace rota::test {

/// The kind of Error that `action` throws; nothing when it throws none.
template <typename Action>
std::optional<base::ErrorKind> kind_of(Action action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error.kind();
  }
  return std::nullopt;
}

/// The text of the Error that `action` throws; "" when it throws none.
template <typename Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace rota::test
