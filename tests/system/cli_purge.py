"""What a purge keeps: a chain that can be restored, what is unfinished, and what is not due."""

import os
import time

from cli_stores import flip
from machine import CORRUPT, REFUSED, USAGE, WARNINGS, Machine, stop_at


class Purge(Machine):
    def setUp(self):
        super().setUp()
        self.write("file", "content")
        self.init()

    def chains(self, *numbers):
        """So many runs in each chain; all but the last chain are due when max_age is a second."""
        names = []
        for number in numbers:
            names.append([self.backup(*(["--full"] if n == 0 else [])) for n in range(number)])
            time.sleep(1.1)
        return names

    def names(self):
        return [run["name"] for run in self.rota("list", "--json", status=None).json()["runs"]]

    def record(self, run):
        (record,) = self.objects(f"runs/*/{run}.*")
        return record

    def volume(self, run):
        return self.objects(f"data/*/{run}/v*")[0]

    def test_the_last_chain_that_can_be_restored_stays_when_the_newest_is_damaged(self):
        (old, _), (new,) = self.chains(2, 1)
        self.set(max_age='"1s"', max_fulls_with_incrs="1")
        damages = (lambda: self.volume(new).unlink(), lambda: flip(self.record(new)))
        for damage in damages:
            damage()
            for command in ("purge", "purge-incr"):
                self.fails(CORRUPT, "nothing was removed.*rota backup --full", command)
            self.assertIn(old, self.names())
            result = self.rota("purge", "--json", status=CORRUPT)
            self.assertEqual(0, result.json()["removed_runs"])
            self.assertTrue(result.json()["in_the_way"])
        self.rota("restore", "--at", old, "--to", self.dir / "to")
        self.assert_same(self.source, self.dir / "to")
        # A new chain that is whole takes its place. The damaged one is due by now, too.
        time.sleep(1.1)
        newest = self.backup("--full")
        self.silent("purge")
        self.assertEqual([newest], self.names())

    def test_a_damaged_chain_that_is_due_goes_in_the_night(self):
        (old,), (_,) = self.chains(1, 1)
        self.volume(old).unlink()
        self.fails(CORRUPT, f"nothing was purged.*rota purge --chain {old}", "cron")
        self.set(max_age='"1s"')
        result = self.rota("cron", status=WARNINGS)
        self.assertRegex(result.err, "what is damaged was due to go.*missing")
        self.assertNotIn(old, self.names())
        self.silent("cron")

    def test_a_damaged_increment_that_is_due_goes_in_the_night(self):
        self.write("file", "first")
        (full, increment), (_,) = self.chains(2, 1)
        self.objects(f"data/*/{increment}/i*")[0].unlink()
        self.set(max_fulls_with_incrs="1")
        result = self.rota("cron", status=WARNINGS)
        self.assertRegex(result.err, "what is damaged was due to go.*missing")
        self.assertIn(full, self.names())
        self.assertNotIn(increment, self.names())
        self.silent("cron")

    def test_damaged_chains_go_one_by_one_when_a_person_says_so(self):
        (first, first_incr), (second,), (newest,) = self.chains(2, 1, 1)
        # Nothing of the first can be restored, and the second has lost data.
        self.record(first).unlink()
        flip(self.record(first_incr))
        (self.dir / "cache").rename(self.dir / "lost-cache")
        self.volume(second).unlink()
        result = self.rota("purge", "--dry-run")
        self.assertRegex(result.out, rf"keep +{first_incr}.*rota purge --chain {first}")
        self.fails(CORRUPT, f"rota purge --chain ({first}|{second})", "cron")
        self.fails(REFUSED, "newest", "purge", "--chain", newest)
        self.fails(USAGE, "no chain", "purge", "--chain", first_incr)
        self.silent("purge", "--chain", first)
        self.silent("purge", "--chain", second)
        self.silent("cron")
        self.assertEqual(newest, self.names()[0])
        self.assertEqual([newest], [path.name for path in (self.store / "data").iterdir()
                                    if path.name != first])

    def test_a_broken_chain_goes_when_it_is_due(self):
        (first, increment), (newest,) = self.chains(2, 1)
        self.record(first).unlink()
        flip(self.record(increment))
        (self.dir / "cache").rename(self.dir / "lost-cache")
        self.set(max_age='"1s"')
        self.silent("purge")
        self.assertEqual([newest], self.names())
        self.silent("verify")

    def test_an_upload_that_was_interrupted_is_resumed_after_a_purge(self):
        (old,), (_,) = self.chains(1, 1)
        for i in range(5):
            self.write(f"big{i}", os.urandom(5 << 20))
        self.set(compression_level="15")
        with self.start("backup", "--full") as process:
            stop_at(process, lambda: len(list(self.store.glob("data/*/*/v*"))) > 2)
        (unfinished,) = {path.name for path in (self.store / "data").iterdir()} - set(self.names())
        self.set(compression_level="1")
        self.silent("purge")
        self.silent("purge-incr")
        self.set(max_age='"1s"')
        self.silent("purge")
        self.assertNotIn(old, self.names())
        self.assertEqual(unfinished, self.backup("--full"))
        self.assert_same(self.source, self.restored())
