#!/usr/bin/env bash
# Makes a small Debian 12 for the virtual machine of these tests: image.sh OUT PACKAGE...
#
# OUT gets root.img (ext4, sparse), vmlinuz and initrd. PACKAGE...: what is installed beside the
# system itself. Packages come from where this machine's own come from. Needs root, mmdebstrap and
# e2fsprogs; takes about a minute and 500 MB.
set -euo pipefail

readonly out=$1
shift

readonly system=(systemd-sysv dbus-user-session udev linux-image-amd64 initramfs-tools zstd qemu-guest-agent
  cryptsetup-bin e2fsprogs fdisk xfsprogs btrfs-progs)
packages=$(IFS=,; echo "${system[*]},$*")

# In memory: unpacking syncs a lot.
tree=$(mktemp -d)
trap 'umount "$tree" 2>/dev/null || true; rmdir "$tree"' EXIT
mount -t tmpfs -o size=3G,mode=755 rota-vm "$tree"

options=()
for file in /etc/apt/apt.conf.d/*; do
  # Proxies and what this machine thinks of dates; not what apt should run here.
  if grep -q '^ *Acquire::' "$file" && ! grep -q 'Invoke' "$file"; then
    options+=(--aptopt="$file")
  fi
done
sources=()
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.sources; do
  if [[ -s $file ]] && grep -q bookworm "$file"; then
    sources+=("$file")
  fi
done
# Drivers and texts that a machine without a screen and a network never reads.
for left_out in kernel/sound kernel/drivers/{gpu,net,media,infiniband,iio,staging,isdn}; do
  options+=(--dpkgopt="path-exclude=/lib/modules/*/$left_out/*")
done
for left_out in man doc locale; do
  options+=(--dpkgopt="path-exclude=/usr/share/$left_out/*")
done

# shellcheck disable=SC2016 # $1 is the hook's
mmdebstrap --quiet --variant=minbase --mode=root --format=directory "${options[@]}" \
  --include="$packages" \
  --setup-hook='mkdir -p "$1/etc/initramfs-tools/conf.d"
    printf "MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\n" >"$1/etc/initramfs-tools/conf.d/small"
    printf "virtio_pci\nvirtio_blk\next4\n" >"$1/etc/initramfs-tools/modules"' \
  --customize-hook='echo guest >"$1/etc/hostname"; echo "/dev/vda / ext4 defaults 0 1" >"$1/etc/fstab"
    # No timer or login of the system disturbs a test.
    for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
      fstrim.timer e2scrub_reap.service getty@tty1.service serial-getty@ttyS0.service \
      systemd-timesyncd.service; do
      ln -sf /dev/null "$1/etc/systemd/system/$unit"
    done' \
  bookworm "$tree/root" "${sources[@]}"

mkdir -p "$out"
cp "$tree"/root/boot/vmlinuz-* "$out/vmlinuz"
cp "$tree"/root/boot/initrd.img-* "$out/initrd"
rm -rf "$tree"/root/boot/*
mke2fs -q -t ext4 -d "$tree/root" -L root "$out/root.img" 2G >/dev/null
