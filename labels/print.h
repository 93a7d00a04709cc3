#pragma once

#include <string>

#include "base/process.h"
#include "profile/places.h"

namespace rota::labels {

/// The printer that `lp` takes when none is named. Throws Error(config) when there is none.
std::string default_printer(base::ProcessRunner& processes);

/// Gives a document to CUPS, to be printed in its real size. Throws Error(unavailable) with what lp
/// said. width, height: of the paper, in mm.
void print(const std::string& pdf, const std::string& printer, double width, double height,
           const profile::Places& places, base::ProcessRunner& processes);

}  // namespace rota::labels
