#!/usr/bin/env python3
"""The trees that the benchmarks back up, made from a seed: every machine has the same.

    corpus.py ROOT make S|D|M [--scale X]    make it anew
    corpus.py ROOT change S|D|DC|M           the next version: 1 % of it is changed
    corpus.py ROOT revert S|D|DC|M           back to the first version

S   a server: 77,000 files, 1.4 GB: texts, programs, compressed files, uploads, logs
D   a database dump of 1 GiB; next version: 1 % of its rows changed everywhere, 1 % appended
DC  the same dump; next version: the same share changed in 20 places, 1 % appended
M   100,000 small JSON files

S is changed in place, so that what did not change keeps its inode and ctime, as on a server.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess

SEED = 20240601
OLD = 1_704_110_400  # 2024-01-01T12:00:00Z: the files of a server were not written just now
WORDS = 4000  # of the language that texts are made of


class Pool:
    """Bytes of one kind, given out piece by piece and never the same twice: when they are used up,
    they come again in another alphabet, which nothing matches and which packs as well."""

    def __init__(self, rand, data, alphabet):
        self.random, self.data, self.alphabet = rand, data, alphabet
        self.now, self.at = data, 0

    def take(self, count):
        parts = []
        while count > 0:
            if self.at == len(self.now):
                letters = list(self.alphabet)
                self.random.shuffle(letters)
                table = bytes.maketrans(bytes(self.alphabet), bytes(letters))
                self.now, self.at = self.data.translate(table), 0
            part = self.now[self.at:self.at + count]
            self.at += len(part)
            count -= len(part)
            parts.append(part)
        return b"".join(parts)


def text_pool(rand, size):
    """Words as often as in a language, in lines with punctuation: zstd packs them to a third."""
    letters = bytes(range(97, 123))
    words = [bytes(rand.choices(letters, k=rand.choice((2, 3, 4, 5, 6, 7, 9, 11)))) for _ in
             range(WORDS)]
    words = [word + rand.choice((b" ", b" ", b" ", b" ", b", ", b".\n", b"(", b" = ", b"\n    "))
             for word in words]
    weights = [1 / (rank + 3) for rank in range(WORDS)]
    data = bytearray()
    while len(data) < size:
        data += b"".join(rand.choices(words, weights, k=100_000))
    return Pool(rand, bytes(data[:size]), letters)


def binary_pool(rand, size):
    """Instructions, tables and zeros, as in programs: packs to less than half."""
    codes = [rand.randbytes(rand.choice((4, 6, 8, 12, 16))) for _ in range(6000)]
    codes += [bytes(rand.choice((8, 16, 64)))] * 40
    weights = [1 / (rank + 20) for rank in range(len(codes))]
    data = bytearray()
    while len(data) < size:
        data += b"".join(rand.choices(codes, weights, k=20_000)) + rand.randbytes(9_000)
    return Pool(rand, bytes(data[:size]), bytes(range(1, 256)))


def settle(top):
    """Gives everything an old time."""
    for directory, names, files in os.walk(top, topdown=False):
        for name in names + files:
            os.utime(os.path.join(directory, name), (OLD, OLD), follow_symlinks=False)
    os.utime(top, (OLD, OLD))


# ---- S ----

def make_s(root, scale):
    rand = random.Random(SEED)
    top = root / "S"
    text, binary = text_pool(rand, 48 << 20), binary_pool(rand, 32 << 20)

    def directories(base, count):
        made = []
        for _ in range(max(2, int(count * scale))):
            parent = rand.choice(made) if made and rand.random() < 0.7 else top / base
            if len(parent.parts) > len(top.parts) + 8:
                parent = top / base
            made.append(parent / f"{rand.choice('abcdefghijklm')}{len(made):05}")
            made[-1].mkdir(parents=True)
        return made

    def files(base, many, count, median, spread, suffix, data):
        places = directories(base, many)
        for number in range(int(count * scale)):
            size = min(int(median * rand.lognormvariate(0, spread)), 40 << 20)
            (rand.choice(places) / f"f{number:06}{suffix}").write_bytes(data(size))
        for number in range(int(count * scale) // 15):
            os.symlink(f"../target{number}", rand.choice(places) / f"link{number}")

    files("usr/lib/python3", 7_000, 40_000, 4_200, 1.2, ".py", text.take)
    files("usr/share/doc", 5_000, 17_000, 4_500, 1.3, ".txt", text.take)
    files("usr/share/man", 300, 12_000, 2_500, 0.9, ".gz", rand.randbytes)
    files("usr/lib/x86_64-linux-gnu", 600, 3_600, 45_000, 1.5, ".so", binary.take)
    files("etc", 500, 2_500, 700, 1.2, ".conf", text.take)
    files("srv/app/media", 40, 1_250, 100_000, 0.7, ".jpg", rand.randbytes)
    make_logs(top / "var/log/app", rand, scale)
    make_odd(top / "srv/app/odd", rand, text)
    settle(top)


def log_lines(rand, count, start):
    names = ("cart", "search", "login", "order", "static", "image", "api", "account")
    for _ in range(count):
        start += rand.randrange(5)
        yield (f"10.{rand.randrange(4)}.{rand.randrange(256)}.{rand.randrange(256)} - - [{start}] "
               f"\"GET /{rand.choice(names)}/{rand.getrandbits(20)} HTTP/1.1\" "
               f"{rand.choice((200, 200, 200, 304, 404))} {rand.randrange(90_000)}\n")


def make_logs(top, rand, scale):
    top.mkdir(parents=True)
    for number in range(28):
        with open(top / f"access.log.{number:02}", "w", encoding="ascii") as file:
            file.writelines(log_lines(rand, int(58_000 * scale), OLD + number * 86_400))


def make_odd(top, rand, text):
    """Hard links, attributes, holes, names."""
    top.mkdir(parents=True)
    for number in range(200):
        (top / f"f{number}").write_bytes(text.take(600))
        os.link(top / f"f{number}", top / f"hard{number}")
        if number < 20:
            os.setxattr(top / f"f{number}", "user.note", b"note %d" % number)
    with open(top / "sparse.img", "wb") as file:
        file.truncate(32 << 20)
        file.seek(16 << 20)
        file.write(rand.randbytes(65_536))
    for name in ("with space", "with\nnewline", "ünïcode", "-dash"):
        (top / name).write_text(name, encoding="utf-8")


def change_s(root):
    """0.5 % each appended to, edited, added, deleted and touched, 0.2 % renamed; four logs grow."""
    top, kept = root / "S", root / "S.kept"
    rand = random.Random(SEED + 1)
    candidates = sorted(path for path in top.rglob("*") if path.is_file() and
                        not path.is_symlink() and path.stat().st_nlink == 1 and
                        "var/log/app" not in str(path))
    share = max(1, len(candidates) // 200)
    chosen = rand.sample(candidates, 5 * share + max(1, len(candidates) // 500))
    groups = [chosen[n * share:(n + 1) * share] for n in range(5)] + [chosen[5 * share:]]
    appended, edited, beside, deleted, touched, renamed = groups
    logs = sorted((top / "var/log/app").iterdir())[:4]
    kept.mkdir()
    added = [path.with_name(path.name + ".new") for path in beside]
    moved = [(path, path.with_name(path.name + ".renamed")) for path in renamed]
    changed = appended + edited + deleted + touched + logs
    # What is to be undone is written down before anything is done.
    plan = {"kept": [str(path) for path in changed], "added": [str(path) for path in added],
            "renamed": [[str(old), str(new)] for old, new in moved],
            "directories": sorted({str(path.parent) for path in chosen + logs})}
    (root / "S.plan.json").write_text(json.dumps(plan), encoding="utf-8")
    for number, path in enumerate(changed):
        shutil.copy2(path, kept / str(number))
    words = b"changed by the benchmark %d times or so, in words and numbers\n"
    for path in appended:
        with open(path, "ab") as file:
            file.write(b"".join(words % rand.getrandbits(20) for _ in range(40)))
    for path in edited:
        size = path.stat().st_size
        with open(path, "r+b") as file:
            file.seek(size // 2)
            file.write(rand.randbytes(max(1, min(size // 10, 65_536))))
    for path in added:
        path.write_bytes(b"".join(words % rand.getrandbits(20) for _ in
                                  range(rand.randrange(3, 400))))
    for path in deleted:
        path.unlink()
    for path in touched:
        os.utime(path, (OLD + 1_000_000, OLD + 1_000_000))
    for old, new in moved:
        old.rename(new)
    for path in logs:
        with open(path, "a", encoding="ascii") as file:
            file.writelines(log_lines(rand, 20_000, OLD + 9_000_000))


def revert_s(root):
    plan = root / "S.plan.json"
    if not plan.exists():
        return
    done = json.loads(plan.read_text(encoding="utf-8"))
    for path in done["added"]:
        os.unlink(path)
    for old, new in done["renamed"]:
        os.rename(new, old)
    for number, path in enumerate(done["kept"]):
        shutil.copy2(root / "S.kept" / str(number), path)
    for path in done["directories"]:
        os.utime(path, (OLD, OLD))
    shutil.rmtree(root / "S.kept")
    plan.unlink()


# ---- D and DC ----

def dump_row(rand, number, note="\\N"):
    bits = rand.getrandbits(64)
    words = ("order", "payment", "invoice", "shipped", "closed", "refund", "street", "market",
             "north", "river", "stone", "cloud", "amber", "delta", "garden", "paper")
    return (f"{number}\t{words[bits & 15]}.{bits >> 5 & 0xfffff:x}@example.org\t2023-"
            f"{1 + (bits >> 25) % 12:02}-{1 + (bits >> 29) % 28:02} {(bits >> 34) % 24:02}:"
            f"{(bits >> 39) % 60:02}:{(bits >> 45) % 60:02}.{bits >> 44 & 0xfffff:06}+00\t"
            f"{'tf'[bits & 1]}\t{(bits >> 20) % 100000 / 100}\t{words[bits >> 10 & 15]} "
            f"{words[bits >> 15 & 15]} {words[bits >> 21 & 15]} {words[bits >> 27 & 15]} "
            f"{words[bits >> 33 & 15]} {words[bits >> 49 & 15]}\t"
            f"{bits * 0x9E3779B97F4A7C15 & 0xffffffffffffffff:016x}\t{note}\n")


def make_d(root, scale):
    """Three versions side by side; the live one is renamed into D/ and never written."""
    rand, other = random.Random(SEED + 2), random.Random(SEED + 3)
    size = int((1 << 30) * scale)
    cluster = max(100, size // 150 // 20)
    hold = root / "D.hold"
    hold.mkdir()
    (root / "D").mkdir()
    names = ("first", "everywhere", "clusters")
    files = [open(hold / name, "w", encoding="ascii") for name in names]
    first, everywhere, clusters = ([] for _ in names)
    number = total = 0
    while total < size:
        row = dump_row(rand, number)
        total += len(row)
        chance = other.random()
        first.append(row)
        everywhere.append(row if chance >= 0.005 else row[:-3] + f"updated {int(chance * 1e9)}\n")
        if 0.005 <= chance < 0.01:
            everywhere.append(dump_row(other, number + 500_000_000))
        clusters.append(row if number % cluster >= cluster // 100 else
                        row[:-3] + f"updated {int(chance * 1e9)}\n")
        number += 1
        if number % 100_000 == 0 or total >= size:
            for rows, file in zip((first, everywhere, clusters), files):
                file.writelines(rows)
                rows.clear()
    for row in (dump_row(other, number + n) for n in range(number // 100)):
        files[1].write(row)
        files[2].write(row)
    for n, file in enumerate(files):
        file.close()
        os.utime(file.name, (OLD + n * 86_400,) * 2)
    show_dump(root, "first")


def show_dump(root, name):
    state, live = root / "D.shown", root / "D" / "dump.sql"
    if state.exists():
        os.rename(live, root / "D.hold" / state.read_text(encoding="ascii"))
    os.rename(root / "D.hold" / name, live)
    state.write_text(name, encoding="ascii")


# ---- M ----

def make_m(root, scale):
    rand = random.Random(SEED + 4)
    pool = b"".join(b'{"id": %d, "name": "%s", "tag": %d},\n' % (
        rand.getrandbits(32), rand.choice((b"order", b"invoice", b"refund", b"street")),
        rand.getrandbits(9)) for _ in range(20_000))
    places = max(2, int(2_000 * scale))
    for number in range(places):
        (root / "M" / f"{number // 100:02}" / f"{number % 100:02}").mkdir(parents=True)
    for number in range(int(100_000 * scale)):
        place = number % places
        at, size = rand.randrange(len(pool) - 4_096), rand.randrange(4_097)
        path = root / "M" / f"{place // 100:02}" / f"{place % 100:02}" / f"{number:06x}.json"
        path.write_bytes(pool[at:at + size])
    settle(root / "M")


def change_m(root):
    rand = random.Random(SEED + 5)
    for path in rand.sample(sorted((root / "M").rglob("*.json")), 100):
        path.with_name(path.name + ".new").write_bytes(rand.randbytes(300))


def revert_m(root):
    for path in (root / "M").rglob("*.new"):
        path.unlink()


# ---- commands ----

MAKE = {"S": make_s, "D": make_d, "M": make_m}
CHANGE = {"S": change_s, "M": change_m, "D": lambda root: show_dump(root, "everywhere"),
          "DC": lambda root: show_dump(root, "clusters")}
REVERT = {"S": revert_s, "M": revert_m, "D": lambda root: show_dump(root, "first"),
          "DC": lambda root: show_dump(root, "first")}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("verb", choices=("make", "change", "revert"))
    parser.add_argument("corpus", choices=("S", "D", "DC", "M"))
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    if options.verb == "make":
        kind = options.corpus[0]
        subprocess.run(["rm", "-rf"] + [str(options.root / f"{kind}{end}") for end in
                                        ("", ".hold", ".shown", ".kept", ".plan.json")], check=True)
        options.root.mkdir(parents=True, exist_ok=True)
        MAKE[kind](options.root, options.scale)
    elif options.verb == "change":
        CHANGE[options.corpus](options.root)
    else:
        REVERT[options.corpus](options.root)


if __name__ == "__main__":
    main()
