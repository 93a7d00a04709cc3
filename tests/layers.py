#!/usr/bin/env python3
"""Checks that every folder uses only the folders that it may, and that files stay small.

    tests/layers.py [ROOT]       check the tree at ROOT (default: the one this script is in)
    tests/layers.py --self-test  show that each rule finds a made-up violation

The compiler sees some of this: a folder's include path holds only what it links. But links are
passed on (labels links recovery, and with it everything below), so the includes are read here.
Exit status: 0 nothing found, 1 something found.
"""

import re
import sys
import tempfile
from pathlib import Path

# What each folder may use: the folder table of the design. From the bottom up: a row names only
# folders above it in this list.
MAY_USE = {
    "base": [],
    "profile": ["base"],
    "tree": ["base"],
    "ledger": ["base"],
    "store": ["base"],
    "rotation": ["base", "ledger"],
    "udev": ["base"],
    "status": ["base", "profile", "ledger", "rotation", "udev"],
    "chain": ["base", "tree", "store"],
    "disk": ["base", "tree", "ledger", "rotation", "udev"],
    "dump": ["base", "profile"],
}
MAY_USE["job"] = list(MAY_USE)
MAY_USE["recovery"] = list(MAY_USE)
MAY_USE["cli"] = list(MAY_USE)
MAY_USE["tui"] = ["base", "ledger", "rotation", "udev", "profile", "status"]
MAY_USE["labels"] = ["base", "ledger", "rotation", "profile", "recovery"]

TOP_LEVEL = ["udev", "tui", "labels"]  # the other folders are in src/
SUFFIXES = {".h", ".hpp", ".cpp", ".cc", ".inc"}
NOTE_LINES = 400
MOST_LINES = 600

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
CALL = re.compile(r"\b(rota_folder|target_link_libraries)\s*\(([^)]*)\)")
KEYWORDS = {"SOURCES", "USES", "LIBS"}


def folder_path(folder):
    return folder if folder in TOP_LEVEL else f"src/{folder}"


def row(folder):
    return f"{folder} may use: {', '.join(MAY_USE[folder]) or 'no other folder'}"


class Findings:
    def __init__(self):
        self.errors = []
        self.notes = []

    def error(self, where, line, text):
        self.errors.append(f"{where}:{line}: error: {text}")

    def note(self, where, line, text):
        self.notes.append(f"{where}:{line}: note: {text}")


def sources_in(directory):
    return sorted(p for p in directory.rglob("*") if p.suffix in SUFFIXES and p.is_file())


