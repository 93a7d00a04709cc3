"""Plugging in: udev's rules with a real udevd, and `rota watch`."""

import json
import os
import pathlib
import re
import subprocess

from disk_machine import DiskMachine
from machine import DONE, REFUSED, wait_for
from udev_machine import UdevMachine


class Rules(UdevMachine):
    size = 32 << 20

    def make(self, disk, *command):
        """Formats the disk while nobody looks, and plugs it in."""
        disk.unplug()
        subprocess.run([*command, disk.image], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        disk.plug_in()

    def ext4(self, disk, label):
        self.make(disk, "mkfs.ext4", "-q", "-F", "-L", label)

    def assert_starts(self, node):
        seen = self.properties(node)
        self.assertEqual(f"rota-disk@{os.path.basename(node)}.service", seen.get("SYSTEMD_WANTS"))
        self.assertIn(":systemd:", seen["CURRENT_TAGS"])
        self.assertEqual("1", seen["UDISKS_IGNORE"])
        self.assertNotIn("ROTA_SINCE_BOOT", seen)
        return seen

    def assert_starts_nothing(self, node):
        seen = self.properties(node)
        self.assertNotIn("SYSTEMD_WANTS", seen)
        self.assertNotIn("systemd", seen.get("CURRENT_TAGS", ""))
        return seen

    def test_a_rotation_disk_starts_one_job_each_time_that_it_is_plugged_in(self):
        whole, container, fixed, foreign = (self.disk() for _ in range(4))
        clone = self.disk(plug_in=False)
        self.start_udevd(allow=(whole, clone, container, foreign))
        self.ext4(whole, f"ROTA-{whole.name}")
        for _ in range(3):  # plug, unplug, plug
            self.assert_starts(whole.node)
            whole.unplug()
            self.assert_starts_nothing(whole.device)
            whole.plug_in()
        self.make(container, "cryptsetup", "luksFormat", "--batch-mode", "--type=luks2",
                  "--pbkdf=pbkdf2", "--pbkdf-force-iterations=1000",
                  f"--label=ROTA-{container.name}", f"--key-file={__file__}")
        self.assertEqual("crypto_LUKS", self.assert_starts(container.node)["ID_FS_TYPE"])
        # Neither USB nor removable, and nobody has allowed it: no desktop mounts it, that is all.
        self.ext4(fixed, f"ROTA-{fixed.name}")
        self.assertEqual("1", self.assert_starts_nothing(fixed.node)["UDISKS_IGNORE"])
        self.ext4(foreign, f"BACKUP-{foreign.number}")
        self.assertNotIn("UDISKS_IGNORE", self.assert_starts_nothing(foreign.node))
        # A clone is a device of its own, and so is its job, which then sees two.
        subprocess.run(["cp", "--sparse=always", whole.image, clone.image], check=True)
        clone.plug_in()
        self.assert_starts(clone.node)
        self.assert_starts(whole.node)

    def triggered(self, disk, log):
        """The monitor, which says that it listens before it does, has heard of a change."""
        self.udevadm("trigger", "--action=change", f"--name-match={disk.part}")
        return "ACTION=change" in pathlib.Path(log).read_text()

    def test_a_partition_starts_a_job_and_keeps_its_tag_when_it_is_removed(self):
        disk = self.disk()
        self.start_udevd(allow=(disk,))
        subprocess.run(["sfdisk", "-q", disk.image], input="label: gpt\n,,L\n", text=True,
                       check=True)
        disk.replug()
        self.settle()
        subprocess.run(["mkfs.ext4", "-q", "-L", f"ROTA-{disk.name}", disk.part], check=True)
        disk.replug()
        self.assert_starts(disk.part)
        self.assert_starts_nothing(disk.node)  # the table is no filesystem
        # What is written to it afterwards is a change; it keeps what it has, and its job.
        with open(disk.part, "r+b"):
            pass
        self.assert_starts(disk.part)
        log = open(self.dir / "events", "w+", encoding="utf-8")
        with subprocess.Popen([*self.prefix, "udevadm", "monitor", "--udev", "--property",
                               "--subsystem-match=block"], stdout=log) as monitor:
            try:
                wait_for(lambda: self.triggered(disk, log.name), "the monitor")
                disk.unplug()
                self.settle()
                wait_for(lambda: "ACTION=remove" in pathlib.Path(log.name).read_text(), "remove")
            finally:
                monitor.terminate()
        log.close()
        events = pathlib.Path(log.name).read_text().split("\n\n")
        removed = next(event for event in events if "ACTION=remove" in event)
        self.assertRegex(removed, "(?m)^CURRENT_TAGS=.*:systemd:")

    def test_what_is_there_at_boot_is_told_apart_from_what_is_plugged_in(self):
        self.size = 600 << 20
        self.small_reserve()
        self.init()
        self.write("etc/fstab", "one\n")
        disk = self.prepared()
        self.start_udevd(allow=(disk,))
        self.udevadm("trigger", "--action=add", f"--name-match={disk.part}")
        seen = self.properties(disk.part)
        self.assertEqual("1", seen["ROTA_SINCE_BOOT"])
        self.assertIn("SYSTEMD_WANTS", seen)
        result = self.rota("disk", "attach", "--started-by=udev", disk.part)
        self.assertRegex(result.out, "connected since this machine was started")  # for the journal
        self.assertEqual("", result.err)
        self.assertEqual([], self.copies(disk))
        shown = self.rota("history", "--disk", disk.name).out
        self.assertIn("connected since boot", shown)
        # A person may start it, and so does the next plug-in.
        disk.replug()
        self.assert_starts(disk.part)
        self.udevadm("trigger", "--action=add", f"--name-match={disk.part}")
        self.assert_starts(disk.part)
        self.rota("disk", "attach", "--started-by=udev", "--scrub=0s", disk.part)
        self.assertEqual(1, len(self.copies(disk)))


class Watching:
    """What `rota watch` does, whoever tells it of devices."""

    def watch(self, *options):
        self.log = open(self.dir / "watch.log", "wb")
        self.addCleanup(self.log.close)
        process = self.start("watch", *options, stdout=self.log,
                             stderr=subprocess.STDOUT)
        self.addCleanup(self.end, process)
        self.wait_said("Waiting for rotation disks")
        return process

    def end(self, process):
        if process.poll() is None:
            process.terminate()
        process.wait(60)

    def said(self):
        return pathlib.Path(self.log.name).read_text()

    def wait_said(self, pattern):
        try:
            wait_for(lambda: re.search(pattern, self.said()), pattern, 40)
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.said()}") from None

    def state(self, disk):
        return self.rota("disk", "show", disk.name, "--json").json()["state"]

    def settings(self, *disks, more=""):
        """All see all devices: none but these disks may be touched."""
        names = ", ".join(f'"{disk.name}"' for disk in disks)
        self.rotation(f'[set.monthly]\nreserve = "1M"\nallow_fixed = true\ndisks = [{names}]\n{more}')

    def copies_begun(self, disk):
        return len(re.findall(f"Disk {disk.name} .*its copy begins", self.said()))

    def make_marker(self):
        """A disk that the ledger does not know: nothing is written to it."""
        marker = self.disk(8 << 20)
        marker.unplug()
        subprocess.run(["mkfs.ext4", "-q", "-F", "-L", f"ROTA-{marker.name}", marker.image], check=True)
        return marker

    def let_it_handle(self, marker):
        """Behind this, `watch` has handled all that happened to disks before: it has heard of the
        marker, and what it hears of has an order."""
        self.settle()
        marker.plug_in()
        self.wait_said(f"The job with disk {marker.name} ended with status {REFUSED}")
        marker.unplug()

    def prepare(self, *others):
        self.small_reserve()
        self.init()
        self.write("etc/fstab", "one\n")
        disk = self.prepared()
        disk.unplug()
        self.settings(disk, *others)
        return disk

    def walk(self, marker, *options):
        """Plug in, sealed, unplug, away, plug in again: a copy each time and none between."""
        disk = self.prepare(marker)
        process = self.watch(*options)
        disk.plug_in()
        self.wait_said(f"The job with disk {disk.name} is done")
        self.assertEqual(1, len(self.copies(disk)), self.said())
        self.assertEqual("safe to remove", self.state(disk))
        self.let_it_handle(marker)
        self.assertEqual(1, self.copies_begun(disk), "the job's own changes were a plug-in")
        disk.unplug()
        self.wait_said(f"Disk {disk.name} was unplugged")
        wait_for(lambda: '"away"' in self.rota("history", "--disk", disk.name, "--json").out, "away")
        self.assertEqual(1, self.copies_begun(disk))
        disk.plug_in()
        wait_for(lambda: self.said().count("is done") == 2, "the second copy")
        self.assertEqual(2, len(self.copies(disk)))
        process.terminate()
        self.assertEqual(DONE, process.wait(60))
        # There since the start: told, recorded, and left alone.
        disk.replug()
        self.rota("disk", "list")
        self.watch(*options)
        self.wait_said("was connected already, and nothing is copied|it may be unplugged")
        self.assertEqual(2, len(self.copies(disk)))


