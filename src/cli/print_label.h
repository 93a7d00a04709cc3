#pragma once

#include <string>

#include "cli/command.h"
#include "job/disk_attach.h"

namespace rota::cli {

/// After a sealed copy: prints the disk's monthly label where rotation.toml names a printer, else
/// says that it can be printed. A label that cannot be printed is a warning; the copy stands.
job::AttachOptions::LabelResult offer_label(Context& context, const std::string& disk);

}  // namespace rota::cli
