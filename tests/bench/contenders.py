"""The programs that are measured beside rota, and how they are called: shell commands in which
{src} is the tree, {store} the program's own store and {cache} its own directory, both there and
empty at first, {out} a path that is not there, {one} a file of the tree, {n} 0 for the full and
1, 2, … for what follows. Whoever cannot do a task leaves it out.

Only what is installed takes part. `prepare` is not measured.
"""

import os
import shutil

ROTA = os.environ.get("ROTA", "")

CONTENDERS = {
    "rota": {
        "needs": ROTA,
        "env": {"ROTA_CONFIG_DIR": "{cache}/config", "ROTA_STATE_DIR": "{cache}/state",
                "ROTA_CACHE_DIR": "{cache}/cache"},
        "prepare": f"{ROTA} init bench --source {{src}} --target file://{{store}} && "
                   "echo exclude_caches = false >> {cache}/config/bench/profile.toml",
        "full": f"{ROTA} backup bench",
        "change": f"{ROTA} backup bench",
        "restore": f"{ROTA} restore bench --to {{out}}",
        "one": f"{ROTA} fetch bench '{{one}}' {{out}}",
        "verify": f"{ROTA} verify bench --data",
    },
    # Not backup programs, but the least that a walk, and a packed stream, cost.
    "find": {
        "needs": "find",
        "nothing": "find {src} -printf '%p %s %T@ %C@ %i %m %U %G\\n' > /dev/null",
        "change": "find {src} -printf '%p %s %T@ %C@ %i %m %U %G\\n' > /dev/null",
    },
    "tar+zstd": {
        "needs": "zstd",
        "full": "tar --xattrs --acls -S -C {src} -cf - . | zstd -T0 -3 -q -o {store}/{n}.tar.zst",
        "restore": "mkdir {out} && "
                   "zstd -dcq {store}/0.tar.zst | tar --xattrs --acls -C {out} -xf -",
        "verify": "zstd -tq {store}/0.tar.zst",
    },
    "restic": {
        "needs": "restic",
        "env": {"RESTIC_PASSWORD": "x", "RESTIC_CACHE_DIR": "{cache}",
                "RESTIC_REPOSITORY": "{store}"},
        "prepare": "restic -q init",
        "full": "restic -q backup {src}",
        "change": "restic -q backup {src}",
        "restore": "restic -q restore latest --target {out}",
        "one": "restic -q dump latest '{src}/{one}' > {out}",
        "verify": "restic -q check --read-data",
    },
    "borg": {
        "needs": "borg",
        "env": {"BORG_BASE_DIR": "{cache}", "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
                "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes"},
        "prepare": "borg init -e none {store}/r",
        "full": "cd {src} && borg create -C zstd,3 {store}/r::n{n} .",
        "change": "cd {src} && borg create -C zstd,3 {store}/r::n{n} .",
        "restore": "mkdir {out} && cd {out} && borg extract {store}/r::n{n}",
        "one": "mkdir {out} && cd {out} && borg extract {store}/r::n{n} '{one}'",
        "verify": "borg check --verify-data {store}/r",
    },
    "duplicity": {
        "needs": "duplicity",
        "full": "duplicity full --no-encryption --archive-dir {cache} --tempdir {cache} --name b "
                "{src} file://{store}",
        "change": "duplicity incr --no-encryption --archive-dir {cache} --tempdir {cache} --name b "
                  "{src} file://{store}",
        "restore": "duplicity restore --no-encryption --archive-dir {cache} --tempdir {cache} "
                   "--name b file://{store} {out}",
        "one": "duplicity restore --no-encryption --archive-dir {cache} --tempdir {cache} --name b "
               "--file-to-restore '{one}' file://{store} {out}",
        "verify": "duplicity verify --compare-data --no-encryption --archive-dir {cache} "
                  "--tempdir {cache} --name b file://{store} {src}",
    },
}

# (corpus, task, cache, whom to measure beside rota): those that a target names, and who else is
# worth its time.
TASKS = [
    ("S", "full", "cold", ("tar+zstd", "restic", "duplicity")),
    ("S", "nothing", "cold", ("find", "restic", "duplicity")),
    ("S", "nothing", "warm", ("find", "restic")),
    ("S", "change", "cold", ("find", "restic", "duplicity")),
    ("S", "restore", "cold", ("tar+zstd", "restic")),
    ("S", "one", "cold", ("restic",)),
    ("S", "verify", "cold", ("tar+zstd", "restic")),
    ("D", "full", "warm", ("tar+zstd", "borg", "restic", "duplicity")),
    ("D", "change", "warm", ("borg", "restic", "duplicity")),
    ("DC", "full", "warm", ("borg", "duplicity")),
    ("DC", "change", "warm", ("borg", "duplicity")),
    ("M", "full", "cold", ("tar+zstd", "restic")),
    ("M", "nothing", "cold", ("find", "restic")),
]

# (corpus, task, cache, what, beside whom or "", at most): a ratio to another program's, or a bound.
TARGETS = [
    ("S", "full", "cold", "time", "tar+zstd", 0.65),
    ("S", "full", "cold", "time", "restic", 0.4),
    ("S", "full", "cold", "stored", "tar+zstd", 1.02),
    ("S", "nothing", "cold", "time", "find", 1.2),
    ("S", "nothing", "warm", "time", "find", 1.2),
    ("S", "change", "cold", "time", "find", 1.4),
    ("S", "change", "cold", "stored", "duplicity", 1.0),
    ("S", "restore", "cold", "time", "tar+zstd", 0.6),
    ("S", "one", "cold", "seconds", "", 0.15),
    ("S", "verify", "cold", "time", "restic", 0.35),
    ("D", "full", "warm", "time", "borg", 0.65),
    ("D", "full", "warm", "stored", "tar+zstd", 1.02),
    ("D", "change", "warm", "time", "duplicity", 0.35),
    ("D", "change", "warm", "MB", "", 25),
    ("DC", "change", "warm", "time", "borg", 0.8),
    ("DC", "change", "warm", "MB", "", 12),
    ("M", "full", "cold", "time", "tar+zstd", 0.6),
    ("M", "full", "cold", "MB", "", 30),
    ("M", "nothing", "cold", "time", "find", 1.2),
]


def command(name, task):
    """What `name` runs for a task, or None. A run after which nothing changed is like any other."""
    table = CONTENDERS[name]
    return table.get(task) or (table.get("change") if task == "nothing" else None)


def installed(name):
    return bool(shutil.which(CONTENDERS[name]["needs"]))
