#pragma once

#include "tree/source.h"

namespace rota::tree {

/// Takes a Source to its end. What arrives is complete when consume() has returned, and was not
/// made visible when it throws.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void consume(Source& source) = 0;
};

}  // namespace rota::tree
