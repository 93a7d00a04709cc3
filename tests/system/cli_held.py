"""Copies that are held until a person has looked, and disks that are refused."""

import os
import pathlib
import shutil
import subprocess

from cli_attach_disk import DiskCase
from machine import FAILED, REFUSED, USAGE, WARNINGS


class Held(DiskCase):
    def test_a_copy_with_half_of_the_files_gone_is_held_until_it_is_accepted(self):
        disk = self.prepared()
        self.attach(disk)
        self.change_time()
        subprocess.run(["rm", "-r", self.source / "home/user1", self.source / "home/user2"],
                       check=True)
        disk.replug()
        result = self.attach(disk, status=REFUSED)
        self.assertIn("fewer than the last copy", result.err)
        self.assertEqual(1, len(self.copies(disk)))
        shown = self.rota("disk", "show", disk.name).out
        self.assertIn("fewer than the last copy", shown)
        self.assertIn("fewer than the last copy", self.rota("status").out)
        self.assertEqual(2, self.rota("check", status=None).status)
        # As it was: nothing is held any longer by plugging in again.
        disk.replug()
        self.attach(disk, status=REFUSED)
        self.rota("disk", "accept", disk.name, "--reason", "moved away", "--by", "jo")
        disk.replug()
        self.assertIn("accepted by jo (moved away): it has", self.attach(disk, status=WARNINGS).err)
        self.assertEqual(2, len(self.copies(disk)))
        self.assertEqual([], [name for name in self.on_disk(disk) if "." in name and
                              name != "scrub.json"])
        # It was for that copy only.
        self.change_time()
        subprocess.run(["rm", "-r", self.source / "home/user3"], check=True)
        disk.replug()
        self.attach(disk, status=REFUSED)

    def test_encrypted_files_are_held_and_the_old_copy_stays(self):
        disk = self.prepared()
        self.attach(disk)
        self.change_time()
        for number in range(60):
            file = self.source / f"home/user{number % 5}/file{number}"
            file.write_bytes(os.urandom(file.stat().st_size))
        disk.replug()
        result = self.attach(disk, status=REFUSED)
        self.assertIn("held", result.err)
        shown = self.rota("disk", "show", disk.name).out
        self.assertIn("look like noise now", shown)

    def test_a_canary_that_was_touched_is_held(self):
        canary = self.write("canary", "sing")
        self.set(canaries=f'["{canary}"]')
        disk = self.prepared()
        self.attach(disk)
        self.change_time()
        disk.replug()
        self.attach(disk)
        canary.write_text("croak")
        self.change_time()
        disk.replug()
        result = self.attach(disk, status=REFUSED)
        self.assertIn("canary", result.err)

    def test_a_source_that_is_not_mounted_is_held(self):
        disk = self.prepared()
        other = self.disk()
        subprocess.run(["mkfs.ext4", "-q", "-F", other.node], check=True)
        data = self.source / "data"
        data.mkdir()
        subprocess.run(["mount", other.node, data], check=True)
        self.mounts.append(str(data))
        self.write("data/one")
        self.attach(disk)
        subprocess.run(["umount", data], check=True)
        self.mounts.pop()
        self.change_time()
        disk.replug()
        result = self.attach(disk, status=REFUSED)
        self.assertIn("was mounted at the last copy and is not now", result.err)

    def test_a_nightly_run_misses_what_is_not_mounted(self):
        other = self.disk()
        subprocess.run(["mkfs.ext4", "-q", "-F", other.node], check=True)
        for where, status in (("data", WARNINGS), ("", REFUSED)):
            place = self.source / where
            place.mkdir(exist_ok=True)
            subprocess.run(["mount", other.node, place], check=True)
            self.mounts.append(str(place))
            (place / "one").write_text("one\n")
            self.rota("backup")
            subprocess.run(["umount", place], check=True)
            self.mounts.pop()
            before = len(self.runs())
            for _ in range(2):  # each night
                missed = self.rota("backup", status=status)
                self.assertRegex(missed.err, f"{place}.* was mounted at the last run.* is not")
            self.assertEqual(before + (2 if status == WARNINGS else 0), len(self.runs()))
            if where:
                place.rmdir()  # it is gone for good
                self.rota("backup")
                shutil.rmtree(self.source)
                self.source.mkdir()