def lines_of(path):
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def includes_of(path):
    """Yields (line number, the included name, whether it stands in quotes)."""
    for number, line in enumerate(lines_of(path), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(2), match.group(1) == '"'


def check_include(found, folder, where, number, name, quoted):
    target, slash, _ = name.partition("/")
    if target not in MAY_USE or not slash:
        if quoted:  # <...> without a folder's name is a library's
            found.error(where, number, f'"{name}" does not start with the name of a folder')
    elif target != folder and target not in MAY_USE[folder]:
        found.error(where, number, f'{folder} must not include "{name}" ({row(folder)})')


def check_includes(found, root, folder):
    for path in sources_in(root / folder_path(folder)):
        where = path.relative_to(root)
        for number, name, quoted in includes_of(path):
            check_include(found, folder, where, number, name, quoted)


def check_size(found, root, path):
    count = len(lines_of(path))
    where = path.relative_to(root)
    if count > MOST_LINES:
        found.error(where, count, f"{count} lines; over {MOST_LINES} a file must be divided")
    elif count > NOTE_LINES:
        found.note(where, count, f"{count} lines; aim at fewer than {NOTE_LINES}")


def linked_words(text):
    """Yields (line number, call, word) for the words that a CMake text links to a target."""
    for call in CALL.finditer(text):
        section = None if call.group(1) == "rota_folder" else "USES"
        for position, word in enumerate(re.finditer(r"[^\s]+", call.group(2))):
            number = text.count("\n", 0, call.start(2) + word.start()) + 1
            if word.group() in KEYWORDS:
                section = word.group()
            elif position == 0:
                yield number, call.group(1), word.group(), True
            elif section in ("USES", "LIBS"):
                yield number, call.group(1), word.group(), False


def check_links(found, root, folder):
    path = root / folder_path(folder) / "CMakeLists.txt"
    if not path.exists():
        return
    where = path.relative_to(root)
    # Comments go, line ends stay, so that line numbers hold.
    text = re.sub(r"#[^\n]*", "", path.read_text(encoding="utf-8"))
    for number, call, word, is_target in linked_words(text):
        if is_target:
            if call == "rota_folder" and word != folder:
                found.error(where, number, f"rota_folder({word}) stands in the folder {folder}")
        elif word in MAY_USE and word != folder and word not in MAY_USE[folder]:
            found.error(where, number, f"{folder} must not link {word} ({row(folder)})")


def check_folders(found, root):
    """Every source belongs to a folder of the table."""
    for path in sources_in(root / "src"):
        where = path.relative_to(root)
        if where.parts[1] not in MAY_USE or where.parts[1] in TOP_LEVEL or len(where.parts) < 3:
            found.error(where, 1, "lies in no folder of the table")


def check_cycles(found, root, folder):
    """No header of a folder includes itself by way of others (#pragma once would hide it)."""
    directory = root / folder_path(folder)
    graph = {
        f"{folder}/{p.relative_to(directory).as_posix()}": list(includes_of(p))
        for p in sources_in(directory)
    }
    done = set()

    def visit(name, trail):
        if name in done:
            return
        for number, included, _ in graph[name]:
            if included == name or included in trail:
                cycle = [*trail, name]
                cycle = cycle[cycle.index(included):] + [included]
                where = Path(folder_path(folder)) / name.partition("/")[2]
                found.error(where, number, f"includes go in a circle: {' -> '.join(cycle)}")
            elif included in graph:
                visit(included, [*trail, name])
        done.add(name)

    for name in graph:
        visit(name, [])


def check(root):
    found = Findings()
    check_folders(found, root)
    for folder in MAY_USE:
        check_includes(found, root, folder)
        check_links(found, root, folder)
        check_cycles(found, root, folder)
        for path in sources_in(root / folder_path(folder)):
            check_size(found, root, path)
    return found


# ---- self-test ----


def findings_for(files):
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        return check(root)


# (what it shows, the files, the only error expected, or none)
CASES = [
    ("a clean tree",
     {"src/tree/a.h": '#pragma once\n#include <vector>\n#include "base/error.h"\n',
      "src/tree/a.cpp": '#include "tree/a.h"\n// #include "chain/run.h"\n',
      "src/tree/CMakeLists.txt": "# not chain\nrota_folder(tree SOURCES a.cpp USES base fmt::fmt)"},
     None),
    ("an include from above",
     {"src/base/a.h": '#pragma once\n\n#include "cli/main.h"\n'},
     'src/base/a.h:3: error: base must not include "cli/main.h" (base may use: no other folder)'),
    ("an include that CMake's passed-on links allow",
     {"labels/plan.cpp": '#include "job/backup_job.h"\n'},
     'labels/plan.cpp:1: error: labels must not include "job/backup_job.h" (labels may use: '
     "base, ledger, rotation, profile, recovery)"),
    ("an include in angle brackets, in a folder below",
     {"udev/linux/probe.cpp": "\n #  include <disk/disk.h>\n"},
     'udev/linux/probe.cpp:2: error: udev must not include "disk/disk.h" (udev may use: base)'),
    ("a test's header in the product",
     {"src/store/a.cpp": '#include "support/skip.h"\n'},
     'src/store/a.cpp:1: error: "support/skip.h" does not start with the name of a folder'),
    ("an include by relative path",
     {"src/store/a.cpp": '#include "../chain/run.h"\n'},
     'src/store/a.cpp:1: error: "../chain/run.h" does not start with the name of a folder'),
    ("an include without its folder",
     {"src/store/a.cpp": '#include "store.h"\n'},
     'src/store/a.cpp:1: error: "store.h" does not start with the name of a folder'),
    ("a folder linked that is not in the row",
     {"src/store/CMakeLists.txt": "# store\nrota_folder(store\n  SOURCES a.cpp\n  USES base chain)"},
     "src/store/CMakeLists.txt:4: error: store must not link chain (store may use: base)"),
    ("a folder hidden among the libraries",
     {"tui/CMakeLists.txt": "rota_folder(tui USES base LIBS chain)"},
     "tui/CMakeLists.txt:1: error: tui must not link chain (tui may use: base, ledger, rotation, "
     "udev, profile, status)"),
    ("a folder linked to a program",
     {"tui/CMakeLists.txt": "target_link_libraries(rota-tui PRIVATE base disk)"},
     "tui/CMakeLists.txt:1: error: tui must not link disk (tui may use: base, ledger, rotation, "
     "udev, profile, status)"),
    ("a target that is named after another folder",
     {"src/store/CMakeLists.txt": "rota_folder(chain USES base)"},
     "src/store/CMakeLists.txt:1: error: rota_folder(chain) stands in the folder store"),
    ("a folder that the table does not know",
     {"src/utils/a.h": "#pragma once\n"},
     "src/utils/a.h:1: error: lies in no folder of the table"),
    ("a source beside the folders",
     {"src/main.cpp": "int main() {}\n"},
     "src/main.cpp:1: error: lies in no folder of the table"),
    ("headers in a circle",
     {"src/tree/a.h": '#include "tree/b.h"\n', "src/tree/b.h": '\n#include "tree/a.h"\n'},
     "src/tree/b.h:2: error: includes go in a circle: tree/a.h -> tree/b.h -> tree/a.h"),
    ("a header that includes itself",
     {"src/tree/a.h": '#include "tree/a.h"\n'},
     "src/tree/a.h:1: error: includes go in a circle: tree/a.h -> tree/a.h"),
    ("a file that is too long",
     {"labels/a.cpp": "//\n" * (MOST_LINES + 1)},
     f"labels/a.cpp:601: error: 601 lines; over {MOST_LINES} a file must be divided"),
    ("a file that is just short enough",
     {"labels/a.cpp": "//\n" * MOST_LINES},
     None),
]


def failed_cases():
    for what, files, expected in CASES:
        got = findings_for(files).errors
        if got != ([expected] if expected else []):
            yield f"{what}: expected {expected}, found {got}"


def failed_notes():
    for count, expected in [(NOTE_LINES, 0), (NOTE_LINES + 1, 1), (MOST_LINES + 1, 0)]:
        if len(findings_for({"tui/a.h": "//\n" * count}).notes) != expected:
            yield f"a file of {count} lines: expected {expected} notes"


def failed_pairs():
    """Every pair of folders, by include and by link: an error exactly if the table forbids it."""
    for user in MAY_USE:
        for used in MAY_USE:
            expected = 0 if used == user or used in MAY_USE[user] else 1
            made_up = [
                (f"{folder_path(user)}/a.cpp", f'#include "{used}/x.h"\n'),
                (f"{folder_path(user)}/CMakeLists.txt", f"rota_folder({user} USES {used})\n"),
            ]
            for path, text in made_up:
                if len(findings_for({path: text}).errors) != expected:
                    yield f"{path} with {text.strip()}: expected {expected} errors"


def failed_table():
    """The table itself: a row names only folders that stand above it, so there is no circle."""
    above = []
    for folder, uses in MAY_USE.items():
        for used in uses:
            if used not in above:
                yield f"the row {folder} names {used}, which does not stand above it"
        above.append(folder)


def self_test():
    failures = [*failed_table(), *failed_cases(), *failed_notes(), *failed_pairs()]
    for failure in failures:
        print(f"layers.py --self-test: {failure}", file=sys.stderr)
    if not failures:
        print(f"layers.py finds what it should: {len(CASES)} cases, {len(MAY_USE)} folders")
    return 1 if failures else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if len(arguments) > 1 or (arguments and arguments[0].startswith("-")):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    count = sum(len(sources_in(root / folder_path(folder))) for folder in MAY_USE)
    if count == 0:
        print(f"{root}: error: no sources found", file=sys.stderr)
        return 1
    found = check(root)
    for line in found.notes + found.errors:
        print(line)
    print(f"layers: {count} files, {len(found.errors)} errors, {len(found.notes)} notes")
    return 1 if found.errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
