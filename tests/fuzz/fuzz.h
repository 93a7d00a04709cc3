#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <initializer_list>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/error.h"

/// What every file in this folder defines: one input, any bytes at all. It must neither crash nor
/// break its property, for which require() stops the program.
extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming): libFuzzer's
    const std::uint8_t* data, std::size_t size);

namespace rota::fuzz {

inline void require(bool holds, const std::string& property) {
  if (holds) return;
  std::fprintf(stderr, "broken property: %s\n", property.c_str());
  std::abort();
}

/// Does `action` and says whether it was accepted. It may refuse with Error of one of these kinds;
/// any other exception breaks the target's property. refused: gets the message.
template <typename Action>
bool accepted(Action action, std::initializer_list<base::ErrorKind> kinds,
              std::string* refused = nullptr) {
  try {
    action();
    return true;
  } catch (const base::Error& error) {
    bool allowed = false;
    for (const base::ErrorKind kind : kinds) allowed = allowed || kind == error.kind();
    require(allowed, std::string("an error of a kind that cannot be: ") + error.what());
    if (refused != nullptr) *refused = error.what();
  } catch (const std::exception& error) {
    require(false, std::string("an exception that is no base::Error: ") + error.what());
  }
  return false;
}

/// Takes an input apart from the front.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : data_(reinterpret_cast<const std::byte*>(data), size) {}

  std::uint32_t number(std::size_t bytes) {
    std::uint32_t value = 0;
    for (const std::byte byte : take(bytes)) value = value << 8 | std::to_integer<unsigned>(byte);
    return value;
  }
  std::span<const std::byte> take(std::size_t size) {
    const auto part = data_.first(size < data_.size() ? size : data_.size());
    data_ = data_.subspan(part.size());
    return part;
  }
  std::span<const std::byte> rest() { return take(data_.size()); }

 private:
  std::span<const std::byte> data_;
};

inline base::Bytes copy_of(std::span<const std::byte> data) { return {data.begin(), data.end()}; }

}  // namespace rota::fuzz
