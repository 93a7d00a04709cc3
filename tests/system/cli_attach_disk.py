"""A rotation disk from preparing to restoring, with real filesystems on loop devices."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from cli_disks import History
from disk_machine import DiskMachine, events, written
from machine import CORRUPT, DONE, FAILED, LOCKED, USAGE, WARNINGS, stop_at, wait_for


class DiskCase(DiskMachine):
    def setUp(self):
        super().setUp()
        self.small_reserve()
        self.init()
        for number in range(60):
            self.write(f"home/user{number % 5}/file{number}", f"content {number} " * 600)
        self.write("etc/fstab", "/dev/sda1 / ext4\n")
        os.link(self.source / "etc/fstab", self.source / "etc/fstab.bak")
        self.write("odd\nname \\ \xff", "odd")
        os.symlink("fstab", self.source / "etc/link")
        os.mkfifo(self.source / "fifo")
        subprocess.run(["setfattr", "-n", "user.x", "-v", "y", self.source / "etc/fstab"],
                       check=True)

    def assert_equal_trees(self, first, second):
        """As rsync sees them, with everything that it can compare."""
        result = subprocess.run(
            ["rsync", "-aHAXnic", "--numeric-ids", "--delete", "--modify-window=-1",
             f"{first}/", f"{second}/"], check=True, stdout=subprocess.PIPE)
        self.assertEqual(b"", result.stdout)

    def newest(self, disk):
        return self.copies(disk)[-1]

    def change_time(self):
        """Copies are named by seconds, and timestamps are coarse: what changes now must not be
        taken for what was copied in the same instant."""
        time.sleep(2.1)


class Copies(DiskCase):
    def test_a_copy_is_plain_files_that_stock_tools_restore(self):
        for fs in ("ext4", "xfs", "btrfs"):
            with self.subTest(fs=fs):
                disk = self.prepared("--fs", fs)
                self.rota("disk", "attach", disk.part)
                place = disk.mount()
                copy = place / "rota/main" / self.newest(disk)
                self.assert_equal_trees(self.source, copy / "tree")
                subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "../SHA256SUMS"],
                               cwd=copy / "tree", check=True)
                restored = self.dir / f"by-cp-{fs}"
                restored.mkdir()
                subprocess.run(["cp", "-a", f"{copy}/tree/.", restored], check=True)
                self.assert_equal_trees(self.source, restored)
                self.silent("restore", "--copy", copy, "--to", self.dir / f"by-copy-{fs}")
                self.assert_equal_trees(self.source, self.dir / f"by-copy-{fs}")
                self.assertIn("Debian", (copy / "FACTS.txt").read_text(errors="replace"))
                disk.umount()
                self.silent("restore", "--disk", disk.name, "--to", self.dir / f"by-disk-{fs}")
                self.assert_equal_trees(self.source, self.dir / f"by-disk-{fs}")
                disk.unplug()

    def test_what_did_not_change_is_linked_to_the_copy_before(self):
        disk = self.prepared()
        self.attach(disk)
        self.change_time()
        self.write("home/user1/file1", "new content")
        (self.source / "home/user2/file2").unlink()
        disk.replug()
        lines = events(self.attach(disk, "--json"))
        self.assertEqual("done", lines[-1]["state"])
        first, second = self.copies(disk)
        place = disk.mount()
        top = place / "rota/main"
        self.assert_equal_trees(self.source, top / second / "tree")
        same = [os.stat(top / copy / "tree/home/user3/file3").st_ino for copy in (first, second)]
        self.assertEqual(same[0], same[1])
        changed = [os.stat(top / copy / "tree/home/user1/file1").st_ino
                   for copy in (first, second)]
        self.assertNotEqual(changed[0], changed[1])
        self.assertTrue((top / first / "tree/home/user2/file2").exists())
        disk.umount()
        self.silent("restore", "--disk", disk.part, "--at", first, "--path", "home/user2/file2",
                    "--path", "/etc/fstab.bak", "--to", self.dir / "one")
        self.assertIn("content 2", (self.dir / "one/home/user2/file2").read_text())
        self.assertIn("ext4", (self.dir / "one/etc/fstab.bak").read_text())
        self.fails(FAILED, "there is no nothing in the copy", "restore", "--disk", disk.name,
                   "--path", "nothing", "--to", self.dir / "none")
        self.assert_lists(disk, first)

    def assert_lists(self, disk, first):
        """`rota ls` says of a copy what it says of the run of the same tree."""
        self.silent("backup")
        run = self.paths()
        self.assertGreater(len(run), 10)
        self.assertEqual(run, self.paths("main", ".", "--disk", disk.name))
        self.assertEqual(run, self.paths("main", "--disk", disk.name))
        place = disk.mount()
        copy = place / "rota/main" / self.copies(disk)[-1]
        self.assertEqual(run, self.paths("--copy", copy))
        self.assertEqual([path for path in run if path.startswith("home/user3")],
                         self.paths("/home/user3/", "--copy", copy))
        disk.umount()
        of_disk = ("ls", "--disk", disk.part, "--at", first)
        # A word that is no server's name is a path.
        self.assertIn("file1", self.rota(*of_disk, "home/user1").out)
        for depth in (0, 1, 2):
            self.assertEqual([path for path in run if path.startswith("home")
                              and path.count("/") <= depth],
                             self.paths("home", f"--depth={depth}", "--disk", disk.name))
            self.assertEqual([path for path in run if path.count("/") < depth],
                             self.paths(f"--depth={depth}"))
        self.fails(FAILED, "there is no home/user in the copy", *of_disk, "home/user")
        self.fails(FAILED, "there is no such copy", "ls", "other", ".", "--disk", disk.name)
        self.fails(USAGE, "not both", *of_disk, "--target", "file:///x")
        self.fails(USAGE, "number of levels", *of_disk, "--depth", "-1")

    def test_recover_txt_works_word_for_word_without_rota(self):
        disk = self.prepared()
        self.attach(disk)
        place = disk.mount()
        text = (place / "RECOVER.txt").read_text(encoding="ascii")
        disk.umount()
        commands = [line[6:] for line in text.splitlines() if line.startswith("    # ")]
        self.assertGreaterEqual(len(commands), 8, text)
        script = "set -e\nmount -t tmpfs none /mnt\n"
        compared = self.dir / "compared"
        for command in commands:
            if command.startswith("rsync"):
                command += f" > {compared}"
            script += command + "\n"
        script += f"rsync -aHAXnic --numeric-ids --delete --modify-window=-1 {self.source}/ " \
                  "/mnt/target/\n"
        self.assertNotIn("rota restore", script)
        # In a mount namespace of its own: what it mounts at /mnt is seen by nobody else.
        result = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c",
                                 script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, check=False)
        self.assertEqual(0, result.returncode, result.stdout)
        self.assertEqual("", compared.read_text())
        self.assertNotIn("f+++", result.stdout)

    def test_a_server_that_cannot_be_copied_does_not_keep_the_others_from_it(self):
        disk = self.prepared()
        for name in ("dumps", "lost", "typo"):
            self.init(name)
        self.set("lost", source=f'"{self.dir}/nowhere"')
        pre = pathlib.Path(self.places["CONFIG"]) / "dumps/pre"
        pre.write_text("#!/bin/sh\nexit 7\n")
        pre.chmod(0o700)
        self.set("typo", max_age='"soon"')
        result = self.rota("disk", "attach", disk.part, "--scrub", "0s", status=FAILED)
        self.assertRegex(result.err, "(?s)dumps was not copied: .*typo.*max_age|"
                                     "typo was not copied: .*max_age.*dumps was not copied: ")
        disk.replug()
        # Alone, it fails as such.
        self.fails(USAGE, "max_age", "disk", "attach", disk.part, "--profile", "typo")
        self.assertRegex(result.err, "lost was not copied: cannot read the source .*nowhere")
        self.set("lost", source=f'"{self.source}"')
        self.set("typo", max_age='"1Y"')
        self.assertEqual(1, len(self.copies(disk)))
        disk.replug()
        self.rota("disk", "attach", disk.part, "--scrub", "0s", status=FAILED)
        self.assertEqual(4, len(self.copies(disk)))
        self.assertIn("dumps was not copied", self.rota("status").out)
        pre.unlink()
        disk.replug()
        self.attach(disk)
        self.assertNotIn("was not copied", self.rota("status").out)

    def test_a_chain_is_copied_to_a_disk_without_reading_the_source(self):
        disk = self.prepared()
        run = self.backup()
        before = self.dir / "before"
        subprocess.run(["cp", "-a", self.source, before], check=True)
        self.write("later", "not in the chain")
        self.attach(disk, "--from-chain")
        self.assertEqual(run[:16], self.newest(disk))
        disk.replug()
        lines = events(self.attach(disk, "--from-chain", "--json"))
        self.assertIn("skipped", [line["state"] for line in lines if line["step"] == "copy"])
        self.silent("restore", "--disk", disk.name, "--to", self.dir / "to")
        self.assert_equal_trees(before, self.dir / "to")

    def test_damage_in_the_store_is_none_of_the_disk(self):
        disk = self.prepared()
        self.backup()
        for name, status in (("runs/*/*", FAILED), ("data/*/*/i*", CORRUPT)):
            thing = next(self.store.glob(name))
            whole = thing.read_bytes()
            thing.write_bytes(whole[:20] + bytes(8) + whole[28:])
            shutil.rmtree(self.places["CACHE"])
            self.attach(disk, "--from-chain", status=status)
            shown = self.rota("disk", "show", disk.name).out
            self.assertIn("ended as interrupted", shown)
            self.assertNotIn("do not rely on it", shown)
            thing.write_bytes(whole)
            disk.replug()
        self.attach(disk, "--from-chain")

    def test_a_copy_is_copied_to_another_disk(self):
        first = self.prepared()
        self.attach(first)
        name = self.newest(first)
        place = first.mount()
        second = self.prepared()
        self.attach(second, "--from-copy", place / "rota/main" / name, status=WARNINGS)
        self.assertEqual([name], self.copies(second))
        self.silent("restore", "--disk", second.name, "--to", self.dir / "to")
        self.assert_equal_trees(self.source, self.dir / "to")
        self.fails(USAGE, "--from-chain", "disk", "attach", second.name, "--from-chain",
                   "--from-copy", place / "rota/main" / name)
        first.umount()

    def test_verify_scrub_and_eject(self):
        disk = self.prepared()
        self.attach(disk)
        disk.replug()
        self.silent("disk", "verify", disk.name)
        self.silent("disk", "scrub", disk.name)
        self.silent("disk", "eject", disk.name)
        shown = self.rota("disk", "show", disk.name, "--json").json()
        self.assertEqual("safe to remove", shown["state"])
        self.fails(FAILED, "no sealed copy of nobody", "disk", "verify", disk.name, "--server",
                   "nobody")

    def test_damage_on_the_medium_is_found_and_written_anew(self):
        disk = self.prepared()
        big = os.urandom(3_000_000)
        (self.source / "big").write_bytes(big)
        self.attach(disk)
        disk.unplug()
        self.flip(disk, big[1_000_000:1_000_064])
        disk.plug_in()
        self.fails(CORRUPT, "the copy .* of main is damaged: big", "disk", "verify", disk.name)
        self.rota("restore", "--disk", disk.name, "--to", self.dir / "to", status=CORRUPT)
        self.assertFalse((self.dir / "to/big").exists())
        self.assertTrue((self.dir / "to/etc/fstab").exists())
        # It is noted on the disk, and the next copy has the file again.
        self.change_time()
        self.attach(disk)
        self.silent("restore", "--disk", disk.name, "--to", self.dir / "again")
        self.assertEqual(big, (self.dir / "again/big").read_bytes())

    def test_a_copy_whose_index_is_damaged_counts_no_more(self):
        disk = self.prepared()
        self.attach(disk)
        disk.replug()
        place = disk.mount("rw")
        [index] = place.glob("rota/main/*/index")
        index.write_bytes(index.read_bytes()[:-9])
        disk.umount()
        self.fails(CORRUPT, "the copy .* of main is damaged: index", "disk", "verify", disk.name)
        [copy] = self.rota("disk", "show", disk.name, "--json").json()["all_copies"]
        self.assertFalse(copy["last_good"])
        # The next one is whole.
        self.change_time()
        self.rota("disk", "attach", disk.name, status=None)
        self.silent("disk", "verify", disk.name)

    def flip(self, disk, needle):
        """Turns over a bit of the medium, where these bytes lie."""
        data = pathlib.Path(disk.image)
        with open(data, "r+b") as file:
            at, carry = 0, b""
            while chunk := file.read(1 << 24):
                found = (carry + chunk).find(needle)
                if found >= 0:
                    place = at - len(carry) + found
                    file.seek(place)
                    byte = file.read(1)[0]
                    file.seek(place)
                    file.write(bytes([byte ^ 4]))
                    return
                carry = chunk[-len(needle):]
                at += len(chunk)
        self.fail("the bytes are not on the medium")

    def test_damage_between_writing_and_reading_back_is_caught_before_the_seal(self):
        disk = self.prepared()
        self.attach(disk)
        self.change_time()
        big = os.urandom(3_000_000)
        (self.source / "big").write_bytes(big)
        disk.replug()
        # The post hook runs when the copy is written: a medium that forgets a bit of it.
        needle = big[1_000_000:1_000_032].hex()
        self.hook("post", f"""
