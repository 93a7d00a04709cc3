#!/usr/bin/env python3
"""Shows that docs/format.md suffices: restore.py, written from that page alone, restores every run
of a chain exactly as rota does, and as the tree was.

ROTA names the program. `format_test.py SEED...` takes other seeds. Seeds are printed with a failure.
"""

import collections
import os
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

import life  # noqa: E402
import machine  # noqa: E402
import reader  # noqa: E402

RUNS = 10
seeds = [1, 2, 3, 4, 5] if os.environ.get("ROTA_TEST_LONG") == "1" else [1]


def seen_in(store, runs):
    """What of the format these runs use: so that a tree which shows nothing does not pass."""
    seen = collections.Counter()
    for run in runs:
        chain = reader.Chain(store, run)
        for piece in chain.records[-1].pieces:
            seen["merged pieces"] += piece.span > 1
            for data in reader.blocks_of(chain, piece):
                for entry, _ in reader.Block(data).records():
                    seen[entry.kind] += 1
                    seen["attributes"] += bool(entry.xattrs)
                    for extent in entry.extents:
                        seen["holes"] += extent.hole
                        seen["of other runs"] += not extent.hole and extent.run != piece.number
    return seen


class Format(machine.Machine):
    def second_reader(self, run, out, status=0):
        done = subprocess.run([sys.executable, "-B", HERE / "restore.py", self.store, run, out],
                              capture_output=True, check=False)
        self.assertEqual(status, done.returncode, done.stderr.decode())
        return done.stderr.decode()

    def test_a_reader_written_from_the_page_restores_every_run(self):
        if not life.ROOT:
            self.skip("without root the second reader restores no owners and devices")
        for seed in seeds:
            with self.subTest(seed=seed):
                self.live(seed)
                self._remove()
                self.setUp()

    def live(self, seed):
        self.init(exclude_caches="false")
        tree = life.Life(seed, self.source)
        runs = []
        for number in range(RUNS):
            if number > 0:
                tree.day()
            runs.append(self.backup())
            subprocess.run(["cp", "-a", "-T", self.source, self.dir / runs[-1]], check=True)
        for run in runs:
            with self.subTest(run=runs.index(run)):
                copy = self.dir / run
                ours, theirs = self.dir / f"{run}.rota", self.dir / f"{run}.reader"
                self.silent("restore", "main", "--at", run, "--to", ours)
                self.second_reader(run, theirs)
                for other in (ours, copy):
                    self.assert_same(other, theirs)
                    self.assert_same(theirs, other)
                subprocess.run(["rm", "-rf", ours, theirs, copy], check=True)
        seen = seen_in(self.store, runs)
        for what in (*range(reader.HARD_LINK + 1), reader.CONTINUATION, "merged pieces",
                     "attributes", "holes", "of other runs"):
            self.assertGreater(seen[what], 0, f"no run shows what was to be shown: {what}")

    def test_the_second_reader_notices_damage_and_refuses_what_it_does_not_know(self):
        self.init()
        self.write("file", os.urandom(100_000))
        run = self.backup()
        out = self.dir / "out"
        # Byte 13 is the version, 14 the flags. Only a record has no sum that is looked at first.
        for pattern, at, message in (
                ("data/*/*/v*", -20, "v000000 is damaged"),
                ("data/*/*/i*", -20, "i000000 is damaged"),
                ("runs/*/*", -20, "frames are damaged"), ("runs/*/*", 12, "of another kind"),
                ("runs/*/*", 13, "has version 2"), ("runs/*/*", 14, "is encrypted")):
            with self.subTest(object=pattern, at=at):
                (path,) = self.objects(pattern)
                good = path.read_bytes()
                data = bytearray(good)
                data[at] += -1 if data[at] == 255 else 1
                path.write_bytes(data)
                self.assertRegex(self.second_reader(run, out, 1), message)
                path.write_bytes(good)
                subprocess.run(["rm", "-rf", out], check=True)
        self.second_reader(run, out)

    def test_a_sparse_file_stays_sparse(self):
        self.init()
        with open(self.source / "sparse", "wb") as file:
            file.write(b"start")
            file.truncate(200 << 20)
        self.second_reader(self.backup(), self.dir / "out")
        self.assertLess((self.dir / "out" / "sparse").stat().st_blocks, 1000)


if __name__ == "__main__":
    if not machine.ROTA:
        sys.exit("set ROTA to the path of the program")
    if given := [word for word in sys.argv[1:] if word.isdigit()]:
        seeds = [int(word) for word in given]
        sys.argv = [word for word in sys.argv if word not in given]
    unittest.main()
