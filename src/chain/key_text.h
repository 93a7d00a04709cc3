#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace rota::chain {

/// Bytes as a text that survives being read out, typed and folded: RFC 4648's base32 without
/// padding, of the payload and four check bytes, which are the first of SHA-256(domain || payload).
std::string checked_text(std::string_view domain, std::span<const std::byte> payload);

/// A text as a person may give it: without spaces, line ends and hyphens, in capitals.
/// Holds a secret if `text` does.
std::string plain_letters(std::string_view text);

/// The payload of `size` bytes, out of plain_letters() without the prefix. Throws Error(config),
/// "<what> …", that says what is wrong without showing the text.
base::Bytes read_checked_text(std::string_view letters, std::string_view domain, std::size_t size,
                              const std::string& what);

}  // namespace rota::chain
