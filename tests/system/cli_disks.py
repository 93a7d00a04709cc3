"""The commands about rotation disks that touch the ledger alone. The ledgers are made here, by a second
writer of the export's format, and taken in with `rota ledger rebuild`."""

import hashlib
import json
import pathlib
import re
import sqlite3
import time

from machine import CORRUPT, DONE, FAILED, REFUSED, USAGE, WARNINGS, Machine

DAY = 24 * 3600
OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3


def line(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


class History:
    """An export of a ledger, written as docs/manual.md and the comments of the sources say."""

    def __init__(self, name="0123456789abcdef"):
        self.rows = []
        self.hash = "0" * 64
        self.add("begin", {"id": name})

    def add(self, kind, data, people=None, at=None):
        number = len(self.rows) + 1
        at = int(time.time()) if at is None else at
        row = {"number": number, "time": at, "kind": kind, "data": data}
        if people:
            row["people"] = {**people, "salt": f"{number:032x}"}
            row["people_sha256"] = sha256(line(row["people"]))
        self.hash = sha256("\n".join([self.hash, str(number), str(at), kind, line(data),
                                      row.get("people_sha256", "")]))
        row["hash"] = self.hash
        self.rows.append(row)

    def disk(self, name, prepared, **more):
        self.add("disk", {"name": name, "label": "ROTA-" + name, "uuid": "uuid-" + name,
                          "filesystem": "ext4", "size": 10 ** 12, "prepared": prepared,
                          "serial": "S" + name, "model": "Disk", "change": "added", **more})

    def copy(self, disk, at, **more):
        self.add("copy", {"disk": disk, "server": "main", "snapshot": compact(at),
                          "state": "sealed", "verified": True, "sealed_time": at + 3600,
                          "entries": 1234, "bytes": 5 * 10 ** 9, "source": "/", **more})

    def seen(self, disk, state, at):
        self.add("observation", {"disk": disk, "state": state, "time": at})

    def claim(self, disk, state, at, place, by):
        self.add("claim", {"disk": disk, "state": state, "time": at},
                 {"place": place, "claimed_by": by})

    def text(self):
        return json.dumps({"rota_ledger": 1, "head": self.hash, "rows": self.rows})


def compact(at):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))


