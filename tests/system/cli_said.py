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

    def test_a_profile_that_a_backup_would_refuse_is_an_alarm(self):
        key = self.dir / "rota.key"
        recipient = self.rota("key", "generate", "--to", key, "--json").json()["recipient"]
        self.set(encrypt_to=f'["{recipient}"]')
        self.silent("cron")
        self.assertFalse(self.alarms())
        middle = len(recipient) // 2
        other = "a" if recipient[middle] != "a" else "b"
        mistyped = recipient[:middle] + other + recipient[middle + 1:]
        for wrong in ({"encrypt_to": f'["{mistyped}"]'}, {"target": '"ftp://x"'},
                      {"key": '"/nope"'}):
            with self.subTest(wrong=wrong):
                file = pathlib.Path(self.places["CONFIG"]) / "main/profile.toml"
                right = file.read_text()
                self.set(**wrong)
                self.rota("backup", status=None)
                status = self.rota("status").out
                self.assertIn("The profile main cannot be used", status)
                self.assertNotIn("main: good", status)
                self.assertRegex(self.rota("check", status=2).out, "CRITICAL - The profile main")
                doctor = self.rota("doctor", status=WARNINGS).out
                self.assertRegex(doctor, "X danger +(profile|store)")
                self.assertNotRegex(doctor, r"\+ good +encryption")
                file.write_text(right)
        # What only systemd brings cannot be looked at here.
        self.set(target='"b2://bucket/x"', credentials='"brought"')
        self.assertNotIn("cannot be used", self.rota("status").out)

    def test_two_runs_in_one_second_say_nothing_against_the_clock(self):
        for _ in range(3):
            self.silent("backup", "--full")
        status = self.rota("status").out
        self.assertNotIn("The clock of this machine", status)

    def test_a_restore_that_is_refused_leaves_nothing_behind(self):
        key = self.dir / "rota.key"
        recipient = self.rota("key", "generate", "--to", key, "--json").json()["recipient"]
        self.set(encrypt_to=f'["{recipient}"]')
        self.silent("backup")
        to = self.dir / "to"
        self.fails(USAGE, "--key", "restore", "--to", to)
        self.assertFalse(to.exists())
        self.fails(FAILED, "there is no nope", "restore", "--key", key, "--to", to, "--path", "d1",
                   "--path", "nope")
        self.assertFalse(to.exists())
        self.silent("restore", "--key", key, "--to", to)
        self.assert_same(self.source, to)

    def test_an_interrupted_restore_says_what_goes_on(self):
        self.write("big", os.urandom(48 << 20))
        self.set(rate='"20M"')
        self.silent("backup")
        to = self.dir / "to"
        with self.start("restore", "--to", to) as process:
            result = stop_at(process, lambda: (to / "d1/b").exists(), 2)
        self.assertEqual(INTERRUPTED, result.status)
        self.assertRegex(result.err, r"again with --overwrite")
        self.set(rate='"1G"')
        self.fails(REFUSED, "--overwrite", "restore", "--to", to)
        self.silent("restore", "--to", to, "--overwrite")
        self.assert_same(self.source, to)

    def test_a_key_is_told_whose_it_is_with_several_profiles_too(self):
        self.init("other")
        key = self.dir / "rota.key"
        recipient = self.rota("key", "generate", "--to", key, "--json").json()["recipient"]
        self.assertIn(recipient, self.rota("key", "check", "--key", key).out)

    def test_a_drill_says_where_it_keeps_what_it_restored(self):
        self.silent("backup")
        self.silent("drill", "--scratch", self.dir)
        out = self.rota("drill", "--scratch", self.dir, "--keep").out
        place = pathlib.Path(out.strip().removeprefix("What was restored is kept in "))
        self.assertEqual("content\n", (place / "d0/a").read_text())

    def test_a_full_output_is_an_error_of_the_calendar_too(self):
        self.silent("backup")
        file = pathlib.Path(self.places["CONFIG"]) / "rotation.toml"
        file.write_text('[drill]\nevery = "1M"\n')
        span = ["--for", "20Y"]  # more than what is kept until the end
        self.assertGreater(len(self.rota("calendar", *span).out), 20_000)
        with open("/dev/full", "wb") as full:
            result = self.rota("calendar", *span, stdout=full, status=FAILED)
        self.assertIn("cannot write", result.err)

    def test_a_check_without_disks_says_what_is_good(self):
        self.silent("cron")
        self.assertRegex(self.rota("check").out,
                         r"\AROTA OK - The online backups are good; no rotation disk is used yet\. ")