sync
exec python3 - <<'END'
data = bytes.fromhex("{needle}")
with open("{disk.image}", "r+b") as file:
    at, carry = 0, b""
    while chunk := file.read(1 << 24):
        found = (carry + chunk).find(data)
        if found >= 0:
            file.seek(at - len(carry) + found)
            file.write(bytes([data[0] ^ 1]))
            raise SystemExit(0)
        carry = chunk[-len(data):]
        at += len(chunk)
raise SystemExit("the bytes are not on the medium")
END
""")
        result = self.attach(disk, status=CORRUPT)
        self.assertIn("could not be read back", result.err)
        self.assertEqual(1, len(self.copies(disk)))
        (pathlib.Path(self.places["CONFIG"]) / "main/post").unlink()
        disk.replug()
        self.change_time()
        self.attach(disk)
        self.assertEqual(2, len(self.copies(disk)))
        self.silent("disk", "verify", disk.name, "--all")


class Ledger(DiskCase):
    def other_disk(self):
        """A disk of this station that is elsewhere, with a copy of another server."""
        history = History()
        history.disk("ELSE", int(time.time()), state="retired")
        history.add("copy", {"disk": "ELSE", "server": "shop", "snapshot": "20260101T000000Z",
                             "state": "sealed", "source": "/"})
        history.add("alarm", {"kind": "tripwire", "disk": "ELSE", "server": "shop", "opened": 1,
                              "message": "m", "details": ["srv/shop/customers.db"]})
        file = self.dir / "else.json"
        file.write_text(history.text())
        self.rota("ledger", "rebuild", file)

    def test_the_ledger_is_on_the_disk_and_in_the_store_without_people(self):
        self.other_disk()
        disk = self.prepared()
        self.attach(disk)
        disk.unplug()
        self.rota("disk", "move", disk.name, "off-site", "--place", "bank", "--by", "jo")
        disk.plug_in()
        self.change_time()
        self.write("new")
        self.attach(disk)
        self.backup()
        self.silent("verify")
        self.silent("purge")
        stored = (self.store / "ledger.json").read_text()
        self.assertIn(disk.name, stored)
        self.assertNotIn("bank", stored)
        place = disk.mount()
        copied = (place / "rota/ledger.json").read_text()
        mode = (place / "rota/ledger.json").stat().st_mode
        disk.umount()
        self.assertIn(disk.name, copied)
        for word in ("bank", "ELSE", "shop"):  # the disk is not encrypted
            self.assertNotIn(word, copied)
        for word in ("ELSE", "shop"):
            self.assertNotIn(word, stored)
        self.assertEqual(0o600, mode & 0o777)
        self.silent("ledger", "check")
        # The machine is lost; the store and the disk are not.
        ledger = pathlib.Path(self.places["STATE"]) / "ledger.db"
        before = self.copies(disk)
        for file in ledger.parent.glob("ledger.db*"):
            file.unlink()
        self.rota("ledger", "rebuild", self.store / "ledger.json")
        self.assertEqual(before, self.copies(disk))
        self.change_time()
        disk.replug()
        self.attach(disk)
        self.assertEqual(3, len(self.copies(disk)))


class Container(DiskMachine):
    def test_an_encrypted_disk_of_a_lost_server_says_what_opens_it(self):
        disk = self.disk(32 << 20)
        passphrase = self.dir / "other"
        passphrase.write_text("ABCDE-" * 7 + "ABCDE\n")
        subprocess.run(["cryptsetup", "luksFormat", "-q", "--type", "luks2", "--label",
                        f"ROTA-{disk.name}", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations",
                        "1000", disk.node, passphrase], check=True)
        missing = (rf"ROTA-{disk.name} is encrypted, and its key file is not here "
                   rf"\(\S+/keys/{disk.name}\.key\): name that, or a file that holds the disk's "
                   r"recovery passphrase, with --disk-key FILE")
        to = self.dir / "back"
        self.fails(FAILED, missing, "restore", "--disk", disk.name, "--to", to)
        self.fails(FAILED, missing, "disk", "adopt", disk.node)
        # Now there is something to try, wherever this kernel can open it.
        for words in (("restore", "--disk", disk.name, "--to", to), ("disk", "adopt", disk.node)):
            result = self.rota(*words, "--disk-key", passphrase, status=None)
            self.assertNotIn("--disk-key", result.err)
            self.assertRegex(result.err, "recovery passphrase does not open|modprobe dm-crypt")


class Interrupted(DiskCase):
    def test_a_job_that_is_killed_loses_nothing_and_is_gone_on_with(self):
        disk = self.prepared()
        self.attach(disk)
        self.change_time()
        for number in range(400):
            self.write(f"more/file{number}", os.urandom(20_000).hex())
        # With so many new files in the unfinished copy.
        for files in (1, 100, 300):
            disk.replug()
            with self.start("disk", "attach", disk.part) as process:
                killed = stop_at(process, lambda files=files: written(process, "more") >= files)
            self.assertEqual(-signal.SIGKILL, killed.status, f"at {files} files: {killed.err}")
            disk.replug()
            self.silent("disk", "verify", disk.name, "--all")
        disk.replug()
        self.assertIn(self.attach(disk, status=None).status, (DONE, WARNINGS))
        self.silent("restore", "--disk", disk.name, "--to", self.dir / "to")
        self.assert_equal_trees(self.source, self.dir / "to")
        self.assertEqual([], [name for name in self.on_disk(disk)
                              if re.search(r"partial|old", name)])

    def test_two_jobs_on_one_disk_are_told_apart(self):
        disk = self.prepared()
        here, gate = self.dir / "here", self.dir / "gate"
        os.mkfifo(gate)
        self.hook("pre", f"touch {here}; read line < {gate}\n")
        with self.start("disk", "attach", disk.part) as process:
            wait_for(here.exists, "the pre hook")
            self.fails(LOCKED, f"working on .*{disk.name}", "disk", "attach", disk.part)
            lines = (pathlib.Path(self.places["RUN"]) / f"disk-{disk.name}.json").read_text()
            self.assertIn('"job":"disk', lines)
            gate.write_text("go\n")
            self.assertEqual(0, process.wait(60))
        self.assertEqual([], list(pathlib.Path(self.places["RUN"]).glob("*.json")))

    def test_ctrl_c_leaves_a_disk_that_goes_on(self):
        disk = self.prepared()
        self.hook("pre", "kill -INT $PPID; sleep 0.3\n")
        self.fails(130, "stopped|interrupted", "disk", "attach", disk.part)
        shown = self.rota("disk", "show", disk.name, "--json").json()
        self.assertEqual("interrupted", shown["state"])
        (pathlib.Path(self.places["CONFIG"]) / "main/pre").unlink()
        disk.replug()
        self.attach(disk)

    def test_a_filesystem_that_was_not_unmounted_is_completed_and_a_flagged_one_checked(self):
        disk = self.prepared()
        self.attach(disk)
        disk.replug()
        subprocess.run(["debugfs", "-w", "-R", "ssv state 2", disk.part], check=True,
                       stderr=subprocess.DEVNULL)
        self.change_time()
        self.attach(disk)
        self.assertIn("check", self.rota("history").out)
        self.assertEqual(2, len(self.copies(disk)))


class Warned(DiskCase):
    def test_the_wrong_disk_is_copied_to_with_a_clear_word(self):
        first = self.prepared()
        self.attach(first)
        first.unplug()
        second = self.prepared()
        second.unplug()
        first.plug_in()
        self.change_time()
        result = self.attach(first, status=WARNINGS)
        self.assertIn(f"it is the turn of {second.name}", result.err)
        self.assertEqual(2, len(self.copies(first)))
        second.plug_in()
        result = self.attach(second, status=WARNINGS)
        self.assertIn("plugged in at once", result.err)
