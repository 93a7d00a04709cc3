#pragma once

#include <memory>

#include "base/error.h"
#include "tree/source.h"

namespace rota::job {

/// Something is wrong with what is copied (the store, another disk), and not with the disk that it
/// is copied to.
class SourceError final : public base::Error {
 public:
  using base::Error::Error;
};

/// Runs what concerns the source alone, and marks its failures as such.
template <typename Action>
auto of_source(Action action) {
  try {
    return action();
  } catch (const base::Error& error) {
    throw SourceError(error.kind(), error.what());
  }
}

/// The same tree, whose failures are marked. Those of contents are not: the TreeWriter warns of
/// them.
std::unique_ptr<tree::Source> marked(std::unique_ptr<tree::Source> source);

}  // namespace rota::job
