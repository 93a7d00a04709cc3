#!/usr/bin/env python3
"""Tests with a real systemd, a real kernel and a USB disk that is plugged in and pulled out: a
virtual machine.

ROTA names the program; `vm_test.py NAME...` runs only tests whose names hold one of the words.
Without names and without ROTA_TEST_LONG only the tests of Short run. ROTA_SEED repeats random
moments. The image and the saved machine are kept in build/vm until what they are made of changes.
"""

import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
sys.dont_write_bytecode = True

import cli_test
import qemu
import station as stations

LONG = bool(os.environ.get("ROTA_TEST_LONG"))


class Vm(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.base, cls.saved = stations.made()

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="rota-vm-", dir="/var/tmp"))
        self.addCleanup(shutil.rmtree, self.dir)

    def resume(self):
        """The saved station, and its disk, which holds one copy."""
        station = stations.Station(self.dir / "vm", self.base, self.saved / "root.qcow2",
                                   self.saved / "state")
        self.addCleanup(station.kill)
        image = self.dir / "ALPHA.img"
        subprocess.run(["cp", "--sparse=always", self.saved / "ALPHA.img", image], check=True)
        return station, stations.Disk(image, "ALPHA")

    def assert_whole(self, disk, copies):
        """Read with stock tools, without rota: the filesystem is sound, these copies are there and
        no other, and each file of each is what SHA256SUMS says."""
        self.assertEqual("", disk.check())
        names = [name for name in disk.names("/rota/main") if name != "scrub.json"]
        self.assertEqual(sorted(copies), names)
        place = disk.take_out(self.dir / "taken-out")
        for copy in copies:
            top = place / "rota/main" / copy
            done = subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "../SHA256SUMS"],
                                  cwd=top / "tree", stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
            self.assertEqual((0, b""), (done.returncode, done.stdout), copy)
            self.assertGreater(len((top / "SHA256SUMS").read_text().splitlines()), 100)
        return place