class Refused(DiskCase):
    def test_a_clone_is_refused_while_both_are_there_and_when_it_is_stale(self):
        disk = self.prepared()
        self.attach(disk)
        disk.unplug()
        clone = disk.clone()
        disk.plug_in()
        clone.plug_in()
        self.fails(REFUSED, disk.name, "disk", "attach", disk.part)
        clone.unplug()
        self.change_time()
        self.attach(disk)
        disk.unplug()
        clone.plug_in()
        before = pathlib.Path(clone.image).read_bytes()
        self.fails(REFUSED, "older|clone|restored", "disk", "attach", clone.part)
        self.assertEqual(before, pathlib.Path(clone.image).read_bytes(), "it was written to")
        self.assertIn("alarm", self.rota("status").out)
        # What is proved with it says nothing of the disk.
        result = self.rota("restore", "--disk", clone.part, "--to", self.dir / "to", status=WARNINGS)
        self.assertRegex(result.err, "older|clone|restored")
        (self.dir / "scratch").mkdir()
        self.rota("drill", "main", "--disk", clone.part, "--scratch", self.dir / "scratch",
                  status=WARNINGS)
        self.assertNotIn(f"from disk {disk.name}", self.rota("status").out)

    def test_what_is_mistyped_is_no_failure_of_the_disk(self):
        disk = self.prepared()
        self.attach(disk)
        before = self.rota("disk", "show", disk.name, "--json").json()["state"]
        self.fails(USAGE, "nope", "disk", "attach", disk.part, "--profile", "nope")
        self.fails(FAILED, "/nope", "disk", "attach", disk.part, "--from-copy", "/nope")
        self.assertEqual(before, self.rota("disk", "show", disk.name, "--json").json()["state"])

    def test_a_disk_that_is_moved_while_it_is_here_is_told(self):
        disk = self.prepared()
        self.attach(disk)
        words = ("disk", "move", disk.name, "off-site", "--place", "bank", "--by", "jo")
        result = self.rota(*words, status=WARNINGS)
        self.assertIn("still plugged in here: this counts when it is unplugged", result.err)
        disk.unplug()
        self.assertIn("off site at 'bank'", self.rota("status").out)
        self.silent(*words)

    def test_a_strangers_disk_is_never_written_to_and_can_be_adopted(self):
        disk = self.prepared()
        self.attach(disk)
        first = self.newest(disk)
        disk.replug()
        before = pathlib.Path(disk.image).read_bytes()
        mine = self.places
        self.places = {name: f"{place}-other" for name, place in self.places.items()}
        self.small_reserve()
        self.init()
        self.fails(REFUSED, disk.name, "disk", "attach", disk.part)
        self.assertEqual(before, pathlib.Path(disk.image).read_bytes(), "it was written to")
        self.silent("restore", "--disk", disk.part, "--to", self.dir / "to")
        self.assert_equal_trees(self.source, self.dir / "to")
        self.silent("disk", "adopt", disk.part)
        self.assertEqual([first], self.copies(disk))
        self.change_time()
        self.attach(disk)
        self.assertEqual(2, len(self.copies(disk)))
        self.places = mine
        disk.replug()
        self.fails(REFUSED, disk.name, "disk", "attach", disk.part)

    def test_held_and_lost_disks_are_not_written_to(self):
        disk = self.prepared()
        self.rota("disk", "hold", disk.name, "--reason", "court order", "--by", "jo")
        self.fails(REFUSED, "held \\(court order\\)", "disk", "attach", disk.part)
        self.rota("disk", "release", disk.name, "--by", "jo")
        self.attach(disk)

    def test_a_full_disk_loses_nothing_and_says_what_to_do(self):
        disk = self.prepared(size=64 << 20)
        self.attach(disk)
        (self.source / "big").write_bytes(os.urandom(80_000_000))
        self.change_time()
        disk.replug()
        result = self.attach(disk, status=REFUSED)
        self.assertRegex(result.err, "has no room for the copy of main: it needs .* are free")
        self.assertEqual(1, len(self.copies(disk)))
        (self.source / "big").unlink()
        disk.replug()
        self.attach(disk)
        self.silent("disk", "verify", disk.name, "--all")

    def test_a_server_without_room_does_not_keep_the_others_from_the_disk(self):
        disk = self.prepared(size=64 << 20)
        big = self.dir / "big"
        big.mkdir()
        (big / "file").write_bytes(os.urandom(80_000_000))
        self.init("archive")  # comes before main
        self.set("archive", source=f'"{big}"')
        result = self.rota("disk", "attach", disk.part, "--scrub", "0s", status=FAILED)
        self.assertRegex(result.err, "archive was not copied: disk .* has no room for the copy")
        self.assertEqual(1, len(self.copies(disk)))
        self.assertIn("ended as full", self.rota("status").out)

    def test_old_copies_go_when_room_is_needed_and_the_newest_stays(self):
        disk = self.prepared(size=96 << 20)
        for turn in range(4):
            (self.source / "big").write_bytes(os.urandom(22_000_000))
            self.attach(disk)
            disk.replug()
            self.change_time()
        self.assertLess(len(self.copies(disk)), 4)
        self.assertGreaterEqual(len(self.copies(disk)), 2)
        self.silent("disk", "verify", disk.name, "--all")
        self.assertIn("prune", self.rota("history").out)

    def test_nothing_goes_for_a_copy_that_would_not_fit_all_the_same(self):
        disk = self.prepared(size=96 << 20)
        (self.source / "stays").write_bytes(os.urandom(20_000_000))
        for turn in range(4):  # all share it: without three of them no room would be won
            (self.source / "turn").write_text(str(turn))
            self.attach(disk)
            disk.replug()
            self.change_time()
        before = self.copies(disk)
        self.assertEqual(4, len(before))
        (self.source / "large").write_bytes(os.urandom(75_000_000))
        self.fails(REFUSED, "no older copy may be removed", "disk", "attach", disk.part, "--scrub",
                   "0s")
        self.assertEqual(before, self.copies(disk))

    def test_restore_refuses_a_rotation_disk_as_its_target(self):
        disk = self.prepared()
        self.attach(disk)
        disk.replug()
        self.backup()
        place = disk.mount("rw")
        self.fails(REFUSED, "is on the rotation disk", "restore", "--to", place / "x")
        self.fails(REFUSED, "mounted", "disk", "attach", disk.part)

    def test_wrong_words(self):
        disk = self.prepared()
        self.fails(FAILED, "no disk NONE is plugged in", "disk", "attach", "NONE")
        self.fails(USAGE, "DISK", "disk", "attach")
        self.fails(USAGE, "--scrub|span|12x", "disk", "attach", disk.name, "--scrub", "12x")
        self.fails(USAGE, "nobody", "disk", "attach", disk.name, "--profile", "nobody")
        self.fails(USAGE, "not both", "restore", "--disk", disk.name, "--copy", "/x", "--to",
                   self.dir / "to")