class KernelEvents(Watching, DiskMachine):
    def settle(self):
        """The kernel has told all that happened before."""

    def test_without_udevd_a_disk_is_copied_to_when_it_is_plugged_in(self):
        self.walk(self.make_marker(), "--kernel")

    def test_a_stranger_and_two_at_once_are_told_and_recorded(self):
        disk, other, second = self.prepare(), self.disk(), self.prepared()
        second.unplug()
        stranger = f"ROTA-{other.name}"
        other.unplug()
        subprocess.run(["mkfs.ext4", "-q", "-F", "-L", stranger, other.image], check=True)
        log = self.dir / "told"
        program = self.dir / "told.sh"
        program.write_text(f"#!/bin/sh\ncat >> {log}\n")
        program.chmod(0o700)
        self.settings(disk, other, second, more=f'[notify]\nconsole = false\nmail = ""\n'
                                        f'on_event = "{program}"\n')
        self.watch("--kernel")
        other.plug_in()
        self.wait_said(f"The job with disk {other.name} ended with status {REFUSED}")
        told = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertEqual([("unknown disk", "alarm")], [(t["event"], t["level"]) for t in told])
        self.rota("disk", "move", disk.name, "off-site", "--place", "bank", "--by", "jo")
        disk.plug_in()
        self.wait_said(f"The job with disk {disk.name} is done")
        told = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertEqual("safe to unplug", told[-1]["event"])
        self.assertRegex(" ".join(told[-1]["more"]), "claimed off site .* plugged in here")
        self.assertIn(stranger, self.rota("status").out)
        other.unplug()
        second.plug_in()
        self.wait_said(f"The job with disk {second.name} is done")
        told = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertEqual(("safe to unplug", "alarm"), (told[-1]["event"], told[-1]["level"]))
        self.assertRegex(" ".join(told[-1]["more"]), "plugged in at once")
        self.assertEqual(1, len(self.copies(second)))


