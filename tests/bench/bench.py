#!/usr/bin/env python3
"""Measures rota and the programs that one would use instead: see docs/benchmarks.md.

Every task is run by one program after the other, A B C, and again A B C in the next round, so that
what else the machine does hits all of them. Seconds are wall time until all is durable (the store's
file system is synced inside it); a program's memory is that of its largest process. Ratios are
medians of the ratios within one round.
"""

import argparse
import collections
import json
import os
import pathlib
import resource
import shlex
import statistics
import subprocess
import sys
import time

import contenders

HERE = pathlib.Path(__file__).resolve().parent
DROP = "/proc/sys/vm/drop_caches"
MB = 1_000_000


def say(text):
    print(text, file=sys.stderr, flush=True)


def can_drop_caches():
    return os.access(DROP, os.W_OK)


def drop_caches():
    subprocess.run(["sync"], check=True)
    with open(DROP, "w", encoding="ascii") as file:
        file.write("3")


def read_all(top):
    subprocess.run(f"find {shlex.quote(str(top))} -type f -print0 | xargs -0 cat > /dev/null",
                   shell=True, check=True)


def stored_bytes(store):
    return sum(path.lstat().st_size for path in store.rglob("*") if path.is_file())


class Contender:
    """A program with its store of one round and corpus."""

    def __init__(self, name, place, source):
        self.name, self.source, self.number = name, source, 0
        self.store, self.cache, self.out = place / "store", place / "cache", place / "out"
        self.store.mkdir(parents=True)
        self.cache.mkdir()
        self.bytes = 0
        self.log = place / "log"
        if "prepare" in contenders.CONTENDERS[name]:
            self.run(contenders.CONTENDERS[name]["prepare"], "")
            self.bytes = stored_bytes(self.store)

    def run(self, template, one):
        """Returns wall and CPU seconds and the largest process's bytes."""
        fields = {"src": self.source, "store": self.store, "cache": self.cache, "out": self.out,
                  "one": one, "n": self.number}
        env = dict(os.environ)
        for key, value in contenders.CONTENDERS[self.name].get("env", {}).items():
            env[key] = value.format(**fields)
        with open(self.log, "ab") as log:
            start = time.monotonic()
            with subprocess.Popen(["bash", "-o", "pipefail", "-c", template.format(**fields)],
                                  env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as it:
                _, status, used = os.wait4(it.pid, 0)
                it.returncode = os.waitstatus_to_exitcode(status)
            subprocess.run(["sync", "-f", self.store], check=True)
            wall = time.monotonic() - start
        if it.returncode != 0:
            sys.exit(f"{self.name} failed with {it.returncode}: {template.format(**fields)}\n"
                     f"{self.log.read_text(errors='replace')[-2000:]}")
        return wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024

    def measure(self, task, one):
        # A new place each time, removed at the end only: ext4 searches long for a free inode while
        # many were deleted in the last half minute.
        self.out = self.out.with_name(f"out-{task}-{self.number}")
        if task in ("nothing", "change"):
            self.number += 1
        wall, cpu, memory = self.run(contenders.command(self.name, task), one)
        after = stored_bytes(self.store) if task in ("full", "nothing", "change") else self.bytes
        added, self.bytes = after - self.bytes, after
        return {"seconds": wall, "cpu": cpu, "memory": memory, "stored": added}


class Bench:
    def __init__(self, options):
        self.options = options
        self.corpora = options.scratch / "corpora"
        self.rows = []
        if options.results and options.results.exists():
            self.rows = json.loads(options.results.read_text(encoding="utf-8"))

    def corpus(self, verb, name, *more):
        # Another process: a child's peak memory begins at its parent's.
        subprocess.run([sys.executable, "-B", HERE / "corpus.py", self.corpora, verb, name, *more],
                       check=True)

    def source(self, corpus):
        return self.corpora / corpus[0]

    def one(self, corpus):
        """A file to fetch: in the middle of the tree."""
        if corpus != "S":
            return ""
        files = sorted(path for path in (self.source("S") / "usr/lib/python3").rglob("*.py"))
        return str(files[len(files) // 2].relative_to(self.source("S")))

    def keep(self, row):
        self.rows.append(row)
        if self.options.results:  # at once: a long measurement may be cut short
            self.options.results.write_text(json.dumps(self.rows, indent=1), encoding="utf-8")

    def run(self):
        wanted = self.options.corpora.split(",")
        for kind in dict.fromkeys(name[0] for name in wanted):
            if not self.source(kind).exists():
                say(f"making {kind}")
                self.corpus("make", kind, "--scale", str(self.options.scale))
        first = 1 + max((row["round"] for row in self.rows), default=-1)
        for number in range(first, first + self.options.rounds):
            for corpus in wanted:
                self.round(corpus, number)

    def round(self, corpus, number):
        tasks = [task for task in contenders.TASKS if task[0] == corpus]
        beside = dict.fromkeys(name for task in tasks for name in task[3])
        names = ["rota"] + [name for name in beside if contenders.installed(name) and
                            name in self.options.beside.split(",")]
        place = self.options.scratch / "stores"
        subprocess.run(["rm", "-rf", place], check=True)
        self.corpus("revert", corpus)
        all_of_them = {name: Contender(name, place / name, self.source(corpus)) for name in names}
        one = self.one(corpus)
        for turn, (_, task, cache, others) in enumerate(tasks):
            if task == "change":
                self.corpus("change", corpus)
            if cache == "warm":
                read_all(self.source(corpus))
            order = [name for name in ("rota", *others) if name in names]
            first = (turn + number) % len(order)
            for name in order[first:] + order[:first]:
                time.sleep(1.1)  # some name their runs by the second
                subprocess.run(["sync"], check=True)
                if cache == "cold" and can_drop_caches():
                    drop_caches()
                row = all_of_them[name].measure(task, one)
                row.update(corpus=corpus, task=task, cache=cache, name=name, round=number)
                self.keep(row)
                say(f"{corpus} {task} {cache}, round {number + 1}: {name} {row['seconds']:.2f} s, "
                    f"CPU {row['cpu']:.2f} s, {row['memory'] / MB:.0f} MB of memory, "
                    f"{row['stored'] / MB:.2f} MB stored")
        self.corpus("revert", corpus)
        subprocess.run(["rm", "-rf", place], check=True)


# ---- tables ----

WHAT = {"full": "full", "nothing": "nothing changed", "change": "1 % changed",
        "restore": "restore", "one": "one file", "verify": "verify, all data read"}


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def table(rows):
    """Markdown: every program's numbers, and rota's time as a part of each."""
    groups = collections.defaultdict(list)
    for row in rows:
        groups[row["corpus"], row["task"], row["cache"], row["name"]].append(row)
    yield "| task | program | s | CPU s | memory MB | stored MB | rota takes |"
    yield "| --- | --- | --: | --: | --: | --: | --: |"
    for corpus, task, cache, others in contenders.TASKS:
        title = f"{corpus} {WHAT[task]}, {cache}"
        for name in ("rota", *others):
            group = groups.get((corpus, task, cache, name))
            if not group:
                continue
            part = ratio(groups, corpus, task, cache, "seconds", name)
            stored = f"{median(group, 'stored') / MB:.2f}"
            if task not in ("full", "nothing", "change") or name == "find":
                stored = ""
            yield (f"| {title} | {name} | {median(group, 'seconds'):.2f} | "
                   f"{median(group, 'cpu'):.2f} | {median(group, 'memory') / MB:.0f} | {stored} | "
                   f"{f'{part:.2f} ×' if name != 'rota' and part else ''} |")
            title = ""


def ratio(groups, corpus, task, cache, key, other):
    """rota's as a part of the other's: the median over the rounds in which both were measured."""
    ours = {row["round"]: row[key] for row in groups.get((corpus, task, cache, "rota"), ())}
    theirs = {row["round"]: row[key] for row in groups.get((corpus, task, cache, other), ())}
    parts = [ours[n] / theirs[n] for n in ours if theirs.get(n)]
    return statistics.median(parts) if parts else None


def targets(rows):
    """Markdown: what rota is to reach, and what it does."""
    groups = collections.defaultdict(list)
    for row in rows:
        groups[row["corpus"], row["task"], row["cache"], row["name"]].append(row)
    yield "| task | to be reached | measured | |"
    yield "| --- | --- | --: | --- |"
    for corpus, task, cache, what, other, most in contenders.TARGETS:
        ours = groups.get((corpus, task, cache, "rota"))
        if not ours:
            continue
        if other:
            got = ratio(groups, corpus, task, cache,
                        "seconds" if what == "time" else "stored", other)
            wanted = f"{'time' if what == 'time' else 'stored'} ≤ {most:g} × {other}"
        elif what == "MB":
            got, wanted = median(ours, "stored") / MB, f"≤ {most:g} MB stored"
        else:
            got, wanted = median(ours, "seconds"), f"≤ {most:g} s"
        if got is None:
            continue
        yield (f"| {corpus} {WHAT[task]}, {cache} | {wanted} | {got:.2f} | "
               f"{'yes' if got <= most else 'no'} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scratch", type=pathlib.Path, required=True, help="an own directory")
    parser.add_argument("--corpora", default="S,D,DC,M")
    parser.add_argument("--beside", help="the programs to measure rota beside",
                        default=",".join(name for name in contenders.CONTENDERS if name != "rota"))
    parser.add_argument("--scale", type=float, default=1.0, help="of the corpora; 1: as described")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=pathlib.Path, 
                        help="JSON file to which rows are added; with --rounds 0 only its tables "
                        "are printed")
    parser.add_argument("--markdown", type=pathlib.Path, help="file for the tables")
    options = parser.parse_args()
    if not contenders.installed("rota"):
        sys.exit("set ROTA to the path of the program")
    for name in contenders.CONTENDERS:
        if not contenders.installed(name):
            say(f"NOT MEASURED, because it is not installed: {name}")
    if not can_drop_caches():
        say(f"NOT COLD: {DROP} cannot be written; what is called cold is whatever was cached")
    bench = Bench(options)
    if options.rounds > 0:
        bench.run()
    rows = bench.rows
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB
    text = "\n".join([*table(rows), "", *targets(rows), "",
                      f"Scale {options.scale:g}, {1 + max(row['round'] for row in rows)} round(s). "
                      f"Memory below {floor:.0f} MB cannot be seen.", ""])
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
