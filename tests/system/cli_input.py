"""What people type and write: commands, profiles, times. And what is said when it is wrong."""

import datetime
import pathlib
import re
import time

from machine import DONE, FAILED, REFUSED, USAGE, Machine

EVERY_COMMAND = (["backup"], ["list"], ["ls"], ["restore", "--to", "/nowhere/x"],
                 ["fetch", "a", "/nowhere/x"], ["verify"], ["diff", "now", "now"], ["purge"],
                 ["purge-incr"], ["status"], ["adopt"])


class Words(Machine):
    def test_help_teaches_every_command(self):
        text = self.rota("--help").out
        for command, *_ in EVERY_COMMAND:
            self.assertRegex(text, rf"(?m)^  {command} ")
            self.assertIn(f"rota {command}", self.rota(command, "--help").out)
        self.assertRegex(self.rota("--version").out, r"\Arota \d+\.\d+")

    def test_a_missing_or_mistyped_command_is_one_sentence(self):
        self.fails(USAGE, "--help", "--verbose", "backup")
        self.fails(USAGE, 'did you mean "backup"', "bakcup")
        self.fails(USAGE, "no command", "frobnicate")
        self.fails(USAGE, "--ful", "backup", "--ful")
        self.fails(USAGE, "--to", "restore")
        self.fails(USAGE, "--at", "ls", "--at")

    def test_what_is_wrong_with_an_option_is_said_in_words(self):
        self.fails(USAGE, r"no option --ful \(did you mean --full\?\)", "backup", "--ful")
        self.fails(USAGE, r"no option --too \(did you mean --to\?\)", "restore", "--too", "x")
        self.fails(USAGE, "no option -x", "backup", "-x")
        self.fails(USAGE, "no option --frob", "--frob", "backup")
        self.fails(USAGE, "a command is missing", "--json")
        self.fails(USAGE, "--to is required", "restore")
        self.fails(USAGE, "--to is empty", "restore", "--to", "")
        self.fails(USAGE, "--to needs a value: --to DIR", "restore", "--to")
        self.fails(USAGE, "--to is there twice", "restore", "--to", "a", "--to", "b")
        self.fails(USAGE, "--path needs a value: --path PATH", "restore", "--to", "x", "--path")
        self.fails(USAGE, "--full takes no value", "backup", "--full=no")

    def test_words_stand_in_the_usage_as_they_are_typed(self):
        for command, form in (("fetch", "[PROFILE] PATH DEST"), ("diff", "[PROFILE] A B"),
                              ("ls", "[PROFILE] [PATH]"), ("status", "[PROFILE]")):
            self.assertIn(f"Usage: rota {command} [OPTIONS] {form}\n",
                          self.rota(command, "--help").out)
        self.fails(USAGE, r"a word is missing in `rota fetch \[PROFILE\] PATH DEST`", "fetch", "a")
        self.fails(USAGE, r'"b" is one word too many for `rota backup \[PROFILE\]`',
                   "backup", "a", "b")

    def test_too_many_or_too_few_words_are_one_sentence(self):
        self.init()
        self.fails(USAGE, "--help", "backup", "main", "other", "third")
        self.fails(USAGE, "--help", "ls", "main", "a", "b")
        self.fails(USAGE, "--help", "fetch", "a")
        self.fails(USAGE, "--help", "diff", "now")
        self.init("other")
        self.fails(USAGE, "main, other", "fetch", "a", self.dir / "x")
        self.fails(USAGE, "empty", "restore", "main", "--to", "")
        self.fails(USAGE, "empty", "list", "--target", "")
        self.fails(USAGE, "which command", *[])


