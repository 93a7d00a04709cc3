"""Stores that are damaged, full, read-only, of another version or not there."""

import contextlib
import os
import pathlib
import subprocess
import time

from machine import (CORRUPT, DONE, FAILED, NOBODY, REFUSED, USAGE, WARNINGS, Machine,
                     private_mounts)


def flip(path, position=None):
    """Changes one byte and not the time."""
    st = path.stat()
    data = bytearray(path.read_bytes())
    at = len(data) // 2 if position is None else position
    data[at] ^= 0x55
    path.write_bytes(data)
    os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))


class Damaged(Machine):
    """A chain of a full and an increment; the full's volume is big, the increment's small."""

    def setUp(self):
        super().setUp()
        self.init()
        self.write("big", os.urandom(6 << 20))
        self.write("etc/fstab", "fstab")
        self.full = self.backup()
        self.write("etc/late", os.urandom(300_000))
        self.increment = self.backup()
        (self.volume,) = self.objects(f"data/*/{self.increment}/v*")  # holds only etc/late
        self.url = ("--target", f"file://{self.store}")

    def check_damage(self, seen_by_listing):
        """etc/late is lost, and said to be; all else is there."""
        if seen_by_listing:
            listing = self.rota("verify", status=CORRUPT)
            self.assertIn(self.volume.name, listing.err)
        else:
            self.silent("verify")
        data = self.rota("verify", "--data", status=CORRUPT)
        self.assertIn(self.volume.name, data.err)
        self.assert_sentence(data.err.splitlines(True)[-1])
        value = self.rota("verify", "--data", "--json", status=CORRUPT).json()
        self.assertFalse(value["good"])
        self.assertEqual(1, len(value["problems"]), value)
        to = self.dir / "damaged"
        result = self.rota("restore", "--to", to, status=CORRUPT)
        warning, last = result.err.splitlines(True)
        self.assertRegex(warning, rf"\Awarning: {to}/etc/late: was not restored: ")
        self.assert_sentence(last)
        self.assertRegex(last, "1 file is damaged in the store; what was not named was restored")
        self.assertFalse((to / "etc" / "late").exists())
        self.assertEqual("fstab", (to / "etc" / "fstab").read_text())
        self.assertEqual((self.source / "big").read_bytes(), (to / "big").read_bytes())
        fetched = self.rota("fetch", "etc/late", self.dir / "got", status=CORRUPT)
        self.assertRegex(fetched.err.splitlines(True)[-1], "etc/late.*--at")
        self.assertFalse((self.dir / "got").exists())
        self.silent("fetch", "etc/fstab", self.dir / "fstab")
        self.assertEqual("fstab", (self.restored("--at", self.full) / "etc/fstab").read_text())
        status = self.rota("status", "--json").json()
        self.assertEqual("alarm", status["level"])
        self.silent("backup", "--full")  # as the message says
        self.assert_same(self.source, self.restored())

    def test_a_corrupt_volume(self):
        flip(self.volume)
        self.check_damage(False)

    def test_a_truncated_volume(self):
        os.truncate(self.volume, self.volume.stat().st_size - 1000)
        self.check_damage(True)

    def test_an_empty_volume(self):
        os.truncate(self.volume, 0)
        self.check_damage(True)

    def test_a_missing_volume(self):
        self.volume.unlink()
        self.check_damage(True)

    def test_a_corrupt_header_of_a_volume(self):
        flip(self.volume, 9)
        self.rota("verify", "--data", status=CORRUPT)

    def test_a_damaged_index_without_its_cached_copy(self):
        (index,) = self.objects(f"data/*/{self.full}/i*")
        for n, damage in enumerate((flip, lambda path: os.truncate(path, 50), os.unlink)):
            damage(index)
            # What the increment wrote is known: etc/late, and what it read again to be sure.
            to = self.dir / f"to-{n}"
            result = self.rota("restore", "--to", to, *self.url, status=CORRUPT)
            self.assertRegex(result.err, "from the root to the end of the tree.*" + index.name)
            self.assert_sentence(result.err.splitlines(True)[-1])
            self.assertIn("1 part of the run's index", result.err)
            self.assertEqual((self.source / "etc/late").read_bytes(),
                             (to / "etc/late").read_bytes())
            listed = self.rota("ls", *self.url, status=CORRUPT)
            self.assertIn("etc/late", listed.out)
            self.assertIn(index.name, listed.err)
            late = self.rota("fetch", "etc/late", self.dir / f"late-{n}", *self.url, status=None)
            self.assertEqual(DONE, late.status, late.err)
            self.assertIn(index.name, self.rota("diff", self.full, self.increment, *self.url,
                                                status=CORRUPT).err)
            problems = self.rota("verify", "--data", *self.url, status=CORRUPT).err
            self.assertRegex(problems, f"run {self.full}: its index cannot tell from the root to")

    def test_a_damaged_index_of_an_increment_harms_no_run_before_it(self):
        (index,) = self.objects(f"data/*/{self.increment}/i*")
        flip(index)
        result = self.rota("restore", "--to", self.dir / "to", *self.url, status=CORRUPT)
        self.assertRegex(result.err, index.name)
        # The older entries may be of files that changed or are gone.
        self.assertEqual([], os.listdir(self.dir / "to"))
        fetched = self.rota("fetch", "etc/late", self.dir / "got", *self.url, status=CORRUPT)
        self.assertIn(index.name, fetched.err)
        self.assertFalse((self.dir / "got").exists())
        self.assertEqual(["big", "etc", "etc/fstab"], self.paths("--at", self.full, *self.url))

    def test_samples_find_what_is_damaged_within_one_round(self):
        self.silent("verify", "--sample", "25%")
        flip(self.volume)
        found = [self.rota("verify", "--sample", "25%", "--json", status=None).json()
                 for _ in range(4)]
        self.assertEqual([False, True, True, True], sorted(value["good"] for value in found))
        (bad,) = [value for value in found if not value["good"]]
        self.assertIn(self.volume.name, bad["problems"][0])
        status = self.rota("status", "--json").json()
        self.assertEqual("alarm", status["level"])
        self.assertIn("rota verify --data", status["profiles"][0]["messages"][0])
        for wrong in ("0", "101%", "x", "-5%", "5%%", ""):
            self.rota("verify", f"--sample={wrong}", status=USAGE)
        self.rota("verify", "--sample", "5%", "--data", status=USAGE)
        self.fails(USAGE, "needs a profile", "verify", "--sample", "5%", *self.url)

    def test_a_damaged_record_leaves_the_runs_before_it(self):
        (record,) = self.objects(f"runs/*/{self.increment}.incr")
        for damage in (flip, lambda path: os.truncate(path, 50), lambda path: os.truncate(path, 0)):
            damage(record)
            result = self.rota("list", *self.url, "--json", status=WARNINGS)
            self.assertEqual([self.full], [run["name"] for run in result.json()["runs"]])
            self.assertRegex(result.err, rf"\Awarning: {self.increment}: cannot be restored")
            self.rota("verify", *self.url, status=CORRUPT)
            to = self.dir / f"r{record.stat().st_size}"
            result = self.rota("restore", *self.url, "--to", to, status=WARNINGS)
            self.assertRegex(result.err, rf"{self.increment}: is newer, but .*{self.full} is taken")
            self.silent("restore", *self.url, "--at", self.full, "--to", f"{to}-asked-for")

    def test_a_missing_record_of_the_full(self):
        (record,) = self.objects(f"runs/*/{self.full}.full")
        record.unlink()
        result = self.rota("list", *self.url, "--json", status=WARNINGS)
        self.assertEqual([self.increment], [run["name"] for run in result.json()["runs"]])
        self.assertRegex(result.err, rf"\Awarning: {self.full}: cannot be restored: .*missing")
        result = self.rota("verify", *self.url, status=CORRUPT)
        self.assertRegex(result.err, rf"run {self.full}: its record is missing")
        # All that the increment needs of it is data, which is there.
        to = self.dir / "to"
        result = self.rota("restore", "--to", to, *self.url, status=WARNINGS)
        self.assertRegex(result.err, rf"\Awarning: {self.full}: its record is missing")
        self.assert_same(self.source, to)

    def test_a_damaged_record_of_a_lone_full_is_passed_over(self):
        newest = self.backup("--full")
        (record,) = self.objects(f"runs/*/{newest}.full")
        flip(record)
        to = self.dir / "to"
        result = self.rota("restore", "--to", to, *self.url, status=WARNINGS)
        self.assertRegex(result.err, rf"{newest}: is newer, but .*{self.increment} is taken")
        self.assert_same(self.source, to)

    def test_a_missing_record_that_this_machine_wrote_is_noticed(self):
        (record,) = self.objects(f"runs/*/{self.increment}.incr")
        record.unlink()
        self.fails(REFUSED, "runs were removed|another machine", "backup")
        self.rota("verify", status=CORRUPT)
        result = self.rota("restore", "--to", self.dir / "older", status=WARNINGS)
        self.assertRegex(result.err, rf"{self.increment}: is newer, but the store does not show it")

    def test_foreign_files_in_the_store_do_no_harm(self):
        (self.store / "README").write_text("hands off")
        (self.store / "runs" / "note").write_text("x")
        (self.store / "data" / "link").symlink_to("/etc")
        self.assertEqual(2, len(self.runs()))
        self.silent("verify", "--data")
        self.backup()


