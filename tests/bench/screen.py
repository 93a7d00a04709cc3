#!/usr/bin/env python3
"""How long the screen takes to start, and for a frame, with 40 disks and 10 years of history,
and in a directory of 100,000 names.

ROTA names the program rota; rota-tui and test_tui lie beside it. The ledger is made by the second
writer of its format, tests/system/cli_disks.py, and taken in by rota itself.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
sys.dont_write_bytecode = True
from cli_disks import DAY, History  # noqa: E402  (its folder is named above)

DISKS, YEARS, SETS = 40, 10, 5
ROTA = os.environ["ROTA"]


def history(now):
    """Five sets of eight disks, each set monthly: 600 plug-ins, copied and carried away."""
    made = History()
    for number in range(DISKS):
        made.disk(f"D{number}", now - YEARS * 365 * DAY)
    for month in range(YEARS * 12, 0, -1):
        for chosen in range(SETS):
            disk = f"D{chosen * (DISKS // SETS) + month % (DISKS // SETS)}"
            at = now - month * 30 * DAY
            for step in range(12):
                made.seen(disk, "copying", at + step * 600)
            made.copy(disk, at)
            made.seen(disk, "sealed", at + 9000)
            made.seen(disk, "safe to remove", at + 9100)
            made.seen(disk, "away", at + 10000)
            made.claim(disk, "in transit out", at + DAY, "bank", "jo")
            made.claim(disk, "off site", at + 2 * DAY, "bank", "jo")
    return made


def fastest(words, env, times=7):
    best = None
    for _ in range(times):
        begin = time.perf_counter()
        subprocess.run(words, env=env, check=True, stdout=subprocess.DEVNULL)
        took = (time.perf_counter() - begin) * 1000
        best = took if best is None else min(best, took)
    return best


def main():
    with tempfile.TemporaryDirectory(prefix="rota-bench-") as place:
        env = {**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8"}
        for name in ("CONFIG", "STATE", "CACHE", "RUN"):
            env[f"ROTA_{name}_DIR"] = f"{place}/{name}"
        (pathlib.Path(place) / "source").mkdir()
        names = [f"D{number}" for number in range(DISKS)]
        made = history(int(time.time()))
        ledger = pathlib.Path(place) / "ledger.json"
        ledger.write_text(made.text(), encoding="utf-8")
        quiet = {"env": env, "check": True, "stdout": subprocess.DEVNULL}
        subprocess.run([ROTA, "init", "main", "--source", f"{place}/source", "--target",
                        f"file://{place}/store"], **quiet)
        sets = "".join(f"[set.s{i}]\ndisks = {names[i * 8:i * 8 + 8]}\n".replace("'", '"')
                       for i in range(SETS))
        (pathlib.Path(place) / "CONFIG" / "rotation.toml").write_text(sets, encoding="utf-8")
        subprocess.run([ROTA, "ledger", "rebuild", str(ledger)], **quiet)
        tui = os.path.join(os.path.dirname(ROTA), "rota-tui")
        start = fastest([tui, "--snapshot", "120x40"], env)
        kept = f"{place}/recording"
        subprocess.run([tui, "--record", kept], **quiet)
        print(f"{DISKS} disks, {YEARS} years, {len(made.rows)} rows of history")
        print(f"start to first frame  {start:6.1f} ms")
        frame = subprocess.run([os.path.join(os.path.dirname(ROTA), "test_tui"), "[frame],[files]"],
                               env={**env, "ROTA_RECORDING": kept}, check=True, text=True,
                               stdout=subprocess.PIPE).stdout
        print("".join(line + "\n" for line in frame.splitlines() if line.endswith(" ms")))


if __name__ == "__main__":
    main()