class Profiles(Machine):
    def test_without_a_profile_every_command_says_how_to_make_one(self):
        for command in EVERY_COMMAND:
            with self.subTest(command=command[0]):
                self.fails(USAGE, "no profile yet: run `rota init`", *command)
        self.assertEqual(["source"], [path.name for path in self.dir.iterdir()])

    def test_with_several_profiles_one_must_be_named(self):
        self.write("a")
        self.init("main")
        self.init("other")
        self.set("other", target=f'"{self.dir}/store2"')
        for command in EVERY_COMMAND:
            if command[0] == "status":
                continue  # shows all
            with self.subTest(command=command[0]):
                self.fails(USAGE, "2 profiles: main, other", *command)
        self.silent("backup", "other")
        self.assertEqual([], self.runs())
        self.assertEqual(1, len(self.rota("list", "other", "--json").json()["runs"]))
        names = [p["profile"] for p in self.rota("status", "--json").json()["profiles"]]
        self.assertEqual(["main", "other"], names)

    def test_the_only_profile_need_not_be_named(self):
        self.write("a")
        self.init("server")
        self.silent("backup")
        self.assertEqual(["a"], self.paths())
        self.assertEqual(["a"], self.paths("server"))
        self.silent("fetch", "a", self.dir / "got")
        self.silent("fetch", "server", "a", self.dir / "again")
        self.assertEqual(self.rota("diff", "now", "now").out, "")

    def test_an_unknown_profile_names_the_nearest(self):
        self.init("main")
        self.fails(USAGE, 'no profile "mian".*did you mean "main"', "backup", "mian")
        self.fails(USAGE, 'no profile "mian".*did you mean "main"', "status", "mian")
        self.fails(USAGE, 'no profile "xyz".*there are: main', "verify", "xyz")
        self.fails(USAGE, "cannot name a profile", "backup", "../main")
        self.fails(USAGE, "cannot name a profile", "backup", "")

    def test_an_unknown_key_is_named_with_file_line_and_the_nearest(self):
        self.init()
        file = pathlib.Path(self.places["CONFIG"]) / "main" / "profile.toml"
        line = len(file.read_text(encoding="utf-8").splitlines()) + 1
        self.set(max_aeg='"1Y"')
        self.fails(USAGE, rf'{re.escape(str(file))}:{line}: unknown key "max_aeg".*"max_age"',
                   "backup")

    def test_wrong_values_are_named_with_file_and_line(self):
        self.init()
        for settings in ({"max_age": '"soon"'}, {"max_age": "2Y"}, {"max_fulls_with_incrs": "0"},
                         {"source": '"relative"'}, {"target": '"ftp//x"'},
                         {"one_file_system": '"yes"'}, {"max_age": '"0D"'}):
            with self.subTest(**settings):
                self.init(name="x")
                self.set("x", **settings)
                self.fails(USAGE, next(iter(settings)) + "|ftp|profile.toml:", "backup", "x")
                file = pathlib.Path(self.places["CONFIG"]) / "x"
                for part in file.iterdir():
                    part.unlink()

    def test_a_wrong_exclude_rule_is_named_with_file_and_line(self):
        self.init(excludes="- /tmp\n\n-nothing\n")
        self.fails(USAGE, r"/exclude:3: ", "backup")

    def test_places_must_be_absolute(self):
        self.fails(USAGE, "ROTA_STATE_DIR.*absolute", "list", env={"ROTA_STATE_DIR": "here"})


