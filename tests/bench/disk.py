#!/usr/bin/env python3
"""Measures copies to a rotation disk beside cp and rsync, on one loop-mounted ext4 image.

    disk.py CORPUS [--rounds N] [--size GB]        (ROTA names the program; root)

CORPUS: a directory such as `corpus.py DIR make S` makes; a copy of it is changed. The image lies beside
it. Each round takes, in this order and each cold unless said: a first copy by cp -a, rsync and rota; a
copy with nothing changed by cp -al (which reads no source), rsync --link-dest and rota, warm; one with 1 %
of the files changed by rsync --link-dest and rota. Seconds are wall time up to durable (sync, or the end
of rota's step); rota's read-back stands in a row of its own. See docs/benchmarks.md.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROTA = os.environ["ROTA"]
COPIES = ("survey", "copy", "sync")


def run(*argv, **more):
    subprocess.run([os.fspath(a) for a in argv], check=True, **more)


def drop_caches():
    run("sync")
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3", encoding="ascii")


class Bench:
    def __init__(self, place, corpus, size):
        self.place = place
        self.source = place / "source"
        run("cp", "-a", corpus, self.source)
        self.env = {**os.environ, **{f"ROTA_{name}_DIR": str(place / name)
                                     for name in ("CONFIG", "STATE", "CACHE", "RUN")}}
        self.rota("init", "bench", "--source", self.source, "--target", f"file://{place}/store")
        (place / "CONFIG/rotation.toml").write_text(
            '[set.bench]\nreserve = "1M"\n', encoding="ascii")
        self.image = place / "disk.img"
        with open(self.image, "wb") as file:  # written once: a first touch is slower than all others
            block = bytes(1 << 20)
            for _ in range(size << 10):
                file.write(block)
        self.node = subprocess.run(["losetup", "--find", "--show", "--partscan", self.image],
                                   check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        self.rota("disk", "prepare", self.node, "--name", "BENCH", "--yes", "--allow-fixed")
        self.mnt = place / "mnt"
        self.mnt.mkdir()
        self.rows = {}

    def rota(self, *words):
        run(ROTA, *words, env=self.env, stdout=subprocess.DEVNULL)

    def note(self, case, who, seconds):
        self.rows.setdefault((case, who), []).append(seconds)
        print(f"{case}: {who}: {seconds:.2f} s", file=sys.stderr)

    def attach(self, case):
        """rota's own copy, step by step as its events arrive."""
        with subprocess.Popen([ROTA, "disk", "attach", "BENCH", "--json", "--keep-power",
                               "--scrub", "0s"],
                              env=self.env, stdout=subprocess.PIPE, text=True) as process:
            begun, seconds = time.monotonic(), {}
            for line in process.stdout:
                event, now = json.loads(line), time.monotonic()
                if event["state"] == "begins":
                    begun = now
                elif event["state"] == "done" and event["step"] in (*COPIES, "read back"):
                    seconds[event["step"]] = now - begun
        if process.returncode not in (0, 3):
            sys.exit("rota disk attach failed")
        self.note(case, "rota", sum(seconds[step] for step in COPIES))
        self.note(case, "rota: read back", seconds["read back"])

    def other(self, case, who, *argv):
        """Another program, onto the same filesystem, mounted as everybody would."""
        run("mount", self.node + "p1", self.mnt)
        begun = time.monotonic()
        run(*argv)
        run("sync", "--file-system", self.mnt)
        self.note(case, who, time.monotonic() - begun)
        run("umount", self.mnt)

    def change(self, share):
        files = [path for path in self.source.rglob("*") if path.is_file() and
                 not path.is_symlink()]
        rand = random.Random(time.time())
        for path in rand.sample(files, len(files) // share):
            with open(path, "ab") as file:
                file.write(rand.randbytes(100))

    def round(self, number):
        top, source = self.mnt / f"other{number}", f"{self.source}/"
        rsync = ("rsync", "-aHAX", "--numeric-ids")
        first = "first copy, cold"
        drop_caches()
        self.other(first, "cp -a", "cp", "-a", self.source, f"{top}-cp")
        drop_caches()
        self.other(first, "rsync", *rsync, source, f"{top}-1/")
        if number == 0:
            drop_caches()
            self.attach(first)
        time.sleep(2.5)  # what changed in the instant of a copy would be read again
        same = "nothing changed, warm"
        run("find", self.source, "-printf", "%s%T@", stdout=subprocess.DEVNULL)
        self.other(same, "cp -al", "cp", "-al", f"{top}-cp", f"{top}-al")
        self.other(same, "rsync --link-dest", *rsync, f"--link-dest={top}-1", source, f"{top}-2/")
        self.attach(same)
        self.change(100)
        time.sleep(2.5)
        changed = "1 % changed, warm"
        self.other(changed, "rsync --link-dest", *rsync, f"--link-dest={top}-2", source,
                   f"{top}-3/")
        self.attach(changed)

    def end(self):
        run("losetup", "--detach", self.node)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--size", type=int, default=20, help="GB of the image (default: 20)")
    options = parser.parse_args()
    place = pathlib.Path(tempfile.mkdtemp(dir=options.corpus.resolve().parent))
    bench = None
    try:
        bench = Bench(place, options.corpus, options.size)
        for number in range(options.rounds):
            bench.round(number)
    finally:
        if bench is not None:
            bench.end()
        shutil.rmtree(place)
    print("| copy to a disk | by | s | rota to it |\n| --- | --- | --: | --: |")
    median = {key: statistics.median(values) for key, values in bench.rows.items()}
    for (case, who), seconds in median.items():
        ratio = "" if who.startswith("rota") else f"{median[case, 'rota'] / seconds:.2f} ×"
        print(f"| {case} | {who} | {seconds:.2f} | {ratio} |")


if __name__ == "__main__":
    main()
