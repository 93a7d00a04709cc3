"""Jobs with a rotation disk that nobody looks at: what they wait for, and what people are told."""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import subprocess
import time

from disk_machine import DiskMachine
from machine import (CORRUPT, DONE, INTERRUPTED, REFUSED, TIMEOUT, WARNINGS, read_until, wait_for,
                     wait_until_it_waits)
from udev_machine import UdevMachine


class Unwatched(DiskMachine):
    def setUp(self):
        super().setUp()
        self.program = self.dir / "told.sh"
        self.program.write_text(f"#!/bin/sh\ncat >> {self.dir}/told\n")
        self.program.chmod(0o700)
        self.settings()
        self.init()
        for number in range(30):
            self.write(f"file{number}", f"content {number}\n")

    def settings(self, sets=""):
        self.rotation(f'[set.monthly]\nreserve = "1M"\nscrub_budget = "1s"\nallow_fixed = true\n{sets}'
                      f'[notify]\nconsole = false\nmail = ""\non_event = "{self.program}"\n')

    def told(self):
        """What the operator's program was given since it was last asked."""
        file = self.dir / "told"
        if not file.exists():
            return []
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        file.unlink()
        return lines

    def by_udev(self, disk, *options, **more):
        return self.rota("disk", "attach", "--started-by=udev", disk.part, *options, **more)

    def state(self, disk):
        return self.rota("disk", "show", disk.name, "--json").json()["state"]

    @contextlib.contextmanager
    def held(self, path):
        """Somebody holds this lock meanwhile."""
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def gate(self, when, name="gate"):
        """Makes a hook that says that it is there, and waits; returns what lets it go on."""
        gate = self.dir / name
        os.mkfifo(gate)
        self.hook(when, f"touch {self.dir}/here; read line < {gate}\n")
        return lambda: gate.write_text("go\n")


class Meeting(Unwatched):
    def lock(self):
        return pathlib.Path(self.places["STATE"]) / "main/lock"

    def disk_lock(self, disk):
        return pathlib.Path(self.places["RUN"]) / f"disk-{disk.name}.lock"

    def test_a_disk_that_comes_during_the_nightly_run_is_copied_to_behind_it(self):
        disk = self.prepared()
        self.hook("pre", "exit 0\n")
        with self.start("disk", "attach", "--started-by=udev", "--json", disk.part) as job:
            with self.held(self.lock()):
                said = read_until(job.stdout.fileno(), b'"waits"')
                self.assertIsNone(job.poll())
            said += job.communicate(timeout=TIMEOUT)[0]
        self.assertEqual(DONE, job.returncode)
        lines = [json.loads(line) for line in said.splitlines()]
        self.assertIn(("copy", "waits"), [(e.get("step"), e.get("state")) for e in lines])
        self.assertEqual(1, len(self.copies(disk)))
        self.assertEqual(["safe to unplug"], [message["event"] for message in self.told()])

    def test_the_nightly_run_waits_for_the_copy_and_its_dumps(self):
        disk = self.prepared()
        dump, gate = self.source / "dump.sql", self.dir / "gate"
        os.mkfifo(gate)
        self.hook("pre", f"echo dumped > {dump}\n")
        # Whoever removes the dumps has the lock, and nobody else.
        self.hook("post", f"flock -n {self.lock()} true && echo free >> {self.dir}/free\n"
                          f"echo here > {self.dir}/here; [ -p {gate} ] && read line < {gate}\n"
                          f"rm -f {gate} {dump}\n")
        with self.start("disk", "attach", "--started-by=udev", disk.part) as job:
            wait_for((self.dir / "here").exists, "the post hook")
            with self.start("cron") as night:
                wait_until_it_waits(night, self.lock())
                gate.write_text("go\n")
                self.assertEqual((b"", b""), night.communicate(timeout=TIMEOUT))
                self.assertEqual(DONE, night.returncode)
            self.assertEqual(DONE, job.wait(TIMEOUT))
        self.assertFalse((self.dir / "free").exists(), "the post hook ran without the lock")
        self.assertEqual(1, len(self.runs()))
        self.silent("restore", "--disk", disk.name, "--to", self.dir / "to")
        self.assertEqual("dumped\n", (self.dir / "to/dump.sql").read_text())

    def test_a_nightly_run_that_waits_can_be_ended(self):
        self.silent("cron")
        with self.held(self.lock()), self.start("cron") as night:
            wait_until_it_waits(night, self.lock())
            night.terminate()
            wait_for(lambda: night.poll() is not None, "its end")
            self.assertEqual(INTERRUPTED, night.returncode)

    def test_a_post_hook_that_fails_leaves_a_sealed_copy_and_a_warning(self):
        disk = self.prepared()
        self.hook("post", "exit 7\n")
        result = self.by_udev(disk, status=WARNINGS)
        self.assertRegex(result.err, "what follows it failed")
        self.assertEqual(1, len(self.copies(disk)))
        message = self.told()[0]
        self.assertEqual(("safe to unplug", "warning"), (message["event"], message["level"]))
        self.assertRegex(message["text"], "every copy is sealed.*what follows it failed.*7")

    def test_a_job_that_still_ends_with_the_disk_is_waited_for(self):
        disk = self.prepared()
        with self.start("disk", "attach", "--started-by=udev", disk.part) as job:
            with self.held(self.disk_lock(disk)):
                wait_until_it_waits(job, self.disk_lock(disk))
            self.assertEqual(DONE, job.wait(TIMEOUT))
        self.assertEqual(1, len(self.copies(disk)))

    def test_a_person_who_was_quicker_has_made_the_copy(self):
        disk = self.prepared()
        go_on = self.gate("pre")
        with self.start("disk", "attach", disk.part) as job:
            wait_for((self.dir / "here").exists, "the pre hook")
            with self.start("disk", "attach", "--started-by=udev", disk.part) as second:
                wait_until_it_waits(second, self.disk_lock(disk))
                go_on()
                self.assertEqual(DONE, second.wait(TIMEOUT))
            self.assertEqual(DONE, job.wait(TIMEOUT))
        self.assertEqual(1, len(self.copies(disk)))


