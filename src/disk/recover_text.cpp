#include "disk/recover_text.h"

#include <fmt/core.h>

#include "base/text.h"

namespace rota::disk {

namespace {

constexpr const char* kWhatThisIs =
    R"(This disk holds full copies of the servers below, as plain files. It was
written by rota, a backup program, but nothing of rota is needed to get the
files back: any Linux machine will do, a live system from a USB stick too.
Do not write to this disk before the files are safe elsewhere; it may be the
last copy.

Lines that begin with "#" are commands, to be typed as root, one by one.
)";

constexpr const char* kOpen = R"(
1. FIND AND OPEN THE DISK

Plug it in. This shows it by its label:

    # lsblk -o NAME,SIZE,FSTYPE,LABEL
)";

constexpr const char* kDecrypt = R"(
It is encrypted with LUKS. The recovery passphrase was shown once, when the
disk was prepared; it belongs with the recovery papers. In the next line put
the name of the partition that lsblk shows as crypto_LUKS for /dev/sdX1:

    # cryptsetup open --readonly /dev/sdX1 rota-recover
)";

constexpr const char* kMount = R"(
Mount it so that nothing can change it:

    # mkdir -p /mnt/rota
    # mount -o ro,nosuid,nodev,noexec LABEL={} /mnt/rota
)";

constexpr const char* kCheck = R"(
2. CHECK THE COPY

This reads all of it and names each file that is not what was written. It
says nothing when all is well:

    # cd {0} && sha256sum --check --quiet ../SHA256SUMS
)";

constexpr const char* kAll = R"(
3. GET EVERYTHING BACK

Mount the new, empty disk at /mnt/target. Then, with owners, times, hard
links, access lists and extended attributes as they were:

    # mkdir -p /mnt/target
    # cp -a {0}/. /mnt/target/

This compares the two, and lists what differs; no line means no difference:

    # rsync -aHAXnic --numeric-ids --modify-window=-1 {0}/ /mnt/target/

Owners are kept by number, as they were on the server. To boot from the new
disk it needs a boot loader, and /mnt/target/etc/fstab the new disk's UUIDs.
)";

constexpr const char* kOne = R"(
4. OR ONE FILE

It lies below "tree" where it lay on the server. Copy it with "cp -a".
)";

constexpr const char* kClose = R"(
5. WHEN DONE

    # cd / && umount /mnt/rota
)";

}  // namespace

std::string recover_text(const RecoverFacts& facts) {
  std::string text =
      fmt::format("HOW TO GET THE FILES BACK FROM THIS DISK, {}\n\n{}\n", facts.label, kWhatThisIs);
  if (facts.copies.empty()) {
    return text + fmt::format("There is no complete copy on this disk yet ({} UTC).\n",
                              base::iso(facts.written));
  }
  text += fmt::format("Complete copies on {}:\n\n", base::iso(facts.written));
  std::vector<std::vector<std::string>> rows;
  std::uint64_t long_paths = 0;
  for (const RecoverFacts::Copy& copy : facts.copies) {
    rows.push_back({copy.server, base::iso(copy.time), base::human_count(copy.entries),
                    base::human_size(copy.bytes),
                    fmt::format("rota/{}/{}", copy.server, copy.snapshot)});
    long_paths += copy.long_paths;
  }
  text += base::table({"server", "as it was at", ">entries", ">size", "directory"}, rows);

  // The newest copy stands for the others: a stranger needs one command that is right, not a form.
  const RecoverFacts::Copy* newest = &facts.copies.front();
  for (const RecoverFacts::Copy& copy : facts.copies) {
    if (copy.time >= newest->time) newest = &copy;
  }
  const std::string tree =
      fmt::format("/mnt/rota/rota/{}/{}/tree", newest->server, newest->snapshot);
  text += fmt::format(
      "\nThe commands below take the newest, {} of {}. For another one\nput its "
      "directory instead.\n",
      newest->server, base::iso(newest->time));
  text += kOpen;
  if (facts.encrypted) text += kDecrypt;
  text += fmt::format(fmt::runtime(kMount), facts.label);
  text += fmt::format(fmt::runtime(kCheck), tree);
  text += fmt::format(fmt::runtime(kAll), tree);
  text += kOne;
  text += kClose;
  if (facts.encrypted) text += "    # cryptsetup close rota-recover\n";
  text += "\nNOT IN THE COPIES: sockets, and what the exclude list of a server names.\n";
  if (long_paths != 0) {
    text += fmt::format(
        "\n{} files have paths of more than 4,000 bytes, which cp, rsync and sha256sum\ncannot "
        "open. They are here, too: change into their directory step by step,\nor use `rota "
        "restore --copy`.\n",
        base::human_count(long_paths));
  }
  return text;
}

}  // namespace rota::disk
