"""A machine with rotation disks: loop devices with real filesystems on them."""

import contextlib
import json
import os
import pathlib
import random
import string
import subprocess
import time

from machine import Machine, opened


class Disk:
    """A disk that can be plugged in, unplugged, copied and damaged."""

    def __init__(self, test, image, size):
        self.test, self.image, self.node = test, image, None
        with open(image, "wb") as file:
            file.truncate(size)
        self.name = None

    def plug_in(self):
        # The device that is free when it is looked for may be another test's when it is taken.
        for left in range(20, -1, -1):
            result = subprocess.run(
                ["losetup", "--find", "--show", "--partscan", self.image], check=left == 0,
                stdout=subprocess.PIPE, stderr=None if left == 0 else subprocess.DEVNULL,
                text=True)
            if result.returncode == 0:
                break
            time.sleep(0.1)
        self.node = result.stdout.strip()
        # The kernel may lack a parser for the table; partx tells it. Both may have done it.
        if not os.path.exists(self.part):
            subprocess.run(["partx", "-a", self.node], check=False, stderr=subprocess.DEVNULL)

    @property
    def part(self):
        return self.node + "p1"

    def unplug(self):
        if self.node:
            subprocess.run(["partx", "-d", self.node], check=False, stderr=subprocess.DEVNULL)
            subprocess.run(["losetup", "--detach", self.node], check=True)
        self.node = None

    def replug(self):
        self.unplug()
        self.plug_in()

    def clone(self):
        """Another disk with the same bytes, not plugged in."""
        other = Disk(self.test, f"{self.image}.clone", 0)
        subprocess.run(["cp", "--sparse=always", self.image, other.image], check=True)
        other.name = self.name
        self.test.addCleanup(other.unplug)
        return other

    def mount(self, options="ro"):
        """Mounted for the test; unmounted by umount()."""
        place = self.test.dir / f"mnt-{os.path.basename(self.node)}"
        place.mkdir(exist_ok=True)
        subprocess.run(["mount", "-o", options, self.part, place], check=True)
        self.test.mounts.append(str(place))
        return place

    def umount(self):
        place = self.test.mounts.pop()
        subprocess.run(["umount", place], check=True)


class DiskMachine(Machine):
    """Tests with disks; each disk has a name that no other test has, because all see all devices."""

    place = "/var/tmp"
    size = 600 << 20

    def setUp(self):
        if os.geteuid() != 0 or not os.path.exists("/dev/loop-control"):
            self.skip("rotation disks need root and loop devices")
        super().setUp()
        self.disks = 0
        # Nobody on this machine is to hear of the tests' disks.
        self.bin = self.dir / "bin"
        self.bin.mkdir()
        for name in ("wall", "sendmail"):
            self.fake(name, "exec cat > /dev/null")

    def fake(self, name, script):
        """A program that rota finds before the machine's own."""
        file = self.bin / name
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o700)
        return file

    def environment(self, **more):
        return super().environment(PATH=f"{self.bin}:/sbin:{os.environ['PATH']}", **more)

    def disk(self, size=None):
        """A new, empty disk, plugged in."""
        self.disks += 1
        disk = Disk(self, str(self.dir / f"disk{self.disks}.img"), size or self.size)
        disk.name = "".join(random.choices(string.ascii_uppercase + string.digits, k=7))
        self.addCleanup(disk.unplug)
        disk.plug_in()
        return disk

    def prepared(self, *options, size=None):
        disk = self.disk(size)
        self.rota("disk", "prepare", disk.node, "--name", disk.name, "--yes", "--allow-fixed",
                  *options)
        disk.replug()
        return disk

    def attach(self, disk, *options, **more):
        """`rota disk attach` as the service calls it; the disk is unplugged and plugged in again
        afterwards, as a person would."""
        result = self.rota("disk", "attach", disk.part, "--scrub", "0s", *options, **more)
        return result

    def rotation(self, text):
        directory = pathlib.Path(self.places["CONFIG"])
        directory.mkdir(exist_ok=True)
        (directory / "rotation.toml").write_text(text, encoding="utf-8")

    def small_reserve(self, more=""):
        """The default reserve is a gigabyte, and these disks are small."""
        self.rotation(f"[set.monthly]\nreserve = \"1M\"\n{more}")

    def copies(self, disk, state="sealed"):
        """Snapshots of the disk's copies in this state, oldest first, as the ledger knows them."""
        shown = self.rota("disk", "show", disk.name, "--json").json()
        return sorted(c["snapshot"] for c in shown["all_copies"] if c["state"] == state)

    def on_disk(self, disk, server="main"):
        """What lies in the disk's directory of a server."""
        place = disk.mount()
        try:
            return sorted(os.listdir(place / "rota" / server))
        finally:
            disk.umount()


def events(result):
    """The lines of `--json`."""
    return [json.loads(line) for line in result.out.splitlines()]



def written(process, directory):
    """How many files lie so far in this directory of the copy that a job is writing. Its mount is
    seen by nobody else, except through its descriptors."""
    for number in opened(process, "/"):
        with contextlib.suppress(OSError):
            place = pathlib.Path(f"/proc/{process.pid}/fd/{number}/rota/main")
            for copy in place.glob("*.partial"):
                return len(os.listdir(copy / "tree" / directory))
    return 0