class InLine(Unwatched):
    def waits_at(self, job, lock):
        """The job has the lock's file open."""
        def opened():
            try:
                fds = [os.readlink(fd) for fd in pathlib.Path(f"/proc/{job.pid}/fd").iterdir()]
            except OSError:
                return False  # one was closed meanwhile
            return str(lock) in fds
        wait_for(opened, f"a job at {lock}")

    def test_of_two_jobs_that_wait_for_a_disk_one_copies_and_the_other_has_nothing_to_do(self):
        disk = self.prepared()
        # What whoever has waited does first; the other one looks at the lock meanwhile.
        self.fake("systemctl", "sleep 1")
        self.hook("pre", "sleep 1\n")
        lock = pathlib.Path(self.places["RUN"]) / f"disk-{disk.name}.lock"
        with open(lock, "a", encoding="ascii") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            jobs = [self.start("disk", "attach", "--started-by=udev", disk.part) for _ in range(2)]
            for job in jobs:
                self.waits_at(job, lock)
        for job in jobs:
            err = job.communicate(timeout=TIMEOUT)[1]
            self.assertEqual(DONE, job.returncode, err)
        self.assertEqual(1, len(self.copies(disk)))
        self.assertEqual(["safe to unplug"], [message["event"] for message in self.told()])


class Asked(Unwatched):
    def test_a_job_that_is_asked_to_end_twice_tells_and_records_that_it_did(self):
        disk = self.prepared()
        self.hook("pre", f"touch {self.dir}/here; until [ -e {self.dir}/go ]; do sleep 0.05; done\n")
        with self.start("disk", "attach", "--started-by=watch", disk.part) as job:
            wait_for((self.dir / "here").exists, "the pre hook")
            for _ in range(2):
                job.terminate()
                wait_for(lambda: self.has_taken(job), "a signal that was taken")
            (self.dir / "go").touch()
            job.communicate(timeout=TIMEOUT)
        self.assertEqual(INTERRUPTED, job.returncode)
        self.assertEqual(["interrupted"], [message["event"] for message in self.told()])
        self.assertEqual("interrupted", self.state(disk))

    def has_taken(self, job):
        status = pathlib.Path(f"/proc/{job.pid}/status").read_text()
        return job.poll() is not None or re.search(r"(?m)^ShdPnd:\s*0+$", status)

    def test_a_watch_begins_with_a_mistake_in_rotation_toml_and_tells_it(self):
        self.fake("sendmail", "cat >> $0.in")
        self.rotation("[set.monthly]\ninterval = 3\n")
        with self.start("watch", "--kernel") as watch:
            said = [watch.stdout.readline().decode() for _ in range(2)]
            watch.terminate()
            self.assertEqual((b"", b""), watch.communicate(timeout=TIMEOUT))
        self.assertRegex("".join(said), "rotation.toml(.|\n)*Waiting for rotation disks")
        self.assertEqual(DONE, watch.returncode)
        self.assertRegex((self.bin / "sendmail.in").read_text(), "ALARM(.|\n)*rotation.toml")


