#pragma once

#include <optional>
#include <span>
#include <string>

#include "disk/identity.h"
#include "udev/device_probe.h"

namespace rota::disk {

/// What the ledger knows of one disk. Empty texts are unknown.
struct KnownDisk {
  std::string name;
  std::string label;
  std::string fs_uuid;
  std::string luks_uuid;        ///< empty for a plain disk
  std::string token_hash;       ///< of the token that the disk has
  std::string next_token_hash;  ///< of the one that it is being given; see replace_token()
  std::string serial;
};

enum class Verdict {
  no_rotation_disk,  ///< no label of ours
  container,         ///< label and UUID of a LUKS container fit: open it and look again
  known,             ///< everything fits
  serial_changed,    ///< everything fits but the serial number: ask (docks report their own)
  stranger,          ///< a rotation label that the ledger does not know
  cloned_label,      ///< a known label on another filesystem
  stale,      ///< the right filesystem with an older token or none: a clone or a restored image
  duplicate,  ///< two devices at once that would both be this disk
};

struct Recognition {
  Verdict verdict = Verdict::no_rotation_disk;
  std::string name;     ///< the disk's, from the label
  std::string message;  ///< a sentence for people, with what to do; empty for known and container
  /// The disk has the next token already: the ledger should make it the current one.
  bool has_next_token = false;

  /// Only such a disk is ever mounted read-write, after a person's word when the serial changed.
  bool is_ours() const { return verdict == Verdict::known || verdict == Verdict::serial_changed; }
};

/// Decides what a device is. Pure.
///
/// device:    the filesystem, or the LUKS container that it is in.
/// identity:  what its disk.json says, read from an `untouched` mount; nothing when it was not
///            looked at yet (a container, or the first look by label) or there is none.
/// mounted:   whether identity was looked for. Without, the best that comes out is `known`, which
///            then only says that label and UUID fit.
/// container: the container that `device` was opened from, if it was.
/// all:       every device that is there, for the search of a second one.
Recognition recognise(const udev::BlockDevice& device, const std::optional<Identity>& identity,
                      bool mounted, std::span<const KnownDisk> known,
                      std::span<const udev::BlockDevice> all,
                      const udev::BlockDevice* container = nullptr);

}  // namespace rota::disk
