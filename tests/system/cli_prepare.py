"""rota disk prepare and rota disk rekey, on loop devices and at a terminal."""

import os
import subprocess

from machine import DONE, FAILED, REFUSED, TIMEOUT, USAGE, Machine


class Prepare(Machine):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0 or not os.path.exists("/dev/loop-control"):
            self.skip("needs root and loop devices")
        image = self.dir / "disk.img"
        image.touch()
        os.truncate(image, 192 << 20)
        self.image = image
        self.disk = self.attach()

    def attach(self):
        """losetup --find is not safe against others that look for a free one at the same time."""
        for _ in range(50):
            done = subprocess.run(["losetup", "--find", "--show", "--partscan", str(self.image)],
                                  capture_output=True, text=True, check=False)
            if done.returncode == 0:
                node = done.stdout.strip()
                self.addCleanup(subprocess.run, ["losetup", "-d", node], check=False)
                return node
        self.fail(f"no loop device: {done.stderr}")

    def prepare(self, *args):
        return "disk", "prepare", self.disk, "--allow-fixed", *args

    def label(self):
        done = subprocess.run(["blkid", "-p", "-o", "value", "-s", "LABEL", self.disk + "p1"],
                              capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def at_terminal(self, typed, *args):
        process, master, _ = self.with_terminal(*args)
        shown = b""
        while b"Type its name to go on: " not in shown:
            shown += os.read(master, 4096)
        os.write(master, typed)
        out, err = process.communicate(timeout=TIMEOUT)
        return process.returncode, shown.decode().replace("\r", ""), out.decode(), err.decode()

    def test_an_empty_disk_is_prepared_by_a_script_and_stands_in_the_ledger(self):
        self.silent(*self.prepare("--name", "B", "--yes", "--set", "monthly"))
        self.assertEqual("ROTA-B", self.label())
        rows = self.rota("disk", "list", "--json").out
        self.assertIn('"B"', rows)
        self.fails(REFUSED, "never used again", *self.prepare("--name", "B", "--yes"))

    def test_the_result_is_told_as_json(self):
        made = self.rota(*self.prepare("--name", "C", "--yes", "--fs", "btrfs", "--json")).json()
        self.assertEqual(("C", "ROTA-C", "btrfs"), (made["name"], made["label"],
                                                    made["filesystem"]))
        self.assertEqual(self.disk + "p1", made["device"])
        self.assertNotIn("recovery_passphrase", made)

    def test_the_name_must_be_typed(self):
        status, shown, out, err = self.at_terminal(b"X\n", *self.prepare("--name", "B"))
        self.assertEqual((REFUSED, ""), (status, out), err)
        self.assertIn("nothing was changed", err)
        self.assertIn("On it   nothing", shown)
        self.assertIn("201 MB", shown)
        self.assertEqual("", self.label())
        status, _, out, err = self.at_terminal(b"B\n", *self.prepare("--name", "B", "-v"))
        self.assertEqual((DONE, ""), (status, err))
        self.assertIn("plug it in again to copy", out)
        self.assertEqual("ROTA-B", self.label())

    def test_yes_does_not_wipe_and_wipe_asks(self):
        subprocess.run(["mkfs.ext4", "-q", "-F", "-L", "photos", self.disk], check=True)
        self.fails(REFUSED, "not empty.*photos", *self.prepare("--name", "B", "--yes"))
        self.fails(REFUSED, "no terminal", *self.prepare("--name", "B", "--yes", "--wipe"),
                   start_new_session=True)
        status, shown, _, err = self.at_terminal(
            b"B\n", *self.prepare("--name", "B", "--yes", "--wipe"))
        self.assertEqual((DONE, ""), (status, err))
        self.assertIn('label "photos"', shown)
        self.assertEqual("ROTA-B", self.label())

    def test_a_disk_of_the_rotation_is_not_prepared_anew_before_it_is_retired(self):
        self.silent(*self.prepare("--name", "B", "--yes"))
        self.fails(REFUSED, "is the rotation disk B.*rota disk retire B",
                   *self.prepare("--name", "C", "--wipe"))
        self.rota("disk", "retire", "B", "--reason", "worn out", "--by", "tester")
        status, _, _, err = self.at_terminal(b"C\n", *self.prepare("--name", "C", "--wipe"))
        self.assertEqual((DONE, ""), (status, err))
        self.assertEqual("ROTA-C", self.label())

    def test_what_cannot_be_prepared_says_why(self):
        self.fails(REFUSED, "--allow-fixed", "disk", "prepare", self.disk, "--name", "B", "--yes")
        self.fails(USAGE, "cannot be the name", *self.prepare("--name", "b", "--yes"))
        self.fails(USAGE, "ext4, xfs or btrfs", *self.prepare("--name", "B", "--fs", "vfat"))
        self.fails(FAILED, "no disk", "disk", "prepare", "/dev/absent", "--name", "B")
        self.silent(*self.prepare("--name", "B", "--yes"))
        self.fails(USAGE, "is a partition", "disk", "prepare", self.disk + "p1", "--name", "C")
        self.fails(USAGE, "not encrypted", "disk", "rekey", "B")
