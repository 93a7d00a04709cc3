"""A machine with an udevd of its own: real kernel events of loop devices, real rules."""

import errno
import fcntl
import os
import pathlib
import random
import subprocess

from disk_machine import Disk, DiskMachine
from machine import private_mounts, wait_for

UDEVD = "/lib/systemd/systemd-udevd"
STOCK = pathlib.Path("/lib/udev/rules.d")
RULES = pathlib.Path(__file__).resolve().parents[2] / "udev" / "90-rota.rules"
LOOP_CTL_ADD, LOOP_CTL_REMOVE = 0x4C80, 0x4C81


class NumberedDisk(Disk):
    """A disk at a loop device that nobody else uses, so that the test's udevd leaves the others
    alone."""

    def __init__(self, test, image, size):
        super().__init__(test, image, size)
        with open("/dev/loop-control", "rb") as control:
            for number in random.sample(range(300, 1000), 50):
                try:
                    fcntl.ioctl(control, LOOP_CTL_ADD, number)
                except OSError:
                    continue
                self.number = number
                break
        self.device = f"/dev/loop{self.number}"

    def unplug(self):
        if self.node:
            self.test.settle()
            # What anybody on this machine has open at this moment cannot be taken away.
            wait_for(lambda: subprocess.run(["partx", "-d", self.node], check=False,
                                            stderr=subprocess.DEVNULL).returncode == 0
                     or not os.path.exists(self.part), "the end of the partition")
        super().unplug()
        wait_for(lambda: not os.path.exists(f"/sys/block/loop{self.number}/loop"), "the unplugging")

    def plug_in(self):
        self.node = self.device
        subprocess.run(["losetup", self.node, self.image], check=True)
        # The kernel makes partitions known one by one, as it would for a disk; errors: no table.
        subprocess.run(["partx", "-a", self.node], check=False, stderr=subprocess.DEVNULL)

    def forget(self):
        self.unplug()
        with open("/dev/loop-control", "rb") as control:
            wait_for(lambda: self.remove(control), "the end of the loop device")

    def remove(self, control):
        try:
            fcntl.ioctl(control, LOOP_CTL_REMOVE, self.number)
        except OSError as error:
            return error.errno != errno.EBUSY  # somebody looks at it at this moment
        return True


class UdevMachine(DiskMachine):
    """udevd, udevadm and rota share a network namespace, so that what this udevd sends reaches no
    other listener on this machine, and /run/udev is theirs alone."""

    def setUp(self):
        self.made = []
        self.prefix = []
        self.numbers = []
        self.udevd = None
        self.addCleanup(lambda: [os.rmdir(place) for place in self.made])  # after the unmounting
        super().setUp()
        if not private_mounts():
            self.skip("needs a mount namespace of its own")

    def start(self, *args, **more):
        import machine  # ROTA is known when the tests run
        if not self.prefix:
            return super().start(*args, **more)
        settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                    "stderr": subprocess.PIPE, "env": self.environment(**more.pop("env", {}))}
        settings.update(more)
        return subprocess.Popen([*self.prefix, machine.ROTA, *map(os.fspath, args)], **settings)

    def disk(self, size=None, plug_in=True):
        self.disks += 1
        disk = NumberedDisk(self, str(self.dir / f"disk{self.disks}.img"), size or self.size)
        disk.name = f"T{disk.number:03}{random.randrange(1000):03}"
        self.numbers.append(disk.number)
        self.addCleanup(disk.forget)
        if plug_in:
            disk.plug_in()
        return disk

    # ---- udevd ----

    def start_udevd(self, allow=()):
        """Starts an udevd with the stock rules of block devices and ours, for the test's disks. allow:
        disks that ROTA_ALLOW_FIXED lets in, as a rule of an administrator's would."""
        if not os.path.exists(UDEVD):
            self.skip("needs systemd-udevd (package udev)")
        self.private("/run/udev")
        self.private("/dev/disk")
        self.private("/etc/udev")
        ours = "|".join(f"loop{number}|loop{number}p*" for number in self.numbers)
        rules = pathlib.Path("/run/udev/rules.d")
        rules.mkdir()
        for name in ("60-block.rules", "60-persistent-storage.rules"):
            text = (STOCK / name).read_text()
            (rules / name).write_text(
                f'KERNEL!="{ours}", GOTO="not_ours"\n{text}\nLABEL="not_ours"\n')
        (rules / RULES.name).write_text(RULES.read_text())
        fixed = "|".join(f"loop{disk.number}|loop{disk.number}p*" for disk in allow)
        if fixed:
            (rules / "10-local.rules").write_text(f'KERNEL=="{fixed}", ENV{{ROTA_ALLOW_FIXED}}="1"\n')
        # All other rules are left out: /lib's directory is covered by an empty one.
        self.private(os.path.realpath(STOCK))
        holder = subprocess.Popen(["unshare", "--net", "sleep", "600"], stdin=subprocess.DEVNULL)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        here = os.readlink("/proc/self/ns/net")
        wait_for(lambda: os.readlink(f"/proc/{holder.pid}/ns/net") != here, "a network namespace")
        self.prefix = ["nsenter", f"--net=/proc/{holder.pid}/ns/net", "--"]
        log = open(self.dir / "udevd.log", "wb")
        self.addCleanup(log.close)
        self.udevd = subprocess.Popen([*self.prefix, UDEVD], stdin=subprocess.DEVNULL, stdout=log,
                                      stderr=log)
        self.addCleanup(self.udevd.wait)
        self.addCleanup(self.udevd.terminate)
        wait_for(lambda: os.path.exists("/run/udev/control"), "udevd")
        self.udevadm("control", "--ping")  # it listens to the kernel

    def private(self, place):
        """An empty directory over this one, until the test ends."""
        if not os.path.isdir(place):
            os.mkdir(place)
            self.made.append(place)
        self.mount(place, "mode=755")

    def udevadm(self, *args):
        return subprocess.run([*self.prefix, "udevadm", *args], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def settle(self):
        if self.udevd and self.udevd.poll() is None:
            self.udevadm("settle", "--timeout=60")

    def properties(self, node):
        self.settle()
        lines = self.udevadm("info", "--query=property", f"--name={node}").splitlines()
        return dict(line.split("=", 1) for line in lines)
