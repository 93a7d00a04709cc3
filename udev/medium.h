#pragma once

#include <string>

namespace rota::udev {

/// True when the first mebibyte of a device is all zeros: nothing that libblkid does not know lies
/// there either. False when it cannot be read: what cannot be seen is not nothing.
bool is_blank(const std::string& node);

}  // namespace rota::udev
