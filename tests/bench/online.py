#!/usr/bin/env python3
"""Measures backups to Backblaze B2's native API, against the tests' own server on loopback.

    online.py [--size MB] [--rounds N]        (ROTA names the program)

Each round backs the same incompressible tree up three times, each into a new bucket: into a
directory, over HTTP, and over HTTP with 50 ms added to every answer. Seconds are wall time; the
server runs beside rota on the same machine, and takes its share. See docs/benchmarks.md.
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
import urllib.request

FAKE = pathlib.Path(__file__).resolve().parent.parent / "support" / "b2_fake.py"
LATENCY_MS = 50


class Server:
    def __init__(self, place):
        self.process = subprocess.Popen([sys.executable, "-B", FAKE, "--directory", place],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().split()[1]}"
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def control(self, **orders):
        request = urllib.request.Request(self.url + "/_control", json.dumps(orders).encode())
        with self.opener.open(request) as answer:
            return json.load(answer)

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


class Bench:
    def __init__(self, place, size):
        self.place, self.number = place, 0
        self.rota = os.environ["ROTA"]
        self.source = place / "source"
        self.source.mkdir()
        rand = random.Random(1)
        # In small pieces: a child's peak memory begins at what this process has when it starts it.
        for number in range(8):
            with open(self.source / f"file{number}", "wb") as file:
                for _ in range(size // 8):
                    file.write(rand.randbytes(1_000_000))
        credentials = place / "b2.toml"
        credentials.touch(mode=0o600)
        credentials.write_text('key_id = "masterkeyid"\nkey = "mastersecret"\n', encoding="ascii")
        self.credentials = credentials
        (place / "served").mkdir()
        self.server = Server(place / "served")

    def run(self, *words, env):
        start = time.monotonic()
        process = subprocess.Popen([self.rota, *words], env=env)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        if status != 0:
            sys.exit(f"rota {' '.join(map(str, words))} failed")
        return seconds, used.ru_maxrss * 1024

    def full(self, latency):
        """Seconds and bytes of memory of a full; latency: in milliseconds, None for a directory."""
        self.number += 1
        here = self.place / f"round{self.number}"
        env = {**os.environ, **{f"ROTA_{name}_DIR": str(here / name)
                                for name in ("CONFIG", "STATE", "CACHE")}}
        target = f"file://{here}/store"
        if latency is not None:
            bucket = f"bucket-{self.number}"
            self.server.control(bucket={"name": bucket}, latency_ms=latency, reset=True)
            target = f"b2://{bucket}/srv"
        subprocess.run([self.rota, "init", "bench", "--source", self.source, "--target", target,
                        "--credentials", self.credentials], env=env, check=True,
                       stdout=subprocess.DEVNULL)
        with open(here / "CONFIG/bench/profile.toml", "a", encoding="utf-8") as profile:
            profile.write(f'b2.api_url = "{self.server.url}"\n')
        result = self.run("backup", "bench", env=env)
        shutil.rmtree(here)
        return result


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=500, help="MB of the tree (default: 500)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        bench = Bench(pathlib.Path(place), options.size)
        kinds = {"directory": None, "B2": 0, f"B2, {LATENCY_MS} ms": LATENCY_MS}
        rows = {kind: [] for kind in kinds}
        for _ in range(options.rounds):
            for kind, latency in kinds.items():
                rows[kind].append(bench.full(latency))
        bench.server.end()
    print("| full of incompressible data | s | MB/s | memory MB | of the speed without latency |")
    print("| --- | --: | --: | --: | --: |")
    for kind, results in rows.items():
        seconds = statistics.median(result[0] for result in results)
        memory = max(result[1] for result in results) / 1_000_000
        ratio = statistics.median(fast[0] / slow[0] for fast, slow in zip(rows["B2"], results))
        of_fast = f"{ratio:.2f}" if kind.startswith("B2,") else ""
        print(f"| {kind} | {seconds:.2f} | {options.size / seconds:.0f} | {memory:.0f} | {of_fast} |")


if __name__ == "__main__":
    main()