class Short(Vm):
    """What runs always."""

    def test_plugged_in_it_is_copied_to_and_switched_off(self):
        station, disk = self.resume()
        station.hold_job("pre")
        station.plug_in(disk.image, disk.serial)
        start = time.monotonic()
        station.wait_held()
        seen = dict(line.split("=", 1) for line in station.run(
            "udevadm info --query=property --name=sda1").splitlines())
        self.assertEqual(("usb", disk.serial, "ROTA-ALPHA"),
                         tuple(seen[key] for key in ("ID_BUS", "ID_SERIAL_SHORT", "ID_FS_LABEL")))
        self.assertEqual(("rota-disk@sda1.service", "1"),
                         (seen["SYSTEMD_WANTS"], seen["UDISKS_IGNORE"]))
        self.assertIn(":systemd:", seen["CURRENT_TAGS"])
        self.assertEqual("activating\n", station.run("systemctl is-active rota-disk@sda1.service || true"))
        self.assertIn("rota", station.run("systemd-inhibit --list --no-pager"))
        station.let_job_go()
        told = station.wait_job(1)
        print(f"plugged in to switched off: {time.monotonic() - start:.1f} s, "
              f"{station.requests()} commands to the disk")
        self.assertEqual([("safe to unplug", "good")], [(t["event"], t["level"]) for t in told])
        self.assert_switched_off(station)
        copies = station.copies(disk)
        self.assertEqual(2, len(copies))
        station.unplug(disk.serial)
        # The unit is hardened; nothing of the source is hidden from it.
        tree = self.assert_whole(disk, copies) / "rota/main" / copies[-1] / "tree"
        for where in ("home/jo", "root/work", "tmp/here", "var/tmp/here", "opt/thing", "srv/www"):
            self.assertEqual(f"of /{where}\n", (tree / where / "file").read_text())

    def assert_switched_off(self, station):
        """Nothing written after the last flush; flushed, stopped, and gone from the bus."""
        write, flush, stop = "0x2a", "0x35", "0x1b"
        order = []
        for line in station.traced():
            if found := re.search(r"scsi_disk_new_request .*data= (0x..)(?: 0x..){3} (0x..)", line):
                order.append(found[1])
                if found[1] == stop:
                    self.assertEqual("0x00", found[2], "not a stop but a start")
            elif "usb_xhci_slot_disable" in line:
                order.append("gone")
        self.assertEqual(("gone", 1), (order[-1], order.count(stop)), order[-20:])
        last_write = len(order) - order[::-1].index(write)
        self.assertLess(last_write, order.index(stop))
        self.assertIn(flush, order[last_write:order.index(stop)])
        self.assertEqual([], station.run("ls /sys/block | grep '^sd' || true").split())

    def test_pulled_out_and_plugged_in_again(self):
        station, disk = self.resume()
        (first,) = station.copies(disk)
        station.pull_during(disk, "copy main")
        told = station.wait_job(1, 60)
        self.assertEqual([("pulled out", "warning", "ALPHA")],
                         [(t["event"], t["level"], t["disk"]) for t in told])
        self.assertEqual([first], station.copies(disk))
        self.assertIn("ended as interrupted (pulled out in the step “copy main”)",
                      station.run("rota status"))
        told = station.copy(disk)
        self.assertEqual(["safe to unplug"], [t["event"] for t in told])
        copies = station.copies(disk)
        self.assertEqual((2, first), (len(copies), copies[0]))
        self.assert_whole(disk, copies)

    def test_a_job_that_is_killed_is_told_by_its_unit(self):
        station, disk = self.resume()
        station.plug_in(disk.image, disk.serial)
        station.run(f"""
            {qemu.until("[ -e /run/rota/disk-ALPHA.json ]")}
            systemctl kill --signal=KILL rota-disk@sda1.service""")
        (told,) = station.wait_job(1, 60)
        self.assertEqual(("failed", "alarm", "ALPHA"), (told["event"], told["level"], told["disk"]))
        self.assertIn("systemd says “signal”", told["text"])
        self.assertIn("ended as interrupted", station.run("rota status"))

    def test_a_strangers_disk_is_told_and_not_written_to(self):
        station, _ = self.resume()
        stranger = stations.Disk.empty(self.dir)
        subprocess.run(["sfdisk", "-q", stranger.image], input="label: gpt\n,,L\n", text=True,
                       check=True)
        # mke2fs takes the size of the file for that of the partition: the backup table lies behind.
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-L", f"ROTA-{stranger.name}",
                        "-E", "offset=1048576", stranger.image, "900M"], check=True)
        before = stations.digest(stranger.image)
        (told,) = station.copy(stranger)
        self.assertEqual(("unknown disk", "alarm"), (told["event"], told["level"]))
        self.assertIn(f"ROTA-{stranger.name}", told["text"])
        self.assertEqual(before, stations.digest(stranger.image))
        self.assertIn(f"ROTA-{stranger.name}", station.run("rota status"))

    def test_pulled_out_at_random_moments(self):
        seed = int(os.environ.get("ROTA_SEED", random.randrange(1 << 32)))
        times = 20 if LONG else 2
        print(f"seed {seed}, {times} times")
        choose = random.Random(seed)
        station, disk = self.resume()
        whole = 2300  # commands that a job gives the disk, as far as is known
        for number in range(times):
            if number > 0:
                station.change_data()
            before, after = station.copies(disk), len(station.told())
            image, begun = stations.digest(disk.image), station.requests()
            doing = station.pull_after(disk, int(choose.random() * whole))
            events = [told["event"] for told in station.wait_job(after, 90, count=0)]
            print(f"{number + 1}: {doing}: {', '.join(events) or 'not begun'}")
            self.assertIn(events, ([], ["pulled out"], ["safe to unplug"]))
            if not events:
                self.assertEqual(image, stations.digest(disk.image), "its job wrote and is silent")
            if events == ["safe to unplug"]:
                whole = station.requests() - begun  # it had ended before
            self.assertNotIn("damaged", station.run("rota status; rota history"))
            self.assertEqual(before, station.copies(disk)[:len(before)])
            (told,) = station.copy(disk)
            self.assertEqual("safe to unplug", told["event"])
            copies = station.copies(disk)
            self.assertEqual(before, copies[:len(before)])
            self.assertGreater(len(copies), len(before))
            self.assert_whole(disk, copies)
            shutil.rmtree(self.dir / "taken-out")


