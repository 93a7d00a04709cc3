#pragma once

#include "base/error.h"
#include "base/file.h"

namespace rota::tree {

/// The content's own side failed (its medium, say), not what is made of it. Whoever reads contents
/// leaves out the file for this, and for nothing else.
class ContentError final : public base::Error {
 public:
  using base::Error::Error;
};

/// Runs what reads a content, and marks its failures as the content's.
template <typename Read>
auto from_content(Read read) {
  try {
    return read();
  } catch (const base::FileError& error) {
    throw ContentError(base::ErrorKind::io, error.what());
  }
}

}  // namespace rota::tree
