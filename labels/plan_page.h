#pragma once

#include "labels/surface.h"
#include "recovery/plan.h"

namespace rota::labels {

/// The recovery plan on as many pages as it takes, each numbered. width, height: of the paper, mm.
void render_plan(Paper& paper, const recovery::Plan& plan, double width, double height);

}  // namespace rota::labels