class Init(Machine):
    def test_init_without_a_target_and_a_terminal_says_what_to_add(self):
        self.fails(USAGE, "--target", "init", "main")
        self.assertFalse(pathlib.Path(self.places["CONFIG"]).exists())

    def test_init_in_a_script_is_silent_and_makes_a_commented_profile(self):
        self.silent("init", "main", "--source", self.source, "--target", f"file://{self.store}")
        profile = (pathlib.Path(self.places["CONFIG"]) / "main" / "profile.toml").read_text()
        for line in (f'source = "{self.source}"', f'target = "file://{self.store}"',
                     'max_age = "2Y"', "max_fulls_with_incrs = 2", 'max_full_age = "3M"'):
            self.assertIn("\n" + line + "\n", profile)
        self.assertGreater(profile.count("\n# "), 10)

    def test_a_default_profile_leaves_out_what_a_server_makes_anew(self):
        self.silent("init", "--target", f"file://{self.store}")
        rules = (pathlib.Path(self.places["CONFIG"]) / "main" / "exclude").read_text().splitlines()
        wanted = ("/dev /proc /sys /run /var/lock /var/run /lost+found /boot /tmp /var/tmp /media "
                  "/mnt /var/cache /var/crash /var/swap /var/swapfile /var/swap.img "
                  "/var/lib/mysql /var/lib/postgresql /var/lib/lxcfs")
        self.assertEqual(sorted(f"- {path}" for path in wanted.split()),
                         sorted(rule for rule in rules if rule.startswith("- ")))

    def test_init_never_replaces_a_profile(self):
        self.init()
        before = (pathlib.Path(self.places["CONFIG"]) / "main" / "profile.toml").read_text()
        self.fails(REFUSED, "exists already", "init", "main", "--target", "file:///elsewhere")
        self.assertEqual(
            before, (pathlib.Path(self.places["CONFIG"]) / "main" / "profile.toml").read_text())

    def test_init_refuses_what_cannot_work_before_it_writes(self):
        self.fails(USAGE, "not a store", "init", "main", "--target", "gopher://x")
        self.fails(USAGE, "absolute", "init", "main", "--source", "etc", "--target", "/srv/b")
        self.fails(USAGE, "source itself", "init", "main", "--source", "/srv", "--target", "/srv")
        self.fails(USAGE, "cannot name", "init", "a/b", "--target", "/srv/b")
        self.assertFalse(pathlib.Path(self.places["CONFIG"]).exists())

    def test_init_asks_at_a_terminal(self):
        status, shown = self.on_terminal(
            "init", typed=f"web\n{self.source}\nfile://{self.store}\n".encode())
        self.assertEqual(DONE, status, shown)
        self.assertIn("Name of the profile [main]", shown)
        self.assertIn("rota backup web", shown)
        self.write("a")
        self.silent("backup", "web")


class Times(Machine):
    def setUp(self):
        super().setUp()
        self.init()
        self.write("old")
        self.first = self.backup()
        time.sleep(1.1)
        self.write("new")
        self.second = self.backup()

    def test_a_run_is_found_by_every_form_of_time(self):
        today = datetime.datetime.now(datetime.timezone.utc)
        minute = (today + datetime.timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M")
        for when in (None, "now", "latest", "0D", minute, minute + ":00Z", self.second,
                     (today + datetime.timedelta(days=1)).strftime("%Y-%m-%d")):
            with self.subTest(at=when):
                self.assertEqual(["new", "old"], self.paths(*(["--at", when] if when else [])))
        first = self.runs()[0]["time"]
        for when in (self.first, first):
            with self.subTest(at=when):
                self.assertEqual(["old"], self.paths("--at", when))

    def test_a_run_name_is_a_time_in_every_command(self):
        self.assertEqual(["old"], self.paths("--at", self.first))
        self.silent("restore", "--at", self.first, "--to", self.dir / "to")
        self.assertEqual(["old"], [path.name for path in (self.dir / "to").iterdir()])
        self.silent("fetch", "old", self.dir / "got", "--at", self.first)
        self.assertIn("+ new\n", self.rota("diff", self.first, self.second).out)

    def test_a_time_before_the_first_run_is_one_sentence(self):
        for when in ("4D", "2W", "3M", "2Y", "2020-01-04", "2020-01-04T03:00"):
            with self.subTest(at=when):
                self.fails(FAILED, f"no run as old as .*{self.first}", "ls", "--at", when)

    def test_nonsense_is_no_time(self):
        for when in ("yesterday", "4X", "2026-13-01", "2026-02-30", "-4D", "", "4D4D", "20260104"):
            with self.subTest(at=when):
                self.fails(USAGE, "2026-01-04|--at", "ls", f"--at={when}")
                self.fails(USAGE, "2026-01-04|--at", "restore", "--to", self.dir / "x",
                           f"--at={when}")
        self.fails(USAGE, "no time", "diff", "yesterday", "now")
        self.fails(FAILED, "no run 20200101T000000Z-000000", "ls", "--at",
                   "20200101T000000Z-000000")
        self.assertFalse((self.dir / "x").exists())
