#include "udev/probe.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/error.h"

namespace rota::udev {

namespace {

constexpr std::size_t kMaxSignatures = 32;  // a medium can be made to show any number

std::string value_of(blkid_probe probe, const char* name) {
  const char* value = nullptr;
  if (blkid_probe_lookup_value(probe, name, &value, nullptr) != 0 || value == nullptr) return {};
  std::string text = value;
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\n'; };
  while (!text.empty() && is_space(text.back())) text.pop_back();
  return text;
}

/// Everything that is there, one signature at a time. blkid_do_safeprobe() gives nothing when a
/// medium has two of them, which is just when a person must see both.
void find_signatures(blkid_probe probe, BlockDevice& device) {
  while (device.signatures.size() < kMaxSignatures && blkid_do_probe(probe) == 0) {
    for (const char* name : {"TYPE", "PTTYPE"}) {
      const std::string type = value_of(probe, name);
      if (type.empty()) continue;
      if (std::ranges::find(device.signatures, type) == device.signatures.end()) {
        device.signatures.push_back(type);
      }
    }
  }
}

}  // namespace

base::Fd open_medium(const std::string& node) {
  base::Fd fd(::open(node.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) base::throw_os("cannot open the device", node, errno);
  return fd;
}

void probe_medium(BlockDevice& device) {
  const base::Fd fd(::open(device.node.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return;
  const ProbeHandle probe(blkid_new_probe());
  if (!probe || blkid_probe_set_device(probe.get(), fd.get(), 0, 0) != 0) return;
  blkid_probe_enable_superblocks(probe.get(), 1);
  blkid_probe_set_superblocks_flags(probe.get(),
                                    BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID | BLKID_SUBLKS_TYPE);
  blkid_probe_enable_partitions(probe.get(), 1);
  find_signatures(probe.get(), device);
  blkid_reset_probe(probe.get());
  blkid_probe_set_partitions_flags(probe.get(), BLKID_PARTS_ENTRY_DETAILS);
  if (blkid_do_safeprobe(probe.get()) != 0) return;  // nothing, or not clear what
  device.fs_type = value_of(probe.get(), "TYPE");
  device.label = value_of(probe.get(), "LABEL");
  device.uuid = value_of(probe.get(), "UUID");
  device.table = value_of(probe.get(), "PTTYPE");
  device.partition_name = value_of(probe.get(), "PART_ENTRY_NAME");
}

}  // namespace rota::udev
