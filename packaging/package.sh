#!/usr/bin/env bash
# Makes a Debian package of what is built: packaging/package.sh BUILD OUT. Called by `./dev package`.
#
# Needs dpkg-dev. The package is made anew from what cmake installs; nothing is installed here.
set -euo pipefail

readonly build=$1 out=$2
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
chmod 755 "$stage"

DESTDIR=$stage cmake --install "$build" --prefix /usr --strip >/dev/null
# /lib is /usr/lib on every Debian that this is for.
install -d -m 755 "$stage/etc/cron.daily" "$stage/usr/share/doc/rota"
install -d -m 700 "$stage/etc/rota" "$stage/etc/rota/keys" "$stage/var/lib/rota" "$stage/var/cache/rota"
install -m 755 cron.daily "$stage/etc/cron.daily/rota"
install -m 644 ../README.md ../docs/*.md "$stage/usr/share/doc/rota/"
install -m 644 ../CHANGELOG.md "$stage/usr/share/doc/rota/changelog"
# Debian's policy, 12.1 and 12.7; -n: no time of today in it.
gzip -9n "$stage/usr/share/doc/rota/changelog" "$stage"/usr/share/man/man*/*

version=$("$build/bin/rota" --version | sed 's/^rota //')
architecture=$(dpkg --print-architecture)
# dpkg-shlibdeps wants a source tree around it.
work=$stage/work
mkdir -p "$work/debian"
printf 'Source: rota\n\nPackage: rota\nArchitecture: any\n' >"$work/debian/control"
# A headless server does without what the screen and the labels need. What rota itself depends on is named
# again only where they need a newer one.
fields=$(cd "$work" && dpkg-shlibdeps -O -e"$stage/usr/bin/rota" -dRecommends -e"$stage/usr/bin/rota-tui" \
  -e"$stage/usr/bin/rota-label" 2>/dev/null)
rm -rf "$work"
libraries=$(sed -n 's/^shlibs:Depends=//p' <<<"$fields")
optional=$(sed -n 's/^shlibs:Recommends=//p' <<<"$fields")

install -d -m 755 "$stage/DEBIAN"
cat >"$stage/DEBIAN/control" <<END
Package: rota
Version: $version
Architecture: $architecture
Maintainer: rota <root@localhost>
Installed-Size: $(du -sk "$stage/usr" | cut -f1)
Depends: $libraries
Recommends: udev, cryptsetup-bin, e2fsprogs, fdisk, $optional
Suggests: xfsprogs, btrfs-progs, default-mta | mail-transport-agent
Section: admin
Priority: optional
Description: backups in a store, and full copies on disks that rotate
 Keeps a daily chain of runs in an object store, and a full copy of the server
 on labelled USB disks that are plugged in by turns and carried off site, and
 knows how far back you would fall if you lost either.
END
echo /etc/cron.daily/rota >"$stage/DEBIAN/conffiles"
for script in postinst prerm postrm; do
  install -m 755 "$script" "$stage/DEBIAN/$script"
done
install -d "$out"
dpkg-deb -Zgzip --root-owner-group --build "$stage" "$out/rota_${version}_$architecture.deb" >/dev/null
echo "$out/rota_${version}_$architecture.deb"
