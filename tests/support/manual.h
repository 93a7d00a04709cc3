#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <string_view>

#include "support/files.h"

namespace rota::test {

/// Holds what stands between two markers of docs/manual.md against what a test has made, so that
/// the manual shows nothing that rota does not say. With ROTA_UPDATE_DOCS set it is replaced
/// instead.
inline void check_manual(const std::string& manual, std::string_view begin_marker,
                         std::string_view end_marker, const std::string& expected) {
  std::string text = read(manual);
  const std::size_t begin = text.find(begin_marker);
  const std::size_t end = text.find(end_marker);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const std::size_t from = begin + begin_marker.size();
  if (std::getenv("ROTA_UPDATE_DOCS") != nullptr) {
    text.replace(from, end - from, expected);
    write(manual, text);
    return;
  }
  INFO("run it with ROTA_UPDATE_DOCS=1 to bring docs/manual.md up to date");
  CHECK(text.substr(from, end - from) == expected);
}

}  // namespace rota::test