class Long(Vm):
    """What takes longer, or is rarer."""

    def test_pulled_out_while_it_is_read(self):
        station, disk = self.resume()
        self.pull_and_look(station, disk, "read back main", 1)
        self.assert_told(["safe to unplug"], station.copy(disk))
        # There is nothing new now, and only what lies there is read.
        self.pull_and_look(station, disk, "scrub main", 3)
        self.assert_told(["safe to unplug"], station.copy(disk))
        self.assert_whole(disk, station.copies(disk))

    def pull_and_look(self, station, disk, step, copies):
        after = len(station.told())
        station.pull_during(disk, step)
        (told,) = station.wait_job(after, 90)
        self.assertEqual(("pulled out", "warning"), (told["event"], told["level"]))
        self.assertIn(step, told["text"])
        self.assertEqual(copies, len(station.copies(disk)))
        self.assertNotIn("damaged", station.run("rota status; rota history"))

    def assert_told(self, events, told):
        self.assertEqual(events, [message["event"] for message in told])

    def test_an_encrypted_disk_pulled_out_while_it_is_open(self):
        station, _ = self.resume()
        disk = stations.Disk.empty(self.dir)
        passphrase = re.search("(?m)^ +([A-Z2-7-]{40,})$", station.prepare(disk, "--encrypt"))[1]
        self.assert_told(["safe to unplug"], station.copy(disk))
        (first,) = station.copies(disk)
        station.change_data()
        after = len(station.told())
        station.pull_during(disk, "copy main")
        self.assert_told(["pulled out"], station.wait_job(after, 60))
        self.assertEqual("No devices found\n", station.run("dmsetup ls"))
        self.assert_told(["safe to unplug"], station.copy(disk))
        copies = station.copies(disk)
        self.assertEqual((2, first), (len(copies), copies[0]))
        self.assertEqual("No devices found\n", station.run("dmsetup ls"))
        # With stock tools and the recovery passphrase, where rota does nothing about it.
        station.run("mv /usr/lib/udev/rules.d/90-rota.rules /root && udevadm control --reload")
        station.plug_in(disk.image, disk.serial)
        station.run(f"udevadm settle; {qemu.until('[ -b /dev/sda1 ]')}")
        # As on a clean machine, where the key file is gone with its server: by the passphrase.
        said = station.run(f"""set -e
            cat > /root/sheet; mv /etc/rota/keys /root/keys
            setsid -w rota restore --disk {disk.name} --to /root/back 2>&1 < /dev/null && exit 1
            rota restore --disk {disk.name} --to /root/back --disk-key /root/sheet
            test -n "$(ls /root/back)"; mv /root/keys /etc/rota/keys""", typed=passphrase.encode() + b"\n")
        self.assertIn("with --disk-key FILE", said)
        self.assertEqual("No devices found\n", station.run("dmsetup ls"))
        station.run(f"""set -e
            cryptsetup open --readonly /dev/sda1 opened --key-file -
            mount -o ro /dev/mapper/opened /mnt
            for copy in {' '.join(copies)}; do
              cd /mnt/rota/main/$copy/tree && sha256sum --check --quiet --strict ../SHA256SUMS
            done""", typed=passphrase.encode())

    def test_a_disk_that_was_there_at_boot_waits(self):
        station, disk = self.resume()
        (first,) = station.copies(disk)
        station = self.boot_again(station, disk)
        (told,) = station.wait_job(1)
        self.assertEqual(("waiting", "ALPHA"), (told["event"], told["disk"]))
        self.assertEqual([first], station.copies(disk))
        station.unplug(disk.serial)
        station.run("udevadm settle")
        self.assert_told(["safe to unplug"], station.copy(disk))
        self.assert_whole(disk, station.copies(disk))

    def boot_again(self, station, disk=None):
        """The power goes off, and on again."""
        station.kill()
        again = stations.Station(self.dir / "again", self.base, station.layer, disk=disk)
        self.addCleanup(again.kill)
        again.wait_settled()
        return again

    def test_the_power_of_the_server_goes_off_in_the_middle(self):
        station, disk = self.resume()
        (first,) = station.copies(disk)
        station.run("sync")
        station.pull_during(disk, "copy main", pull=station.kill)
        self.assertEqual([first], self.sealed(disk))
        station = self.boot_again(station)
        self.assert_told(["safe to unplug"], station.copy(disk))
        copies = station.copies(disk)
        self.assertEqual((2, first), (len(copies), copies[0]))
        self.assert_whole(disk, copies)

    def sealed(self, disk):
        return [name for name in disk.names("/rota/main") if re.fullmatch("[0-9TZ]+", name)]

    def test_two_disks_at_once_are_two_jobs_and_an_alarm(self):
        station, disk = self.resume()
        other = stations.Disk.empty(self.dir)
        station.prepare(other)
        for each in (disk, other):
            station.plug_in(each.image, each.serial)
        told = station.wait_job(1, count=2)
        self.assertEqual({"ALPHA", other.name}, {message["disk"] for message in told})
        self.assertEqual({"safe to unplug"}, {message["event"] for message in told})
        self.assertIn("plugged in at once", json.dumps(told))
        for each in (disk, other):
            station.unplug(each.serial)
        self.assertEqual([2, 1], [len(station.copies(each)) for each in (disk, other)])
        self.assert_whole(disk, station.copies(disk))

    def pulled_out_with(self, filesystem):
        station, _ = self.resume()
        disk = stations.Disk.empty(self.dir)
        station.prepare(disk, f"--fs {filesystem}")
        station.pull_during(disk, "copy main")
        self.assert_told(["pulled out"], station.wait_job(1, 60))
        self.assertEqual([], station.copies(disk))
        self.assert_told(["safe to unplug"], station.copy(disk))
        self.assertEqual(1, len(station.copies(disk)))
        station.run("mv /usr/lib/udev/rules.d/90-rota.rules /root && udevadm control --reload")
        station.plug_in(disk.image, disk.serial)
        station.run(f"""
            udevadm settle; {qemu.until("[ -b /dev/sda1 ]")}
            rota disk verify {disk.name} --all""")

    def test_an_xfs_disk_pulled_out(self):
        self.pulled_out_with("xfs")

    def test_a_btrfs_disk_pulled_out(self):
        self.pulled_out_with("btrfs")

    def test_who_is_logged_in_is_told_on_the_desktop(self):
        station, disk = self.resume()
        # A session without a screen, and a notify-send that shows that it reaches the session's bus.
        station.write("/usr/local/bin/notify-send", """#!/bin/sh
            busctl --user list > /dev/null || exit 1
            printf '%s\\n' "$(id -un)" "$@" >> /home/sam/notified
            """, mode="755")
        station.run("""
            useradd --create-home sam && systemctl start user@$(id -u sam).service
            """ + qemu.until("[ -S /run/user/$(id -u sam)/bus ]") + """
            sed -i 's/^on_event/desktop = true\\n&/' /etc/rota/rotation.toml""")
        self.assert_told(["safe to unplug"], station.copy(disk))
        told = station.run("cat /home/sam/notified").splitlines()
        self.assertEqual(["sam", "--app-name=rota", "--urgency=normal", "--"], told[:4])
        self.assertRegex(told[-1], "^SAFE TO UNPLUG ROTA-ALPHA")

    def test_the_package_goes_without_leaving_anything(self):
        station, disk = self.resume()
        station.run("systemctl enable --now rota-remind.timer && systemctl start rota-remind.service"
                    " && dpkg --purge rota")
        self.assertEqual("", station.run("find / -xdev -path '*/rota*' -not -path '/etc/rota*' "
                                         "-not -path '/var/lib/rota*' -not -path '/root/*' "
                                         "-not -path '/var/cache/rota*' -not -path '/run/*'"))
        self.assertIn("0 unit files", station.run("systemctl list-unit-files 'rota*' || true"))
        station.plug_in(disk.image, disk.serial)
        seen = station.run(f"""{qemu.until("[ -b /dev/sda1 ]")}
            udevadm settle; udevadm info --query=property --name=sda1""")
        self.assertIn("ID_FS_LABEL=ROTA-ALPHA", seen)
        self.assertNotIn("SYSTEMD_WANTS", seen)
        self.assertEqual("", station.run("systemctl --failed --no-legend"))


def missing():
    """What this machine lacks; nothing when the tests can run."""
    if os.geteuid() != 0:
        return "needs root, to make the image of the virtual machine"
    programs = (qemu.QEMU, "qemu-img", "mmdebstrap", "debugfs", "e2fsck", "sfdisk", "dpkg-shlibdeps")
    lacking = [name for name in programs if shutil.which(name) is None]
    return f"needs {', '.join(lacking)}" if lacking else None


def main(words):
    if reason := missing():
        line = f"SKIPPED: all tests in a virtual machine: {reason}\n"
        sys.stderr.write(line)
        if log := os.environ.get("ROTA_SKIP_LOG"):
            with open(log, "a", encoding="utf-8") as file:
                file.write(line)
        return 0
    suite = unittest.TestSuite()
    for kind in (Short, Long) if LONG or words else (Short,):
        for test in cli_test.cases(unittest.defaultTestLoader.loadTestsFromTestCase(kind)):
            if not words or any(word in test.id() for word in words):
                suite.addTest(test)
    if suite.countTestCases() == 0:
        sys.exit(f"no test is called like {' '.join(words)}")
    result = unittest.TextTestRunner(resultclass=cli_test.Timed, verbosity=1).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