class Versions(Machine):
    def test_a_newer_format_is_one_sentence_that_says_what_to_do(self):
        self.init()
        self.write("a")
        self.backup()
        (record,) = self.objects("runs/*/*")
        data = bytearray(record.read_bytes())
        self.assertEqual((b"r", 1), (data[12:13], data[13]), "the header of docs/format.md")
        data[13] = 2
        record.write_bytes(data)
        subprocess.run(["rm", "-rf", self.places["CACHE"]], check=True)
        url = ("--target", f"file://{self.store}")
        for command in (["list"], ["ls"], ["restore", "--to", self.dir / "x"],
                        ["list", *url], ["restore", "--to", self.dir / "x", *url]):
            with self.subTest(command=command):
                self.fails(USAGE, "version 2.*newer rota", *command)
        self.fails(REFUSED, "rota adopt", "backup")  # what lies there is not what it wrote
        result = self.rota("verify", *url, status=None)
        self.assertIn(result.status, (USAGE, CORRUPT))
        self.assertIn("newer rota", result.err)
        self.assertFalse((self.dir / "x").exists())


class Places(Machine):
    """Sources, stores and caches that are not there or cannot be used."""

    def test_a_missing_source(self):
        self.init()
        self.source.rmdir()
        self.fails(FAILED, f"{self.source}: no such", "backup")
        self.source.write_text("a file")
        self.fails(FAILED, f"{self.source}: not a directory", "backup")
        self.assertEqual([], self.runs())

    def test_an_unreadable_source(self):
        self.need_nobody()
        for place in (*self.places.values(), self.store):
            os.mkdir(place)
            os.chown(place, NOBODY, NOBODY)
        self.source.chmod(0o700)
        self.rota("init", "--source", self.source, "--target", self.store, user=NOBODY)
        self.fails(FAILED, f"{self.source}: permission denied", "backup", user=NOBODY)

    def test_a_source_that_vanished_leaves_the_old_runs(self):
        self.init()
        self.write("a")
        self.backup()
        moved = self.source.rename(self.dir / "moved")
        self.fails(FAILED, "no such", "backup")
        self.assertEqual(1, len(self.runs()))
        moved.rename(self.source)
        self.silent("backup")

    def test_a_store_whose_disk_is_not_mounted(self):
        self.init()
        self.write("a")
        self.backup()
        away = self.store.rename(self.dir / "away")
        for there in (False, True):  # without and with an empty mount point
            self.fails(REFUSED, "see that it is mounted", "backup")
            self.fails(FAILED, "should hold run|does not exist", "restore", "--to", self.dir / "x")
            result = self.rota("verify", status=None)
            self.assertNotEqual(DONE, result.status, "an absent store is not a good one")
            self.assertFalse((self.dir / "x").exists())
            if not there:
                self.store.mkdir()
        self.store.rmdir()
        away.rename(self.store)
        self.silent("backup")

    def test_a_store_that_is_a_file_or_closed(self):
        self.init()
        self.write("a")
        self.store.write_text("no directory")
        self.fails(FAILED, "store", "backup")
        self.store.unlink()
        self.need_nobody()
        for place in self.places.values():
            subprocess.run(["mkdir", "-p", place], check=True)
            subprocess.run(["chown", "-R", f"{NOBODY}", place], check=True)
        self.store.mkdir(mode=0o700)
        self.fails(REFUSED, "does not let you in", "backup", user=NOBODY)

    def test_a_read_only_store(self):
        self.mount(self.store, "size=50m")
        self.init()
        self.write("a")
        first = self.backup()
        self.remount(self.store, "ro")
        self.write("b")
        self.fails(FAILED, "read-only", "backup")
        self.fails(FAILED, "read-only", "backup", "--full")
        self.assertEqual([first], [run["name"] for run in self.runs()])
        self.silent("verify", "--data")
        self.restored()
        self.remount(self.store, "rw")
        self.silent("backup")
        self.assert_same(self.source, self.restored())

    def test_a_full_store(self):
        self.mount(self.store, "size=3m")
        self.init()
        self.write("a", "small")
        self.backup()
        self.write("big", os.urandom(10 << 20))
        self.fails(FAILED, "store .* is full.*make room", "backup")
        self.assertEqual(1, len(self.runs()))
        self.silent("verify", "--data")
        self.assertEqual("small", (self.restored() / "a").read_text())
        self.fails(FAILED, "store .* is full.*make room", "backup")
        self.remount(self.store, "size=100m")
        self.silent("backup")
        self.assert_same(self.source, self.restored())
        verify = self.rota("verify", "--data", "--json").json()
        self.assertEqual((True, 0), (verify["good"], verify["unreferenced"]))

    def test_a_full_place_for_the_cache_or_the_state(self):
        if not private_mounts():
            self.skip("needs the right to mount")
        for name in ("CACHE", "STATE"):
            with self.subTest(place=name):
                place = self.dir / ("small" + name)
                self.places[name] = str(place)
                self.mount(place, "size=200k")
                self.init(name.lower())
                self.store = self.dir / ("store" + name)
                self.set(name.lower(), target=f'"{self.store}"')
                fd = os.open(place / "fill", os.O_WRONLY | os.O_CREAT)
                with contextlib.suppress(OSError):
                    while True:
                        os.write(fd, bytes(4096))
                os.close(fd)
                self.write("a")
                self.fails(FAILED, "no space left|full", "backup", name.lower())
                (place / "fill").unlink()
                self.silent("backup", name.lower())

    def test_a_full_target_of_a_restore(self):
        self.init()
        self.write("big", os.urandom(4 << 20))
        self.backup()
        self.mount(self.dir / "small", "size=2m")
        self.fails(FAILED, "no space left", "restore", "--to", self.dir / "small" / "x")
        self.fails(FAILED, "no space left", "fetch", "big", self.dir / "small" / "y")
        self.assertFalse((self.dir / "small" / "y").exists())

    def test_a_damaged_state_is_one_sentence(self):
        self.init()
        self.write("a")
        self.backup()
        state = pathlib.Path(self.places["STATE"])
        (state / "main" / "last").write_text("{}")
        self.fails(CORRUPT, "rota adopt", "backup")
        self.silent("adopt")
        self.silent("backup")
        (state / "ledger.db").write_bytes(b"no database at all" * 1000)
        self.fails(CORRUPT, "ledger.db", "status")

    def test_a_damaged_cache_is_made_anew(self):
        self.init()
        self.write("big", os.urandom(3 << 20))
        self.write("a")
        self.backup()
        time.sleep(0.01)
        for file in pathlib.Path(self.places["CACHE"]).rglob("*"):
            if file.is_file() and file.stat().st_size > 0:
                flip(file)
        with open(self.source / "big", "r+b") as file:
            file.seek(1000)
            file.write(b"changed")
        self.backup()
        self.silent("verify", "--data")
        self.assert_same(self.source, self.restored())