class Prepared(DiskMachine):
    def test_a_disk_that_was_just_prepared_is_not_copied_to_before_it_is_plugged_in(self):
        self.small_reserve()
        self.init()
        self.write("etc/fstab", "one\n")
        disk = self.disk()
        self.rota("disk", "prepare", disk.node, "--name", disk.name, "--yes", "--allow-fixed")
        for started_by in ("udev", "watch"):
            self.rota("disk", "attach", f"--started-by={started_by}", disk.part)
            self.assertEqual([], self.copies(disk))
        disk.replug()
        self.rota("disk", "attach", "--started-by=udev", "--scrub=0s", disk.part)
        self.assertEqual(1, len(self.copies(disk)))


class UdevEvents(Watching, UdevMachine):
    def test_a_disk_that_is_prepared_while_it_watches_is_not_copied_to(self):
        self.init()
        self.write("etc/fstab", "one\n")
        disk, marker = self.disk(), self.make_marker()
        self.start_udevd(allow=(disk, marker))
        self.settings(disk, marker)
        self.watch()
        self.rota("disk", "prepare", disk.node, "--name", disk.name, "--yes", "--allow-fixed")
        self.let_it_handle(marker)
        self.assertEqual(0, self.copies_begun(disk))
        disk.replug()
        self.wait_said(f"The job with disk {disk.name} is done")
        self.assertEqual(1, self.copies_begun(disk))
        self.assertEqual(1, len(self.copies(disk)))

    def test_with_udevd_a_disk_is_copied_to_once_each_time_that_it_is_plugged_in(self):
        disk, marker = self.disk(plug_in=False), self.make_marker()
        self.start_udevd(allow=(disk, marker))
        self.disk = lambda size=None: disk
        disk.plug_in()
        self.walk(marker)
