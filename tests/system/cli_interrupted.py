"""Runs that are stopped in the middle: the store stays readable and the next run is right."""

import contextlib
import os
import pathlib
import pty
import signal
import time

from machine import DONE, INTERRUPTED, ROTA, Machine, read_until, stop_at, wait_for


class Interrupted(Machine):
    def setUp(self):
        super().setUp()
        self.write("small", "first")
        self.init()
        self.first = self.backup()
        for i in range(5):  # two volumes, and enough to do for the compressor
            self.write(f"big{i}", os.urandom(5 << 20))
        self.set(compression_level="15")

    def has_volumes(self, number):
        """True while an unfinished run has put so many volumes into the store."""
        return lambda: len(list(self.store.glob("data/*/*/v*"))) > number

    def check_after(self, full=False):
        """What was complete is there, and the next run is right."""
        runs = [run["name"] for run in self.runs()]
        self.assertEqual(self.first, runs[0])
        self.silent("verify", "--data")
        old = self.restored("--at", self.first)
        self.assertEqual("first", (old / "small").read_text())
        self.set(compression_level="1")
        self.silent("backup", *(["--full"] if full else []))
        self.assert_same(self.source, self.restored())
        verify = self.rota("verify", "--data", "--json").json()
        self.assertEqual((True, 0), (verify["good"], verify["unreferenced"]), "left behind")
        temporary = self.store / ".tmp"
        young = 3600  # a killed writer's are removed when they are old
        self.assertTrue(all(time.time() - path.stat().st_mtime < young
                            for path in temporary.iterdir()) if temporary.exists() else True)

    def interrupt(self, number):
        with self.start("backup") as process:
            result = stop_at(process, self.has_volumes(1), number)
        self.assertEqual(INTERRUPTED, result.status, result.err)
        self.assertEqual("", result.out)
        self.assert_sentence(result.err)
        self.assertIn("start it again", result.err)
        self.assertEqual(1, len(self.runs()))
        self.check_after()

    def test_ctrl_c(self):
        self.interrupt(signal.SIGINT)

    def test_sigterm(self):
        self.interrupt(signal.SIGTERM)

    def test_ctrl_c_at_a_terminal_reaches_the_pre_hook_too(self):
        self.hook("pre", f"touch {self.dir}/here; sleep 60")
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(ROTA, ["rota", "backup"], self.environment())
        wait_for((self.dir / "here").exists, "the pre hook")
        shown = read_until(terminal, b"pre hook: ")
        os.write(terminal, b"\x03")
        with contextlib.suppress(OSError):  # EIO: the end
            while part := os.read(terminal, 4096):
                shown += part
        os.close(terminal)
        self.assertEqual(INTERRUPTED, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown)
        self.assertIn(b"stopped as asked", shown)
        self.assertEqual(1, len(self.runs()))

    def test_kill_9_at_many_moments_of_an_increment(self):
        killed = 0
        for delay in (0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3):
            end = time.monotonic() + delay
            with self.start("backup") as process:
                result = stop_at(process, lambda: time.monotonic() >= end)
            killed += result.status == -signal.SIGKILL
            self.assertIn(result.status, (DONE, -signal.SIGKILL))
            self.silent("verify")
        self.assertGreater(killed, 3)
        with self.start("backup") as process:
            stop_at(process, self.has_volumes(1))
        self.check_after()

    def test_kill_9_in_a_new_full(self):
        with self.start("backup", "--full") as process:
            result = stop_at(process, self.has_volumes(1))
        self.assertEqual(-signal.SIGKILL, result.status)
        self.check_after()
        with self.start("backup", "--full") as process:
            result = stop_at(process, lambda: True)
        self.assertEqual([self.first], [run["name"] for run in self.runs()][:1])

    def test_kill_9_in_a_purge(self):
        self.set(max_age='"1s"', compression_level="1")
        self.silent("backup")
        second = self.runs()[1]["name"]
        time.sleep(2.1)
        newest = self.backup("--full")
        with self.start("purge") as process:
            stop_at(process, lambda: not list(self.store.glob(f"runs/*/{second}.incr")))
        self.assertIn(newest, [run["name"] for run in self.runs()])
        self.silent("purge")
        self.assertEqual([newest], [run["name"] for run in self.runs()])
        self.assertEqual([newest], [path.name for path in (self.store / "data").iterdir()])
        self.assert_same(self.source, self.restored())

    def test_a_restore_that_is_stopped_can_be_run_again(self):
        self.set(compression_level="1")
        self.silent("backup")
        to = self.dir / "to"
        with self.start("restore", "--to", to) as process:
            result = stop_at(process, lambda: pathlib.Path(to, "big0").exists(), signal.SIGTERM)
        self.assertIn(result.status, (DONE, INTERRUPTED), result.err)
        with self.start("restore", "--to", to, "--overwrite") as process:
            stop_at(process, lambda: time.monotonic() > 0)
        self.silent("restore", "--to", to, "--overwrite")
        self.assert_same(self.source, to)
