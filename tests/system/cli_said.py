"""What is said is true, and what is advised ends the trouble."""

import os
import pathlib
import shutil

from cli_stores import flip
from machine import (CORRUPT, DONE, FAILED, INTERRUPTED, REFUSED, USAGE, WARNINGS, Machine, stop_at)


class Said(Machine):
    def setUp(self):
        super().setUp()
        self.write("d0/a", "content\n")
        self.write("d1/b", os.urandom(100_000))
        self.init()

    def alarms(self):
        return self.rota("status", "--json").json()["level"] == "alarm"

    def test_a_store_that_is_not_there_is_not_called_unharmed(self):
        self.silent("cron")
        self.silent("backup", "--full")
        self.store.rename(self.dir / "unmounted")
        for option in ([], ["--data"]):
            error = self.rota("verify", *option, status=CORRUPT).err
            self.assertNotIn("unharmed", error)
            self.assertNotIn("backup --full", error)  # it would be refused
            self.assertRegex(error, "shows no run that can be restored.*see that it is mounted")
        (self.dir / "unmounted").rename(self.store)
        self.silent("verify", "--data")

    def test_a_store_whose_newest_run_is_gone_may_lack_more(self):
        self.silent("backup")
        newest = self.backup("--full")
        shutil.rmtree(self.store / "runs" / newest)
        error = self.rota("verify", status=CORRUPT).err
        self.assertRegex(error, "1 problem; more may be gone than is named.*rota adopt")
        self.silent("adopt")
        self.silent("verify")

    def test_what_is_advised_ends_the_alarm_of_a_damaged_chain(self):
        old = self.backup()
        self.silent("backup", "--full")
        flip(self.objects(f"data/{old}/*/v*")[0])
        self.damaged(old, full=False)

    def test_what_is_advised_ends_the_alarm_of_the_newest_chain(self):
        newest = self.backup()
        flip(self.objects(f"data/{newest}/*/v*")[0])
        self.damaged(newest, full=True)

    def damaged(self, chain, full):
        error = self.rota("verify", "--data", status=CORRUPT).err.splitlines()[-1]
        self.assertIn("the store has 1 problem;", error)
        self.assertEqual(full, "`rota backup --full`" in error)
        self.assertIn(f"`rota purge --chain {chain}` and then `rota verify --data`", error)
        self.assertTrue(self.alarms())
        self.assertIn("rota purge --chain CHAIN main", self.rota("status").out)
        if full:
            self.silent("backup", "--full")
        self.silent("purge", "--chain", chain)
        self.silent("verify", "--data")
        self.assertFalse(self.alarms())