class Said(Unwatched):
    def test_files_that_could_not_be_read_are_told(self):
        disk, bad = self.prepared(), self.disk(8 << 20)
        mail = self.source / "mail"
        mail.mkdir()
        subprocess.run(["mkfs.ext4", "-q", "-F", bad.node], check=True)
        subprocess.run(["mount", bad.node, mail], check=True)
        for name in "abcd":
            (mail / name).write_text("a letter\n")
        subprocess.run(["umount", mail], check=True)
        for name in "abcd":
            subprocess.run(["debugfs", "-w", "-R", f"sif {name} extra_isize 4000", bad.node],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(["mount", bad.node, mail], check=True)
        self.mounts.append(str(mail))
        self.by_udev(disk, status=WARNINGS)
        message = self.told()[0]
        self.assertEqual(("safe to unplug", "warning"), (message["event"], message["level"]))
        self.assertRegex(message["text"], r"made with 4 warnings: .*/mail/a: .*; …")

    def test_a_mistake_in_rotation_toml_is_told_to_root(self):
        disk = self.prepared()
        self.fake("sendmail", "cat >> $0.in")
        self.rotation("[set.monthly]\ninterval = 3\n")
        self.by_udev(disk, status=2)
        self.assertRegex((self.bin / "sendmail.in").read_text(), "ALARM(.|\n)*rotation.toml")
        (self.bin / "sendmail.in").unlink()
        self.rota("remind", "--notify", status=2)
        self.assertRegex((self.bin / "sendmail.in").read_text(), "ALARM(.|\n)*rotation.toml")

    def test_a_broken_profile_does_not_silence_what_there_is_to_say_of_the_disks(self):
        disk = self.prepared()
        disk.unplug()
        self.rotation(f'[set.monthly]\ninterval = "2D"\ndisks = ["{disk.name}"]\n')
        (pathlib.Path(self.places["CONFIG"]) / "old").mkdir()
        (pathlib.Path(self.places["CONFIG"]) / "old/profile.toml").write_text("sorce = 1\n")
        said = self.rota("remind").out
        self.assertRegex(said, "The profile old cannot be used.*sorce")
        self.assertIn(f"plug in disk {disk.name}", said)

    def test_what_notify_tells_is_printed_for_the_journal(self):
        disk = self.prepared()
        disk.unplug()
        self.rotation(f'[set.monthly]\ninterval = "2D"\ndisks = ["{disk.name}"]\n')
        self.fake("sendmail", "exit 1")
        self.fake("who", "exit 0")
        (self.source.parent / "config/old").mkdir()
        (self.source.parent / "config/old/profile.toml").write_text("sorce = 1\n")
        result = self.rota("remind", "--notify", status=WARNINGS)
        self.assertIn(f"plug in disk {disk.name}", result.out)
        self.assertIn("nobody was told of this", result.err)
        # Nobody has heard of it: it is said again.
        self.fake("who", "echo jo tty1")
        self.assertIn(f"plug in disk {disk.name}", self.rota("remind", "--notify").out)
        self.silent("remind", "--notify")

    def test_a_job_that_was_killed_is_told_and_recorded(self):
        disk = self.prepared()
        for own in ("success", "exit-code"):
            self.silent("disk", "attach", f"--ended={own}", disk.part)
        self.assertEqual([], self.told())
        out = self.rota("disk", "attach", "--ended=oom-kill", disk.part).out
        message = self.told()[0]
        self.assertEqual(("failed", "alarm", disk.name),
                         (message["event"], message["level"], message["disk"]))
        self.assertIn("oom-kill", message["text"])
        self.assertIn("oom-kill", out)
        self.assertEqual("interrupted", self.state(disk))


class Untrusted(Unwatched):
    def damage(self, disk):
        with open(disk.part, "r+b", buffering=0) as device:
            device.seek(2048)
            device.write(bytes(40 << 10))
            os.fsync(device.fileno())

    def test_a_filesystem_that_is_broken_is_recorded_and_stays_said(self):
        disk = self.prepared(size=64 << 20)
        self.by_udev(disk)
        disk.unplug()
        self.rota("disk", "move", disk.name, "off-site", "--place", "bank", "--by", "jo")
        disk.plug_in()
        self.damage(disk)
        self.told()
        result = self.by_udev(disk, status=CORRUPT)
        self.assertIn("nothing was repaired", result.err)
        self.assertEqual(["failed"], [message["event"] for message in self.told()])
        disk.unplug()
        status = self.rota("status").out
        self.assertRegex(status, f"(?m)^X .*{disk.name}.*damaged")
        self.assertEqual(2, self.rota("check", status=None).status)

    def test_a_clone_whose_filesystem_is_flagged_is_not_repaired(self):
        disk = self.prepared(size=64 << 20)
        self.by_udev(disk)
        disk.unplug()
        clone = disk.clone()
        disk.plug_in()
        time.sleep(1.1)  # copies have names of seconds
        self.by_udev(disk)
        disk.unplug()
        clone.plug_in()
        subprocess.run(["debugfs", "-w", "-R", "ssv state 2", clone.part], check=True,
                       stderr=subprocess.DEVNULL)
        clone.replug()
        before = pathlib.Path(clone.image).read_bytes()
        self.by_udev(clone, status=REFUSED)
        clone.unplug()
        self.assertEqual(before, pathlib.Path(clone.image).read_bytes(), "it was written to")

    def test_a_held_disk_is_scrubbed_without_being_written_to(self):
        disk = self.prepared(size=64 << 20)
        self.by_udev(disk)
        self.rota("disk", "hold", disk.name, "--reason", "court order", "--by", "jo")
        disk.replug()
        before = pathlib.Path(disk.image).read_bytes()
        self.rota("disk", "scrub", disk.name)
        self.rota("disk", "verify", disk.name)
        self.fails(REFUSED, "held", "disk", "attach", disk.name)
        disk.unplug()
        self.assertEqual(before, pathlib.Path(disk.image).read_bytes(), "it was written to")

    def test_a_lost_disk_that_turns_up_is_refused_and_told(self):
        disk = self.prepared()
        self.rota("disk", "lost", disk.name, "--reason", "stolen", "--by", "jo")
        self.by_udev(disk, status=REFUSED)
        self.assertRegex(self.rota("status").out, "said to be lost.* plugged in here")


class Typed(UdevMachine, Unwatched):
    """The disk is changed while the question waits. The loop device is the test's own: nobody takes
    it in between."""

    def changed(self, disk, other, typed, *args):
        """Answers a question when another image has come to the same device."""
        process, master, _ = self.with_terminal(*args)
        read_until(master, b"to go on: ")
        disk.unplug()
        own, disk.image = disk.image, other
        disk.plug_in()
        disk.image = own
        os.write(master, typed.encode() + b"\n")
        err = process.communicate(timeout=TIMEOUT)[1].decode()
        return process.returncode, err

    def test_another_disk_at_the_same_port_is_neither_wiped_nor_prepared(self):
        disk, other = self.prepared(size=64 << 20), self.prepared(size=64 << 20)
        disk.unplug()
        self.by_udev(other, status=None)
        other.unplug()
        disk.plug_in()
        before = pathlib.Path(other.image).read_bytes()
        status, err = self.changed(disk, other.image, disk.name, "disk", "retire", disk.name,
                                   "--reason", "old", "--wipe")
        self.assertEqual((REFUSED, True), (status, "is not what it was" in err), err)
        disk.replug()
        self.rota("disk", "retire", disk.name, "--reason", "old")
        status, err = self.changed(disk, other.image, "NEW", "disk", "prepare", disk.node, "--name",
                                   "NEW", "--wipe", "--allow-fixed")
        self.assertEqual((REFUSED, True), (status, "is not what it was" in err), err)
        disk.unplug()
        self.assertEqual(before, pathlib.Path(other.image).read_bytes(), "it was written to")


class Rebuilt(Unwatched):
    def setUp(self):
        super().setUp()
        self.halfway = self.dir / "halfway.json"

    def lose_ledger(self):
        for file in pathlib.Path(self.places["STATE"]).glob("ledger.db*"):
            file.unlink()

    def two_disks(self):
        """Two disks that took turns; the second one is the newest. Both are unplugged.
        self.halfway: the ledger when each of them had one copy."""
        disks = [self.prepared(size=64 << 20), self.prepared(size=64 << 20)]
        for disk in disks:
            disk.unplug()
        for _ in range(2):
            for disk in disks:
                disk.plug_in()
                self.by_udev(disk, status=None)
                disk.unplug()
                time.sleep(1.1)  # copies have names of seconds
            if not self.halfway.exists():
                self.halfway.write_text(self.rota("ledger", "export").out, encoding="utf-8")
        return disks

    def test_the_newest_disk_brings_its_ledger_though_an_older_one_came_first(self):
        older, newest = self.two_disks()
        self.lose_ledger()
        older.plug_in()
        self.rota("disk", "adopt", older.part)
        older.unplug()
        newest.plug_in()
        refused = self.by_udev(newest, status=REFUSED)
        self.assertIn(f"rota disk adopt {newest.part}", refused.err)
        self.rota("disk", "adopt", newest.part)
        self.assertEqual(2, len(self.copies(newest)))
        self.assertNotIn("old clone", self.rota("status").out)
        # What a plain disk does not tell of others is missing, and nothing is wrong.
        self.assertRegex(self.rota("ledger", "check", status=WARNINGS).err, "were left out")
        for disk in (newest, older):
            disk.replug() if disk.node else disk.plug_in()
            self.by_udev(disk, status=None)
            self.assertEqual(3, len(self.copies(disk)))
            disk.unplug()
            time.sleep(1.1)

    def test_a_ledger_that_went_on_keeps_its_own_and_takes_the_token_when_a_person_says_so(self):
        older, newest = self.two_disks()
        self.lose_ledger()
        self.rota("ledger", "rebuild", self.halfway)
        older.plug_in()
        self.rota("disk", "adopt", older.part)
        self.by_udev(older, status=None)
        older.unplug()
        newest.plug_in()
        self.fails(REFUSED, "old clone.*no terminal", "disk", "adopt", newest.part)
        self.by_udev(newest, status=REFUSED)
        process, master, _ = self.with_terminal("disk", "adopt", newest.part)
        os.write(master, newest.name.encode() + b"\n")
        self.assertEqual(DONE, process.wait(TIMEOUT), process.stderr.read())
        process.communicate()
        self.assertEqual(2, len(self.copies(newest)))
        self.assertEqual(3, len(self.copies(older)))
        time.sleep(1.1)
        newest.replug()
        self.by_udev(newest, status=None)
        self.assertEqual(3, len(self.copies(newest)))

    def test_copies_of_a_disk_that_is_adopted_beside_others_are_recorded(self):
        disk = self.prepared(size=64 << 20)
        self.by_udev(disk)
        first = self.copies(disk)
        disk.unplug()
        self.places = {name: f"{place}-other" for name, place in self.places.items()}
        self.settings()
        self.init()
        own = self.prepared(size=64 << 20)
        own.unplug()
        disk.plug_in()
        self.rota("disk", "adopt", disk.part)
        self.assertEqual(first, self.copies(disk))

    def test_another_disk_of_the_same_name_is_not_adopted(self):
        disk = self.prepared(size=64 << 20)
        disk.unplug()
        mine = self.places
        self.places = {name: f"{place}-other" for name, place in self.places.items()}
        self.settings()
        other = self.disk(64 << 20)
        self.rota("disk", "prepare", other.node, "--name", disk.name, "--yes", "--allow-fixed")
        self.places = mine
        self.fails(REFUSED, "two disks of one name", "disk", "adopt", other.part)
