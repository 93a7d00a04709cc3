"""A ledger that is damaged, lost, replaced by an older one, or cannot be written."""

import os
import pathlib
import shutil

from machine import CORRUPT, DONE, FAILED, WARNINGS, Machine


class Ledger(Machine):
    def setUp(self):
        super().setUp()
        self.write("a")
        self.init()
        self.ledger = pathlib.Path(self.places["STATE"]) / "ledger.db"

    def drilled(self):
        """Makes a history: a drill is a row of it."""
        self.rota("drill", "--scratch", self.dir)

    def texts(self, level="alarm"):
        status = self.rota("status", "--json").json()
        texts = [notice["text"] for notice in status["notices"] if notice["level"] == level]
        return texts + [text for profile in status["profiles"] for text in profile["messages"]]

    def test_a_damaged_ledger_stops_no_nightly_run(self):
        self.silent("cron")
        whole = self.ledger.read_bytes()
        for damaged in (os.urandom(100), whole[:8192] + os.urandom(len(whole) - 8192)):
            for file in self.ledger.parent.glob("ledger.db-*"):
                file.unlink()
            self.ledger.write_bytes(damaged)
            before = len(self.runs())
            for command in ("backup", "cron", "verify"):
                error = self.rota(command, status=WARNINGS).err
                self.assertRegex(error, r"what this job does is not recorded: the ledger is damaged "
                                        r".*out of the way.*rota ledger rebuild")
            self.assertEqual(before + 2, len(self.runs()))
            self.assertEqual(damaged, self.ledger.read_bytes(), "it is a person's to set aside")
            self.rota("check", status=3)
        # As it says:
        self.ledger.rename(self.dir / "aside")
        self.silent("verify")
        self.assertIn("5 runs in 1 chain,", self.rota("status").out)

    def test_a_state_that_cannot_be_written_is_said_and_can_be_read(self):
        place = self.dir / "state"
        self.mount(place, "size=50m")
        self.places["STATE"] = str(place)
        self.silent("cron")
        before = self.rota("status").out
        self.remount(place, "ro")
        self.assertEqual(before.splitlines()[-3:], self.rota("status").out.splitlines()[-3:])
        self.rota("check", status=DONE)
        self.rota("ledger", "check")
        self.rota("history")
        for command in (["backup"], ["remind"], ["disk", "move", "A", "on-site"]):
            self.fails(FAILED, "read-only", *command)

    def test_a_history_that_was_lost_is_noticed(self):
        self.silent("cron")
        self.drilled()
        older = self.dir / "older.db"
        shutil.copy(self.ledger, older)
        self.drilled()
        whole = self.dir / "whole.json"
        self.rota("ledger", "export", "--out", whole)
        self.rota("ledger", "check")
        self.assertEqual([], self.texts())

        def empty():
            self.ledger.write_bytes(b"")

        for lose in (self.ledger.unlink, empty, lambda: shutil.copy(older, self.ledger)):
            lose()
            problem = self.rota("ledger", "check", status=CORRUPT)
            self.assertRegex(problem.out, "3 rows of the history .*rota ledger rebuild")
            self.assertTrue(any("3 rows of the history" in text for text in self.texts()))
            self.assertIn("3 rows of the history", self.rota("cron", status=WARNINGS).err)
            self.assertIn("3 rows of the history", self.rota("disk", "list", status=WARNINGS).err)
            self.drilled()  # what is recorded meanwhile does not hide it
            self.rota("ledger", "check", status=CORRUPT)
            self.rota("ledger", "rebuild", whole, "--replace")
            self.rota("ledger", "check")
            self.silent("cron")
            self.assertEqual([], self.texts())

    def test_a_ledger_without_runs_is_not_taken_for_a_profile_without(self):
        self.silent("cron")
        self.ledger.unlink()
        (text,) = [text for text in self.texts() if "no run" in text]
        self.assertRegex(text, "The ledger knows no run, and this machine has made some: "
                               "`rota list main`")
        self.rota("list", "main")
        self.assertIn("1 run in 1 chain,", self.rota("status").out)

    def test_who_adopts_a_store_hears_of_the_history_in_it(self):
        self.silent("backup")
        (self.store / "ledger.json").write_text("{}")
        shutil.rmtree(self.places["STATE"])
        self.assertRegex(self.rota("adopt", status=WARNINGS).err,
                         "ledger.json: .*rota ledger rebuild")
