"""Drills: restored, compared, checked, timed and recorded, from a store and from a disk."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

from disk_machine import DiskMachine
from machine import (CORRUPT, DONE, FAILED, INTERRUPTED, LOCKED, NOBODY, REFUSED, ROTA, USAGE,
                     WARNINGS, Machine, stop_at, wait_for)


class Drills:
    """What both kinds of drill have in common."""

    def make_tree(self):
        self.write("etc/fstab", "one\n")
        self.write("etc/shadow", "secret\n").chmod(0o600)
        self.write("data/large", os.urandom(300_000))
        for number in range(40):
            self.write(f"data/file{number}", f"content of {number}\n")
        os.link(self.source / "etc/fstab", self.source / "etc/fstab.link")
        (self.source / "etc/mtab").symlink_to("fstab")
        with open(self.write("sparse", b""), "r+b") as file:
            file.truncate(5_000_000)
        if os.geteuid() == 0:
            os.chown(self.source / "etc/shadow", 1234, 1235)
            os.setxattr(self.source / "etc/fstab", "user.note", b"kept")
        self.scratch = self.dir / "scratch"
        self.scratch.mkdir()
        self.drill_options = ("--scratch", self.scratch)

    def drill(self, *args, status=DONE, **more):
        return self.rota("drill", "main", *self.drill_options, *args, status=status, **more)

    def fail_drill(self, status, pattern, *args, **more):
        """Which must leave nothing behind."""
        self.fails(status, pattern, "drill", "main", *self.drill_options, *args, **more)
        self.assert_clean()

    def assert_clean(self):
        self.assertEqual([], os.listdir(self.scratch))
        progress = pathlib.Path(self.places["RUN"]) / "drill-main.json"
        self.assertFalse(progress.exists())

    def recorded(self):
        """Drills in the history, as JSON of each."""
        rows = self.rota("history", "--limit", "0", "--json").json()["rows"]
        return [row["data"] for row in rows if row["kind"] == "drill"]

    def standing(self):
        """What status says of the drills of main."""
        return self.rota("status", "--json").json()["drills"][0]

    def check_program(self, script, mode=0o700):
        file = self.dir / "check"
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(mode)
        self.settings(check=file)
        return file

    def settings(self, **settings):
        """[drill] of the profile."""
        file = pathlib.Path(self.places["CONFIG"]) / "main" / "profile.toml"
        text = re.sub(r"\n\[drill\]\n.*", "", file.read_text(encoding="utf-8"), flags=re.S)
        lines = [f'{key} = "{value}"' for key, value in settings.items()]
        file.write_text("\n".join([text, "[drill]", *lines, ""]), encoding="utf-8")


class FromTheStore(Drills, Machine):
    def setUp(self):
        super().setUp()
        self.make_tree()
        self.init()
        self.run_name = self.backup()

    def damage_a_volume(self):
        for volume in self.volumes():
            volume.chmod(0o600)
            data = bytearray(volume.read_bytes())
            data[len(data) // 2] ^= 1
            volume.write_bytes(data)

    def test_a_drill_restores_compares_records_and_leaves_nothing(self):
        result = self.drill()
        self.assertEqual(("", ""), (result.out, result.err))
        self.assert_clean()
        row, = self.recorded()
        self.assertEqual(("main", "store", "", self.run_name, False, False, True, ""),
                         tuple(row[key] for key in ("server", "source", "disk", "run", "sample",
                                                    "checked", "passed", "problem")))
        self.assertEqual(self.runs()[-1]["files"], row["files"])
        self.assertGreater(row["bytes"], 5_300_000)
        drill = self.standing()
        self.assertEqual(("good", False, self.run_name),
                         (drill["level"], drill["failing"], drill["passed"]["run"]))
        self.assertRegex(self.rota("status").out, r"\n  drill +\S.* from the store: passed, 5\.3 MB")
        self.assertRegex(self.rota("history").out, "main: drill from the store, as of .*: passed")
        # It comes back with the ledger.
        export = self.dir / "export.json"
        export.write_text(self.rota("ledger", "export").out, encoding="utf-8")
        (pathlib.Path(self.places["STATE"]) / "ledger.db").unlink()
        self.rota("ledger", "rebuild", export)
        self.assertEqual([row], self.recorded())
        self.assertEqual(drill["passed"], self.standing()["passed"])

    def test_what_is_said_to_a_person_and_to_a_program(self):
        said = self.drill("--verbose").out
        self.assertRegex(said, r"\AAll of main from the store, as it was at [-0-9]+ [:0-9]+: \d+ "
                               r"entries, 5\.3 MB, restored in \d+ s")
        self.assertIn("the drill passed", said)
        value = self.drill("--json", "--sample", "20%").json()
        self.assertEqual((True, True, [], None),
                         (value["sample"], value["passed"], value["problems"], value["kept"]))
        self.assertLess(value["files"], self.runs()[-1]["files"])
        self.assertGreater(value["whole_bytes"], 5_300_000)
        status, shown = self.on_terminal("drill", "main", *self.drill_options)
        self.assertEqual(DONE, status)
        self.assertIn("the drill passed", shown)

    def test_an_older_run_is_restored_when_it_is_asked_for(self):
        self.write("etc/fstab", "two\n")
        time.sleep(1.1)  # runs have names of seconds
        newest = self.backup()
        self.drill("--time", self.run_name)
        self.drill()
        self.assertEqual([self.run_name, newest], [row["run"] for row in self.recorded()])

    def test_nothing_on_this_machine_helps(self):
        # What the cache holds of the index would do for a restore here, but not after a fire.
        for index in self.objects("data/*/*/i*"):
            index.unlink()
        self.restored()
        self.fail_drill(CORRUPT, "the drill of main from the store failed.*does not have it")
        self.assertFalse(self.recorded()[-1]["passed"])

    def test_a_record_that_only_this_machine_has_does_not_help(self):
        time.sleep(1.1)  # runs have names of seconds
        newest = self.backup()
        record, = self.objects(f"runs/*/{newest}.*")
        record.chmod(0o600)
        data = bytearray(record.read_bytes())
        data[len(data) // 2] ^= 1
        record.write_bytes(data)
        result = self.drill(status=WARNINGS)
        self.assertRegex(result.err, f"{newest}.*is newer, but its record")
        self.assertEqual(self.run_name, self.recorded()[-1]["run"])

    def test_a_damaged_object_fails_the_drill_until_one_passes(self):
        self.drill()
        good = [(volume, volume.read_bytes()) for volume in self.volumes()]
        self.damage_a_volume()
        result = self.drill(status=CORRUPT)
        self.assertRegex(result.err, r"rota: the drill of main from the store failed, and a "
                                     r"recovery would: .*: missing")
        self.assert_clean()
        self.assertEqual([True, False], [row["passed"] for row in self.recorded()])
        self.assertIn("missing", self.recorded()[-1]["problem"])
        check = self.rota("check", status=2).out
        self.assertRegex(check, r"\AROTA CRITICAL - The drill of main from the store on .* failed")
        self.assertIn("X The drill of main", self.rota("status").out)
        self.assertIn("The drill of main", self.rota("remind").out)
        self.assertTrue(self.standing()["failing"])
        for volume, data in good:
            volume.write_bytes(data)
        # A sample that passes says nothing of the rest.
        self.drill("--sample", "5%")
        self.assertTrue(self.standing()["failing"])
        self.drill()
        self.assertFalse(self.standing()["failing"])
        self.silent("remind")

    def test_a_store_that_is_gone_in_the_middle_is_a_result(self):
        self.check_program("exit 0")
        for volume in self.volumes():
            volume.unlink()
        self.fail_drill_with_warnings()
        self.assertFalse(self.recorded()[-1]["checked"])

    def test_a_store_that_lost_everything_fails_the_drill(self):
        away = self.store.with_name("away")
        self.store.rename(away)
        self.store.mkdir()
        self.fail_drill(CORRUPT, f"a recovery would: .* should hold run {self.run_name} and shows none")
        failed = self.recorded()[-1]
        self.assertEqual((False, None, None),
                         (failed["passed"], failed["run"] or None, self.drill_json()["snapshot"]))
        self.assertTrue(self.standing()["failing"])
        self.assertRegex(self.rota("history").out, "main: drill from the store: failed")
        for read in (("list", "main"), ("ls", "main"), ("fetch", "main", "etc/fstab", self.dir / "x"),
                     ("restore", "main", "--to", self.dir / "restored"), ("facts", "main")):
            self.fails(FAILED, f"should hold run {self.run_name}", *read)
        self.store.rmdir()
        away.rename(self.store)
        self.drill()
        self.assertFalse(self.standing()["failing"])

    def drill_json(self):
        return json.loads(self.drill("--json", status=CORRUPT).out)

    def fail_drill_with_warnings(self):
        result = self.drill(status=CORRUPT)
        self.assertIn("failed, and a recovery would", result.err.splitlines()[-1])
        self.assert_clean()

    def test_the_check_program_sees_what_was_restored_and_has_the_last_word(self):
        seen = self.dir / "seen"
        self.check_program(f'cp -a "$1" {seen}; stat -c %a "$1/.." > {seen}.mode; echo $# > {seen}.n')
        self.drill()
        self.assert_same(self.source, seen)
        self.assertEqual("700\n", (self.dir / "seen.mode").read_text())
        self.assertEqual("1\n", (self.dir / "seen.n").read_text())
        self.assertTrue(self.recorded()[-1]["checked"])
        # What it changes is its own business.
        self.check_program('rm -rf "$1"/*; exit 0')
        self.drill()
        self.check_program('echo "the database\x1b[2J is empty"; exit 3')
        result = self.drill(status=FAILED)
        self.assertIn("  the database\\x1b[2J is empty\n", result.err)
        self.assertRegex(result.err.splitlines()[-1], "check program .* ended with status 3")
        self.assert_clean()
        row = self.recorded()[-1]
        self.assertEqual((True, False), (row["checked"], row["passed"]))
        self.assertNotIn("database", json.dumps(row))  # exports go to disks that anybody may find
        value = self.drill("--json", status=FAILED).json()
        self.assertIn("is empty", value["check_output"])

    def test_a_check_program_that_hangs_is_ended_with_what_it_started(self):
        self.check_program("sleep 300 & exec >&- 2>&-; sleep 300")
        self.settings(check=self.dir / "check", check_timeout="1s")
        begin = time.monotonic()
        self.fail_drill(FAILED, "did not end within 1 s")
        self.assertLess(time.monotonic() - begin, 20)
        self.assertFalse(self.recorded()[-1]["passed"])

    def test_a_check_program_that_others_can_change_is_not_run(self):
        seen = self.dir / "seen"
        for mode, pattern in ((0o600, "not executable"), (0o722, "can be written by others")):
            self.check_program(f"touch {seen}", mode)
            self.fail_drill(USAGE, pattern)
        if os.geteuid() == 0:
            os.chown(self.check_program(f"touch {seen}"), NOBODY, NOBODY)
            self.fail_drill(USAGE, "belongs to another user")
        self.settings(check="/nonexistent/check")
        self.fail_drill(FAILED, "/nonexistent/check")
        # That is known before hours are spent on restoring.
        self.damage_a_volume()
        self.fail_drill(FAILED, "/nonexistent/check")
        self.assertFalse(seen.exists())
        self.assertEqual([], self.recorded())
        # The nightly run does not depend on it.
        self.write("new")
        self.silent("backup", "main")

    def test_what_the_check_mounts_is_not_removed(self):
        live = self.dir / "live"
        live.mkdir()
        (live / "precious").write_text("x")
        self.mount(self.dir / "probe", "size=1m")  # skips where that cannot be
        self.check_program(f'mkdir "$1/m" && mount --bind {live} "$1/m"')
        result = self.drill(status=WARNINGS)
        self.assertIn("something is mounted in it", result.err)
        self.assertEqual("x", (live / "precious").read_text())
        place, = self.scratch.glob("rota-drill-*/tree/m")
        subprocess.run(["umount", place], check=True)
        # The next drill removes what was left.
        self.settings()
        self.drill()
        self.assert_clean()

    def test_a_sample_is_another_one_each_time_and_the_comparison_knows(self):
        seen = self.dir / "seen"
        self.check_program(f'cd "$1" && find data -type f | sort | sha256sum >> {seen}; '
                           f"echo $ROTA_SAMPLE >> {seen}.sample")
        for _ in range(6):
            self.drill("--sample", "30%")
        self.assertGreater(len(set(seen.read_text().splitlines())), 1)
        self.assertEqual({"1"}, set((self.dir / "seen.sample").read_text().split()))
        self.assertTrue(all(row["sample"] for row in self.recorded()))
        files = [row["files"] for row in self.recorded()]
        self.assertLess(max(files), self.runs()[-1]["files"])
        # Names of one file come together.
        self.check_program('test -e "$1/etc/fstab" && test -e "$1/etc/fstab.link" || '
                           '! test -e "$1/etc/fstab" -o -e "$1/etc/fstab.link"')
        for _ in range(4):
            self.drill("--sample", "50%")

    def test_a_sample_in_bytes_is_never_larger(self):
        for _ in range(5):
            value = self.drill("--sample", "200K", "--json").json()
            self.assertLessEqual(value["bytes"], 200_000)
            self.assertGreater(value["bytes"], 0)
        value = self.drill("--sample", "100%", "--json").json()
        self.assertFalse(value["sample"])
        for bad in ("5", "0%", "101%", "0M", "-1G", "2X", "%", "G", "nan%", "inf%", "1e3M", "2G x"):
            self.fail_drill(USAGE, "--sample is ", f"--sample={bad}")
        self.assertEqual(6, len(self.recorded()))

    def test_without_room_nothing_is_restored_and_a_sample_is_proposed(self):
        self.mount(self.scratch, "size=4m")
        self.fail_drill(REFUSED, "no room for the drill: .* restore a part only with --sample")
        self.fail_drill(REFUSED, "no room for the drill: .* take a smaller --sample",
                        "--sample", "100%")
        self.drill("--sample", "400K")
        self.assert_clean()
        self.remount(self.scratch, "size=40m,nr_inodes=20")
        self.fail_drill(REFUSED, r"\d+ files are to be restored.*--sample")
        self.assertEqual(1, len(self.recorded()))

    def test_a_scratch_directory_that_others_could_exchange_is_refused(self):
        self.scratch.chmod(0o777)
        self.fail_drill(USAGE, "others than its owner can write in it")
        self.scratch.chmod(0o1777)
        self.drill()
        if os.geteuid() == 0:
            os.chown(self.scratch, NOBODY, NOBODY)
            self.fail_drill(USAGE, "belongs to another user")
        self.fails(USAGE, "no such file", "drill", "main", "--scratch", self.dir / "none")
        self.settings(scratch=self.dir / "none either")
        self.fails(USAGE, "none either", "drill", "main")

    def test_what_was_restored_is_kept_when_that_is_asked_for(self):
        value = self.drill("--keep", "--json").json()
        self.assert_same(self.source, value["kept"])
        self.assertEqual(0o700, pathlib.Path(value["kept"]).parent.stat().st_mode & 0o7777)
        self.drill()  # does not take it for one that was left behind
        self.assertTrue(pathlib.Path(value["kept"]).exists())
        self.check_program("exit 1")
        result = self.drill("--keep", status=FAILED)
        kept = re.search(r"; what was restored is kept in (\S+)\n", result.err).group(1)
        self.assert_same(self.source, kept)

    def interrupt(self, number, moment):
        with self.start("drill", "main", *self.drill_options) as process:
            result = stop_at(process, moment, number)
        self.assertEqual(INTERRUPTED, result.status, result.err)
        self.assert_sentence(result.err)
        self.assert_clean()
        self.assertEqual([], self.recorded())

    def test_an_interruption_cleans_up_and_is_no_result(self):
        waiting = self.dir / "waiting"
        self.check_program(f"touch {waiting}; sleep 300")
        for number in (signal.SIGINT, signal.SIGTERM):
            self.interrupt(number, waiting.exists)
            waiting.unlink()

    def test_an_interruption_while_restoring_cleans_up(self):
        for number in range(12):
            self.write(f"big{number}", os.urandom(8 << 20))
        self.backup()
        self.interrupt(signal.SIGTERM, lambda: list(self.scratch.glob("*/tree/big*")))

    def test_a_drill_that_was_killed_is_cleaned_up_by_the_next(self):
        waiting = self.dir / "waiting"
        file = self.check_program(f"echo $$ > {waiting}; exec sleep 300")
        with self.start("drill", "main", *self.drill_options) as process:
            stop_at(process, lambda: waiting.exists() and waiting.read_text().endswith("\n"))
        os.kill(int(waiting.read_text()), signal.SIGKILL)
        self.assertEqual(1, len(os.listdir(self.scratch)))
        tag = next(self.scratch.glob("rota-drill-*/CACHEDIR.TAG"))
        self.assertTrue(tag.read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n"))
        # That of a drill that is under way stays.
        waiting.unlink()
        with self.start("drill", "main", *self.drill_options) as process:
            wait_for(waiting.exists, "the check")
            under_way = os.listdir(self.scratch)
            self.assertEqual(1, len(under_way))
            file.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
            self.fails(LOCKED, "another rota .* the drill of main|the drill of main", "drill",
                       "main", *self.drill_options)
            # Another place for locks: another machine's, or another user's.
            self.drill(env={"ROTA_RUN_DIR": str(self.dir / "run2")})
            self.assertEqual(under_way, os.listdir(self.scratch))
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
        self.assertEqual([], os.listdir(self.scratch))

    def test_a_backup_that_runs_meanwhile_leaves_the_drill_out(self):
        self.scratch = self.source / "scratch"
        self.scratch.mkdir()
        self.settings(scratch=self.scratch)
        self.drill_options = ()
        file = self.check_program(f'ls -d {self.scratch}/rota-drill-*/tree/etc && '
                                  f'"{ROTA}" backup main')
        self.settings(scratch=self.scratch, check=file)
        self.drill()
        self.assert_clean()
        inside = [path for path in self.paths("main") if "rota-drill-" in path]
        self.assertTrue(inside and all(path.endswith("CACHEDIR.TAG") or "/" not in
                                       path.removeprefix("scratch/") for path in inside), inside)

    def test_a_person_without_roots_rights_can_try_what_is_theirs(self):
        self.need_nobody()
        theirs = self.dir / "theirs"
        (theirs / "source" / "locked").mkdir(parents=True)
        (theirs / "source" / "locked" / "file").write_text("x")
        (theirs / "scratch").mkdir()
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", theirs], check=True)
        (theirs / "source" / "locked").chmod(0o555)
        self.places = {name: str(theirs / name) for name in self.places}
        self.rota("init", "main", "--source", theirs / "source", "--target",
                  f"file://{theirs}/store", user=NOBODY)
        self.rota("backup", "main", user=NOBODY)
        self.scratch = theirs / "scratch"
        result = self.rota("drill", "main", "--scratch", self.scratch, user=NOBODY)
        self.assertEqual("", result.err)
        self.assert_clean()

    def test_progress_is_told_to_the_screen_while_it_runs(self):
        waiting = self.dir / "waiting"
        self.check_program(f"touch {waiting}; while test -e {waiting}; do sleep 0.05; done")
        with self.start("drill", "main", *self.drill_options) as process:
            wait_for(waiting.exists, "the check")
            lines = (pathlib.Path(self.places["RUN"]) / "drill-main.json").read_text().splitlines()
            waiting.unlink()
            self.assertEqual((b"", b""), process.communicate(timeout=60))
        told = [json.loads(line) for line in lines]
        self.assertEqual("drill main", told[0]["job"])
        self.assertEqual(["finding the run", "restoring", "comparing", "checking"],
                         [line["step"] for line in told if "step" in line])
        self.assert_clean()

    def test_an_encrypted_chain_is_drilled_where_its_key_is(self):
        recipient = self.rota("key", "generate", "--to", self.dir / "secret.key",
                              "--json").json()["recipient"]
        self.set(encrypt_to=f'["{recipient}"]')
        self.backup("--full")
        self.fail_drill(USAGE, "encrypted for .*make the drill on the machine where the key is")
        self.assertEqual([], self.recorded())
        self.drill("--key", self.dir / "secret.key")
        self.set(key=f'"{self.dir}/secret.key"')
        self.drill()
        self.assertEqual([True, True], [row["passed"] for row in self.recorded()])

    def test_when_drills_are_due_stands_in_rotation_toml_and_the_calendar(self):
        calendar = self.rota("calendar").out
        self.assertRegex(calendar, r"UID:rota-drill-main-first-0@")
        self.assertIn("never; next due in ", self.rota("status").out)
        rotation = pathlib.Path(self.places["CONFIG"]) / "rotation.toml"
        rotation.write_text('[drill]\nevery = "0"\n')
        self.assertNotIn("drill", self.rota("calendar").out)
        self.assertNotIn("  drill ", self.rota("status").out)
        rotation.write_text('[drill]\nevery = "1s"\n')
        time.sleep(1.1)
        self.assertIn("Nobody has ever tried whether main can be restored",
                      self.rota("remind").out + self.rota("status").out)
        self.drill()
        time.sleep(1.1)
        self.assertIn("A drill of main was due on ", self.rota("status").out)


class FromADisk(Drills, DiskMachine):
    def setUp(self):
        super().setUp()
        self.make_tree()
        self.init()
        self.small_reserve()
        self.one = self.prepared()
        self.attach(self.one)
        self.one.replug()
        self.snapshot, = self.copies(self.one)

    def test_a_drill_from_a_disk_and_from_a_mounted_copy(self):
        self.drill("--disk", self.one.name)
        self.assert_clean()
        row = self.recorded()[-1]
        self.assertEqual(("disk", self.one.name, self.snapshot, True),
                         (row["source"], row["disk"], row["run"], row["passed"]))
        shown = self.rota("status").out
        self.assertIn(f"from disk {self.one.name}: passed", shown)
        self.assertIn("drill from disk", self.rota("history", "--disk", self.one.name).out)
        place = self.one.mount() / "rota" / "main" / self.snapshot
        result = self.rota("drill", *self.drill_options, "--copy", place, "--json", "--sample",
                           "50%").json()
        self.assertEqual(("main", self.one.name, True, True),
                         (result["server"], result["disk"], result["passed"], result["sample"]))
        self.fails(USAGE, "not both", "drill", "--copy", place, "--disk", self.one.name)
        self.fails(USAGE, "--at chooses", "drill", "--copy", place, "--at", "1D")
        self.fails(REFUSED, "is on the rotation disk", "drill", "--copy", place, "--scratch", place)
        self.fails(FAILED, "no disk NONE is plugged in", "drill", "--disk", "NONE",
                   *self.drill_options)
        self.one.umount()
        self.assertEqual(2, len(self.recorded()))

    def test_a_damaged_copy_fails_the_drill(self):
        self.check_program("exit 0")
        place = self.dir / "mnt"
        place.mkdir()
        subprocess.run(["mount", self.one.part, place], check=True)
        self.mounts.append(str(place))
        copy = place / "rota" / "main" / self.snapshot / "tree"
        with open(copy / "etc/fstab", "r+b") as file:
            file.write(b"two")
        subprocess.run(["umount", self.mounts.pop()], check=True)
        result = self.drill("--disk", self.one.name, status=CORRUPT)
        self.assertRegex(result.err.splitlines()[-1],
                         f"the drill of main from disk {self.one.name} failed.*: 2 differ from what "
                         r"was backed up \(1 because of damage in the backup\): etc/fstab: "
                         "missing; etc/fstab.link: missing")
        self.assert_clean()
        self.assertEqual((False, self.one.name),
                         (self.recorded()[-1]["passed"], self.recorded()[-1]["disk"]))
        self.assertEqual("alarm", self.standing()["level"])
        self.assertIn(f"from disk {self.one.name}", self.rota("remind").out)
