"""The programs `pre` and `post` around a run or a copy, also where these do not end well."""

import os
import signal
import time

from disk_machine import DiskMachine, written
from machine import (DONE, FAILED, INTERRUPTED, REFUSED, TIMEOUT, Machine, stop_at,
                     wait_for)


class Hooks:
    """`pre` makes a mark and `post` removes it, as with a service that is stopped meanwhile."""

    def setUp(self):
        super().setUp()
        self.mark, self.told, self.here = self.dir / "mark", self.dir / "told", self.dir / "here"

    def hooks(self, pre="", post=""):
        lock = f"{self.places['STATE']}/main/lock"
        self.hook("pre", f"touch {self.mark}\n{pre}\n")
        self.hook("post", f"rm {self.mark}; echo $ROTA_HOOK $ROTA_PROFILE $ROTA_RESULT >> {self.told}\n"
                          f"! flock -n {lock} true || echo unlocked >> {self.told}\n{post}\n")

    def assert_told(self, result):
        """`post` has run once, with the lock held, and knew how it went."""
        self.assertEqual(f"post main {result}\n", self.told.read_text())
        self.assertFalse(self.mark.exists())

    def stop_in_hook(self, *args):
        """Stops rota while a hook says that it is here. Returns what rota did and in which time."""
        with self.start(*args) as process:
            wait_for(self.here.exists, "the hook")
            begin = time.monotonic()
            result = stop_at(process, lambda: True, signal.SIGTERM)
        return result, time.monotonic() - begin


class Night(Hooks, Machine):
    def setUp(self):
        super().setUp()
        self.write("file", "content")
        self.init()

    def test_post_is_told_that_the_run_is_there(self):
        self.hooks(pre="[ -z \"$ROTA_RESULT\" ]")
        self.silent("cron")
        self.assert_told("done")

    def lose_the_store(self):
        self.silent("cron")
        for record in self.store.glob("runs/*/*"):
            record.unlink()

    def test_post_runs_behind_a_run_that_fails(self):
        self.lose_the_store()
        self.hooks()
        self.fails(REFUSED, "rota adopt", "cron")
        self.assert_told("failed")

    def test_a_post_that_fails_behind_a_run_that_failed_is_a_warning_beside_it(self):
        self.lose_the_store()
        self.hooks(post="echo no such service; exit 7")
        result = self.rota("cron", status=REFUSED)
        self.assert_told("failed")
        self.assertRegex(result.err, r"main: the post hook \S+ ended with status 7 and printed: no such "
                                     r"service")
        self.assertRegex(result.err.splitlines()[-1], "rota adopt")

    def test_post_does_not_run_behind_a_pre_that_failed(self):
        self.hooks(pre="exit 3")
        self.fails(FAILED, "nothing was backed up: the pre hook .* status 3", "cron")
        self.assertFalse(self.told.exists())

    def test_post_runs_behind_a_run_that_is_stopped(self):
        for number in range(5):
            self.write(f"big{number}", os.urandom(5 << 20))
        self.set(compression_level="15")
        self.hooks()
        with self.start("cron") as process:
            result = stop_at(process, lambda: list(self.store.glob("data/*/*/v*")),
                             signal.SIGTERM)
        self.assertEqual(INTERRUPTED, result.status, result.err)
        self.assert_told("stopped")
        self.assert_sentence(result.err)

    def test_a_stop_ends_pre_and_what_it_started_and_backs_nothing_up(self):
        self.hooks(pre=f"touch {self.here}; sleep 120 & sleep 120; wait")
        result, seconds = self.stop_in_hook("backup")
        self.assertEqual(INTERRUPTED, result.status, result.err)
        self.assert_sentence(result.err)
        self.assertLess(seconds, 4, "it was killed only behind the five seconds that it may take")
        self.assertFalse(self.told.exists())
        self.assertEqual([], self.runs())

    def test_a_pre_that_ends_well_when_it_is_stopped_has_its_post(self):
        self.hooks(pre=f"trap 'exit 0' TERM; touch {self.here}; sleep 120 & wait")
        result, _ = self.stop_in_hook("backup")
        self.assertEqual(INTERRUPTED, result.status, result.err)
        self.assert_told("stopped")
        self.assertEqual([], self.runs())

    def test_a_stop_does_not_end_post(self):
        gate = self.dir / "gate"
        os.mkfifo(gate)
        self.hooks(post=f"touch {self.here}; read line < {gate}; echo ended >> {self.told}")
        with self.start("backup") as process:
            wait_for(self.here.exists, "the hook")
            process.terminate()
            gate.write_text("go\n")
            err = process.communicate(timeout=TIMEOUT)[1].decode()
        self.assertEqual((DONE, ""), (process.returncode, err))
        self.assertEqual("post main done\nended\n", self.told.read_text())
        self.assertEqual(1, len(self.runs()))


class Copy(Hooks, DiskMachine):
    def setUp(self):
        super().setUp()
        self.small_reserve()
        self.init()
        self.write("more/file", "content")

    def test_post_runs_behind_a_copy_that_is_stopped(self):
        disk = self.prepared()
        for number in range(400):
            self.write(f"more/file{number}", os.urandom(20_000).hex())
        self.hooks()
        with self.start("disk", "attach", disk.part) as process:
            result = stop_at(process, lambda: written(process, "more") > 10, signal.SIGTERM)
        self.assertEqual(INTERRUPTED, result.status, result.err)
        self.assert_told("stopped")
        self.assertEqual("interrupted", self.rota("disk", "show", disk.name, "--json").json()["state"])
        self.told.unlink()
        disk.replug()
        self.attach(disk)
        self.assert_told("done")
        self.assertEqual(1, len(self.copies(disk)))

    def test_post_runs_behind_a_copy_that_fails(self):
        disk = self.prepared(size=64 << 20)
        # What there was to copy when it was looked for room.
        self.hooks(pre=f"head -c 80000000 /dev/zero > {self.source}/dump",
                   post=f"rm {self.source}/dump; exit 7")
        result = self.attach(disk, status=FAILED)
        self.assert_told("failed")
        self.assertRegex(result.err, r"main: the post hook \S+ ended with status 7")
        self.assertRegex(result.err.splitlines()[-1], "no space left")
        self.assertEqual([], self.copies(disk))

    def test_a_stop_ends_pre_and_copies_nothing(self):
        disk = self.prepared(size=64 << 20)
        self.hooks(pre=f"touch {self.here}; sleep 120")
        result, seconds = self.stop_in_hook("disk", "attach", disk.part)
        self.assertEqual(INTERRUPTED, result.status, result.err)
        self.assertLess(seconds, 4, "it was killed only behind the five seconds that it may take")
        self.assertFalse(self.told.exists())
        self.assertEqual([], self.copies(disk))
