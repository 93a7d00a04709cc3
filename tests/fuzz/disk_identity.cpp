// The identity file of a disk that anybody may have written, and the first bytes of its filesystem.
#include "base/text.h"
#include "disk/identity.h"
#include "disk/superblock.h"
#include "fuzz/fuzz.h"

using namespace rota;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto all = fuzz::Input(data, size).rest();
  disk::Identity identity;
  std::string message;
  if (fuzz::accepted([&] { identity = disk::decode_identity(base::as_text(all)); },
                     {base::ErrorKind::corrupt, base::ErrorKind::config}, &message)) {
    fuzz::require(disk::is_disk_name(identity.name), "a name that a disk can have");
    fuzz::require(identity.set.empty() || disk::is_set_name(identity.set), "a possible set");
    fuzz::require(identity.token.size() == 64, "a token of its size");
    fuzz::require(!identity.fs_uuid.empty() && identity.fs_uuid.size() <= 64, "a UUID");
    const std::string written = disk::encode_identity(identity);
    fuzz::require(disk::decode_identity(written) == identity, "the same after writing and reading");
  } else {
    fuzz::require(base::printable(message) == message, "a message that any terminal can show");
  }
  for (const char* fs : {"ext4", "xfs", "btrfs"}) {
    fuzz::accepted([&] { disk::judge_superblock(all, fs); }, {base::ErrorKind::corrupt});
  }
  return 0;
}