class Disks(Machine):
    def setUp(self):
        super().setUp()
        self.now = int(time.time())
        self.init()
        self.write("a")
        self.backup()
        self.silent("verify")

    def taken_in(self, history, *args):
        file = self.dir / "ledger.json"
        file.write_text(history.text(), encoding="utf-8")
        return self.rota("ledger", "rebuild", file, *args)

    def two_disks(self):
        """B is off site since five days, A on the shelf."""
        history = History()
        for name in "AB":
            history.disk(name, self.now - 100 * DAY)
        history.copy("A", self.now - 36 * DAY)
        history.copy("B", self.now - 6 * DAY)
        history.seen("A", "away", self.now - 35 * DAY)
        history.seen("B", "away", self.now - 6 * DAY)
        history.claim("B", "off site", self.now - 5 * DAY, "bank", "jo")
        return history

    def database(self):
        return sqlite3.connect(pathlib.Path(self.places["STATE"]) / "ledger.db")

    def test_status_names_the_exposure_and_lists_the_disks(self):
        self.assertIn("no rotation disk yet", self.rota("status").out)
        self.taken_in(self.two_disks())
        out = self.rota("status").out
        self.assertRegex(out.splitlines()[0],
                         r"\AIf everything online vanished now, you would go back to \S+ \S+ \(6 days "
                         r"ago\): disk B, sealed and verified, off site at 'bank' since \S+ by the "
                         r"word of jo\.\Z")
        self.assertRegex(out, r"(?m)^   DISK  STATE +PLACE  SINCE")
        self.assertRegex(out, r"(?m)^\.  A     on site .* next$")
        self.assertRegex(out, r"(?m)^\+  B     off site  bank ")
        value = self.rota("status", "--json").json()
        self.assertEqual("good", value["level"])
        self.assertEqual([("A", "on site", True), ("B", "off site", False)],
                         [(d["name"], d["state"], d["next"]) for d in value["disks"]])
        self.assertEqual(("B", "bank", "jo"), tuple(value["exposure"][key]
                                                    for key in ("disk", "place", "by")))
        self.assertEqual("A", value["sets"][0]["next_disk"])
        listed = self.rota("disk", "list", "--json").json()["disks"]
        for shown, one in zip(value["disks"], listed, strict=True):  # a second may have passed
            self.assertAlmostEqual(shown["newest"].pop("age"), one["newest"].pop("age"), delta=60)
        self.assertEqual(value["disks"], listed)

    def test_due_dates_are_the_same_whoever_is_asked_about(self):
        self.taken_in(self.two_disks())
        self.init(name="db")
        both = self.rota("status", "--json").json()
        self.assertEqual([["db"]], [s["missing"] for s in both["sets"]])
        # It is due today, not since the oldest disk was prepared.
        self.assertRegex(both["sets"][0]["due"], time.strftime("%Y-%m-%d", time.gmtime()))
        self.assertIn("i db is on no disk of the set monthly yet: plug in disk A.",
                      self.rota("status").out)
        self.assertEqual({"db", "main"}, {e["server"] for e in both["exposures"]})
        main = self.rota("status", "main", "--json").json()
        self.assertEqual([d["due"][:10] for d in both["disks"]],
                         [d["due"][:10] for d in main["disks"]])
        self.assertEqual(["main"], [e["server"] for e in main["exposures"]])
        self.assertEqual(["main"], [p["profile"] for p in main["profiles"]])
        self.assertEqual("good", main["level"])
        # Of the others nothing is read but the name.
        (pathlib.Path(self.places["CONFIG"]) / "db" / "profile.toml").write_text("nonsense")
        self.assertIn("The profile db cannot be used", self.rota("status").out)
        self.assertIn("The profile db cannot be used",
                      self.rota("tui", "--snapshot", "120x40").out)
        self.assertIn("main would go back to", self.rota("status", "main").out)

    def test_check_is_one_line_with_the_codes_of_monitoring_plugins(self):
        result = self.rota("check", status=OK)
        self.assertRegex(result.out, r"\AROTA OK - [^|\n]+ \| run_age=\d+s disks=0 alarms=0 "
                                     r"warnings=0\n\Z")
        self.taken_in(self.two_disks())
        self.assertRegex(self.rota("check", status=OK).out, r"\| exposure=\d+s run_age=\d+s disks=2 ")
        self.rota("disk", "move", "A", "off-site", "--place", "Bank", "--by", "jo")
        self.assertRegex(self.rota("check", status=WARNING).out, r"\AROTA WARNING - .*A and B are all")
        self.rota("disk", "lost", "B", "--reason", "left on | the train", "--by", "jo")
        self.assertRegex(self.rota("check", status=CRITICAL).out,
                         r"\AROTA CRITICAL - Disk B is lost [^|\n]*\(and \d+ more\) \| ")
        self.init(name="db")
        # Of its profile: it has no run. Of its copies: none. And of the disks.
        counted = re.search(r" alarms=(\d+) warnings=(\d+)$",
                            self.rota("check", "db", status=CRITICAL).out)
        said = self.rota("status", "db", "--json").json()
        levels = [n["level"] for n in said["notices"]]
        self.assertIn("There is no run yet", said["profiles"][0]["messages"][0])
        self.assertEqual((str(levels.count("alarm") + 1), str(levels.count("warning"))),
                         counted.groups())
        self.set(max_age='"never"')
        result = self.rota("check", status=CRITICAL)
        self.assertRegex(result.out, r"\AROTA CRITICAL - The profile main cannot be used.*max_age.*\n\Z")
        self.assertEqual("", result.err)

    def test_a_disk_is_moved_by_the_word_of_a_person(self):
        self.taken_in(self.two_disks())
        self.silent("disk", "move", "B", "in-transit-back", "--by", "kim")
        self.assertIn("in transit since", self.rota("status").out)
        self.fails(USAGE, "where is disk A.*--place", "disk", "move", "A", "off-site")
        config = pathlib.Path(self.places["CONFIG"]) / "rotation.toml"
        config.write_text('[set.monthly]\nplace = "mill"\n', encoding="utf-8")
        self.silent("disk", "move", "A", "off-site", "--at", "2D", "--by", "kim")
        shown = self.rota("disk", "show", "A", "--json").json()
        self.assertEqual(("off site", "mill", "kim"),
                         tuple(shown[key] for key in ("state", "place", "by")))
        since = time.strftime("%Y-%m-%dT%H", time.gmtime(self.now - 2 * DAY))
        self.assertTrue(shown["since"][:10] == since[:10], shown)
        self.silent("disk", "move", "A", "on-site", env={"SUDO_USER": "kim"})
        self.assertEqual("kim", self.rota("disk", "show", "A", "--json").json()["by"])
        for args in (("--place", "\x1b[2Jmill"), ("--place", "mill", "--by", "kim\n")):
            result = self.fails(USAGE, "control characters", "disk", "move", "A", "off-site", *args)
            self.assertNotIn("\x1b", result.err)
        self.assertEqual("on site", self.rota("disk", "show", "A", "--json").json()["state"])
        self.fails(USAGE, "\"moon\" is no state of a disk", "disk", "move", "A", "moon")
        self.fails(FAILED, "no disk \"X\"; there are: A, B", "disk", "move", "X", "on-site")
        self.fails(USAGE, "no time", "disk", "move", "A", "on-site", "--at", "soon")
        self.fails(USAGE, "disk A was here until .*leave --at out", "disk", "move", "A", "off-site",
                   "--at", "2015-01-01")
        self.fails(USAGE, "still to come", "disk", "move", "A", "off-site", "--at", "2115-01-01")
        config.write_text('[set.monthly]\nplaec = "mill"\n', encoding="utf-8")
        self.fails(USAGE, "rotation.toml:2: .*did you mean \"place\"", "status")

    def test_disks_leave_their_turn_and_come_back(self):
        self.taken_in(self.two_disks())
        self.fails(USAGE, "--reason", "disk", "hold", "A")
        self.silent("disk", "hold", "A", "--reason", "evidence", "--by", "jo")
        self.assertIn("=  A     held", self.rota("disk", "list").out)
        self.silent("disk", "release", "A")
        self.assertIn(".  A     on site", self.rota("disk", "list").out)
        self.silent("disk", "lost", "A", "--reason", "train", "--by", "jo")
        self.fails(REFUSED, "disk A is lost since [-0-9]+: .*`rota disk release A` first",
                   "disk", "move", "A", "on-site")
        self.silent("disk", "release", "A")
        self.silent("disk", "retire", "A", "--reason", "old", "--by", "jo")
        self.fails(REFUSED, "disk A is retired since [-0-9]+, and that is final",
                   "disk", "move", "A", "on-site")
        self.fails(REFUSED, "final", "disk", "release", "A")
        shown = self.rota("disk", "show", "A").out
        self.assertRegex(shown, r"(?s)\AA: retired\n.*label +ROTA-A\n.*reason +old\n.*"
                                r"main +\d{8}T\d{6}Z +sealed +1,234 +5 GB")

    def test_a_tripwire_is_told_until_somebody_takes_note(self):
        history = self.two_disks()
        history.add("alarm", {"kind": "tripwire", "disk": "A", "opened": self.now,
                              "severity": "alarm", "message": "Too many files vanished.",
                              "details": ["home/jo/letter", "home/jo/photo"]})
        self.taken_in(history)
        self.assertIn("X Too many files vanished. Take note with `rota disk accept A",
                      self.rota("status").out)
        self.assertIn("      home/jo/letter\n", self.rota("disk", "show", "A").out)
        self.fails(USAGE, "--reason", "disk", "accept", "A")
        self.silent("disk", "accept", "A", "--reason", "jo left", "--by", "kim")
        self.assertNotIn("Too many", self.rota("status").out)
        self.fails(FAILED, "no open alarm of disk A", "disk", "accept", "A", "--reason", "x")
        self.assertIn("acknowledged by kim: jo left", self.rota("history").out)

    def test_a_held_copy_that_is_noted_waits_for_its_disk(self):
        history = self.two_disks()
        history.add("alarm", {"kind": "tripwire", "disk": "A", "opened": self.now,
                              "severity": "alarm", "message": "Too many files vanished."})
        history.seen("A", "suspect", self.now)
        self.taken_in(history)
        self.assertRegex(self.rota("status").out,
                         r"(?m)^X The last job with disk A .* take note with `rota disk accept`\.$")
        self.silent("disk", "accept", "A", "--reason", "jo left", "--by", "kim")
        out = self.rota("status").out
        self.assertRegex(out, r"(?m)^! The last job with disk A .*: noted; plug it in again, and "
                              r"the copy goes on\.$")
        self.assertNotIn("disk accept", out)

    def test_what_the_ledger_holds_reaches_no_terminal_as_it_is(self):
        history = self.two_disks()
        history.claim("A", "off site", self.now - 60 * DAY, "\x1b[2Jjo's", "\x1b[8mjo")
        history.claim("B", "off site", self.now - 60 * DAY, "\x1b[2Jjo's", "\x1b[8mjo")
        history.add("alarm", {"kind": "tripwire\x1b[m", "disk": "A", "opened": self.now,
                              "severity": "alarm", "message": "\x1b[1mToo many.",
                              "details": ["home/\x1b[7mjo", "home/\\x0a"]})
        self.taken_in(history)
        shown = self.rota("disk", "show", "A").out
        self.assertIn("      home/\\x1b[7mjo\n      home/\\x0a\n", shown)
        for out in (self.rota("status").out, shown, self.rota("disk", "list").out,
                    self.rota("check", status=CRITICAL).out, self.rota("history").out,
                    self.rota("remind").out, self.rota("plan").out):
            self.assertNotIn("\x1b", out)
            self.assertIn("\\x1b", out)

    def test_who_takes_note_of_something_else_lets_no_held_copy_pass(self):
        history = self.two_disks()
        for data in ({"kind": "tripwire", "what": "noise", "extent": 90, "server": "web"},
                     {"kind": "tripwire", "what": "fewer entries", "extent": 90, "server": "web"},
                     {"kind": "serial number"}):
            history.add("alarm", {"disk": "A", "opened": self.now, "severity": "alarm",
                                  "message": f"It is {data['kind']}.", "details": [], **data})
        self.taken_in(history)
        last = len(history.rows)
        accept = ("disk", "accept", "A", "--reason", "x", "--by", "kim")

        def left():
            return [one["id"] for one in self.rota("disk", "show", "A", "--json").json()["alarms"]]

        self.fails(USAGE, f"--alarm.*{last - 2} \\(tripwire, noise, web\\); {last - 1} "
                          f"\\(tripwire, fewer entries, web\\); {last} \\(serial number\\)", *accept)
        self.fails(FAILED, "no open alarm 1; there are: ", *accept, "--alarm", "1")
        self.assertEqual([last - 2, last - 1, last], left())
        self.assertIn(f"alarm {last - 2}, tripwire, noise, web", self.rota("disk", "show", "A").out)
        self.silent(*accept, "--alarm", "serial number")
        self.assertEqual([last - 2, last - 1], left())
        self.silent(*accept, "--alarm", "noise")
        self.assertEqual([last - 1], left())
        noted = self.rota(*accept, "--alarm", str(last - 1), "--json").json()["noted"]
        self.assertEqual([(last - 1, "fewer entries", "web")],
                         [(one["id"], one["what"], one["server"]) for one in noted])
        self.assertEqual([], left())

    def test_history_is_told_and_limited(self):
        self.taken_in(self.two_disks())
        out = self.rota("history", "--disk", "B").out.splitlines()
        self.assertEqual(4, len(out))
        self.assertRegex(out[0], r"\A\d{4}-\d\d-\d\d \d\d:\d\d  B: prepared as ROTA-B, ext4, 1 TB Disk SB\Z")
        self.assertIn("off site at 'bank'", out[-1])
        rows = self.rota("history", "--json", "--limit", "2").json()["rows"]
        self.assertEqual([7, 8], [row["number"] for row in rows])
        self.assertEqual("bank", rows[-1]["people"]["place"])
        self.assertEqual(8, len(self.rota("history", "--limit", "0").out.splitlines()))
        self.fails(USAGE, "--limit", "history", "--limit", "-1")
        self.fails(FAILED, "no disk \"X\"", "history", "--disk", "X")

    def test_an_altered_row_shows_and_a_rebuild_mends_it(self):
        self.taken_in(self.two_disks())
        self.silent("ledger", "check")
        kept = self.dir / "kept.json"
        self.silent("ledger", "export", "--out", kept)
        self.assertEqual(0o600, kept.stat().st_mode & 0o777)
        with self.database() as database:
            with self.assertRaisesRegex(sqlite3.IntegrityError, "append-only"):
                database.execute("UPDATE history SET time = 1")
            database.execute("DROP TRIGGER history_is_not_altered")
            database.execute("UPDATE history SET data = replace(data, 'sealed', 'partial') "
                             "WHERE number = 5")
        result = self.rota("ledger", "check", status=CORRUPT)
        self.assertRegex(result.out, r"\Arow 5 of the history \(copy, \S+\) was altered\n")
        self.assert_sentence(result.err)
        value = self.rota("ledger", "check", "--json", status=CORRUPT).json()
        self.assertEqual((False, 8), (value["good"], value["rows"]))
        self.rota("ledger", "rebuild", kept)  # the trigger is still gone
        self.silent("ledger", "check")
        with self.database() as database:
            database.execute("DROP TRIGGER history_is_not_altered")
        result = self.rota("ledger", "check", status=CORRUPT)
        self.assertIn("trigger history_is_not_altered", result.out)
        self.rota("ledger", "rebuild", "--replace", kept)
        self.silent("ledger", "check")

    def test_a_ledger_comes_back_from_disk_and_store(self):
        self.taken_in(self.two_disks())
        without = self.rota("ledger", "export", "--without-people").out
        for word in ("bank", "jo"):
            self.assertNotIn(f'"{word}"', without)
        disk = self.dir / "mnt"
        (disk / "rota").mkdir(parents=True)
        (disk / "rota" / "ledger.json").write_text(self.rota("ledger", "export").out,
                                                   encoding="utf-8")
        store = self.dir / "store.json"
        store.write_text(without, encoding="utf-8")
        bad = self.dir / "bad.json"
        bad.write_text(without.replace("ext4", "ext3"), encoding="utf-8")
        for file in pathlib.Path(self.places["STATE"]).glob("ledger.db*"):
            file.unlink()
        self.assertEqual([], self.rota("disk", "list", "--json").json()["disks"])
        self.fails(CORRUPT, "bad.json cannot be used: row 2", "ledger", "rebuild", bad)
        value = self.rota("ledger", "rebuild", store, "--json").json()
        self.assertEqual((0, 8, True), tuple(value[key] for key in
                                             ("rows_before", "rows", "without_people")))
        self.rota("ledger", "rebuild", bad, disk, status=WARNINGS)
        self.assertIn("bank", self.rota("disk", "list").out)
        self.silent("ledger", "check")
        stranger = History("another")
        for name in "CDEFGHIJKL":
            stranger.disk(name, self.now)
        file = self.dir / "stranger.json"
        file.write_text(stranger.text(), encoding="utf-8")
        self.fails(REFUSED, "another machine", "ledger", "rebuild", file)
        self.rota("ledger", "rebuild", file, "--replace")
        self.assertEqual(10, len(self.rota("disk", "list", "--json").json()["disks"]))

    def tripwire(self, history):
        """On both disks; its names and sentences are of files and of the other disk."""
        for disk in "AB":
            history.add("alarm", {"kind": "tripwire", "disk": disk, "server": "main",
                                  "opened": self.now, "severity": "alarm",
                                  "message": "3 of 9 files changed",
                                  "details": ["home/jane/letter-to-the-doctor.txt"]})
        return history

    def encrypted(self):
        self.key = self.dir / "key"
        made = self.rota("key", "generate", "--to", self.key, "--json").json()
        self.set(encrypt_to=f'["{made["recipient"]}"]')

    def lose_ledger(self):
        for file in pathlib.Path(self.places["STATE"]).glob("ledger.db*"):
            file.unlink()

    def test_an_encrypted_store_tells_the_history_to_its_recipients_only(self):
        self.taken_in(self.tripwire(self.two_disks()))
        self.write("b")
        self.backup()
        stored = self.store / "ledger.json"
        self.assertIn("letter-to-the-doctor", stored.read_text())  # so are the names in the index
        self.assertNotIn("bank", stored.read_text())
        self.encrypted()
        self.backup("--full")
        data = stored.read_bytes()
        for word in (b"doctor", b"bank", b"ROTA-A", b"uuid", b"main", b"tripwire", b'"'):
            self.assertNotIn(word, data if len(word) > 1 else data[:16], word)
        before = self.rota("ledger", "export").out
        self.lose_ledger()
        self.silent("verify", "--data", "--key", self.key)
        self.fails(USAGE, r"ledger\.json cannot be used: ledger\.json is encrypted for rota-pub-1-",
                   "ledger", "rebuild", stored)
        other = self.dir / "other"
        self.rota("key", "generate", "--to", other)
        self.fails(USAGE, "the key that was given is another", "ledger", "rebuild", stored, "--key",
                   other)
        damaged = self.dir / "damaged.json"
        damaged.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        self.fails(CORRUPT, "damaged.json cannot be used: it was changed", "ledger", "rebuild",
                   damaged, "--key", self.key)
        self.rota("ledger", "rebuild", stored, "--key", self.key)
        self.assertEqual(before, self.rota("ledger", "export").out)  # with names and places

    def test_a_store_tells_nothing_of_the_files_of_another_server(self):
        history = self.tripwire(self.two_disks())
        self.rota("init", "shop", "--source", self.source, "--target", f"file://{self.dir}/shop")
        history.add("copy", {"disk": "B", "server": "shop", "snapshot": compact(self.now),
                             "state": "sealed", "source": "/"})
        history.add("alarm", {"kind": "tripwire", "disk": "B", "server": "shop", "opened": self.now,
                              "message": "m", "details": ["srv/shop/customers.db"]})
        self.taken_in(history)
        self.write("b")
        self.backup()
        self.silent("backup", "shop")
        main = (self.store / "ledger.json").read_text()
        shop = (self.dir / "shop/ledger.json").read_text()
        self.assertIn("letter-to-the-doctor", main)
        for word in ("shop", "customers"):
            self.assertNotIn(word, main)
        self.assertIn("customers", shop)
        for word in ("main", "doctor", "ROTA-A"):  # disk A holds nothing of shop
            self.assertNotIn(word, shop)
        # One alone leaves rows out and says so; both together tell all.
        self.lose_ledger()
        out = self.rota("ledger", "rebuild", self.dir / "shop/ledger.json").out
        self.assertRegex(out, r"; \d+ of them are left out there")
        self.assertRegex(self.rota("ledger", "check", status=WARNINGS).err, "rows were left out")
        self.assertIn("left out of the export", self.rota("history").out)
        value = self.rota("history", "--json").json()["rows"]
        self.assertIn(("withheld", None), [(row["kind"], row["time"]) for row in value])
        self.rota("ledger", "rebuild", self.store / "ledger.json")
        self.silent("ledger", "check")
        self.assertEqual(2, len(self.rota("disk", "list", "--json").json()["disks"]))

    def test_commands_of_a_group_are_explained(self):
        self.assertIn("move", self.rota("disk", "--help").out)
        self.assertIn("DISK STATE", self.rota("disk", "move", "--help").out)
        self.fails(USAGE, "which command.*`rota disk --help`", "disk")
        self.fails(USAGE, "did you mean \"disk move\"", "disk", "mvoe")
        self.fails(USAGE, "no command \"ledger frobnicate\"", "ledger", "frobnicate")
        self.fails(USAGE, "no option --plase .*--place", "disk", "move", "A", "on-site", "--plase", "x")
        self.fails(USAGE, "a word is missing in `rota disk move DISK STATE`", "disk", "move", "A")
        self.assertEqual(DONE, self.rota("ledger", "--help").status)
