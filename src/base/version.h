#pragma once

namespace rota::base {

/// The program's version, from CMakeLists.txt.
inline constexpr const char* kVersion = ROTA_VERSION;

}  // namespace rota::base
