#pragma once

#include <blkid/blkid.h>

#include <memory>
#include <string>

#include "base/file.h"
#include "udev/device_probe.h"

namespace rota::udev {

struct FreeProbe {
  void operator()(blkid_struct_probe* probe) const { blkid_free_probe(probe); }
};
using ProbeHandle = std::unique_ptr<blkid_struct_probe, FreeProbe>;

/// A block device, for reading only: a descriptor that may write would wake udevd when it is
/// closed. Throws Error(not_found, io).
base::Fd open_medium(const std::string& node);

/// Fills in what libblkid reads from the medium; a device that cannot be read is left as it is.
void probe_medium(BlockDevice& device);

}  // namespace rota::udev
