"""What every command does and prints when all is well."""

import os
import pathlib
import subprocess
import time

from machine import (CORRUPT, DONE, FAILED, LOCKED, REFUSED, ROTA, USAGE, WARNINGS, Machine,
                     wait_for)

RUN_KEYS = {"name": str, "kind": str, "time": str, "chain": str, "files": int, "bytes": int,
            "stored": int}


class Output(Machine):
    def test_facts_are_those_of_the_machine_and_need_nothing_but_the_store(self):
        self.init()
        self.write("a", "12345")
        run = self.backup()
        facts = self.rota("facts").out
        self.assertIn("== uname -srvm\n" + os.uname().sysname, facts)
        self.assertIn("== /etc/os-release\n", facts)
        shown = self.rota("facts", "--target", f"file://{self.store}", "--json").json()
        self.assertEqual((run, facts), (shown["run"], shown["facts"]))
        next(self.store.glob("data/*/*/f000000")).unlink()
        self.fails(CORRUPT, "system facts of run .* cannot be read", "facts")
        self.restored()

    def test_a_long_list_of_packages_is_whole(self):
        tools = self.dir / "tools"
        tools.mkdir()
        listing = "".join(f"package-{number} 1.2.3-{number}\n" for number in range(6000))
        (tools / "list").write_text(listing)
        (tools / "dpkg-query").write_text(f"#!/bin/sh\nexec cat {tools}/list\n")
        (tools / "dpkg-query").chmod(0o755)
        self.init()
        self.rota("backup", env={"PATH": f"{tools}:{os.environ['PATH']}"})
        self.assertIn("${Version}\\n\n" + listing, self.rota("facts").out)

    def test_owners_and_facts_of_a_run_reach_no_terminal_as_they_are(self):
        if os.geteuid() != 0:
            self.skip("needs root, to give a file to another owner")
        self.init()
        self.write("a", "12345")
        os.chown(self.source / "a", 54321, 54321)
        lines = {"/etc/passwd": "evil\x1b[8m:x:54321:54321::/:/bin/false\n",
                 "/etc/group": "worse\x1b[8m:x:54321:\n", "/etc/os-release": "A=\x1b[2J\\040\n"}
        mounts = ""
        for path, line in lines.items():
            file = self.dir / pathlib.Path(path).name
            file.write_text(pathlib.Path(path).read_text(encoding="utf-8") + line, encoding="utf-8")
            mounts += f"mount --bind {file} {path} && "
        subprocess.run(["unshare", "-m", "sh", "-c", mounts + 'exec "$0" backup', ROTA],
                       env=self.environment(), check=True)
        out = self.rota("ls").out
        self.assertNotIn("\x1b", out)
        self.assertIn("evil\\x1b[8m worse\\x1b[8m", out)
        self.assertIn("A=\x1b[2J\\040\n", self.rota("facts").out)  # a file gets what there was
        status, shown = self.on_terminal("facts")
        self.assertEqual(DONE, status)
        self.assertNotIn("\x1b", shown)
        self.assertIn("A=\\x1b[2J\\040\r\n", shown)

    def test_list_as_json_has_the_promised_shape_oldest_first(self):
        self.init()
        self.assertEqual({"runs": []}, self.rota("list", "main", "--json").json())
        self.write("a", "12345")
        full = self.backup()
        self.write("b", "123")
        increment = self.backup()
        value = self.rota("list", "main", "--json").json()
        self.assertEqual(["runs"], list(value))
        for run in value["runs"]:
            self.assertEqual(RUN_KEYS, {key: type(item) for key, item in run.items()})
            self.assertRegex(run["time"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
        self.assertEqual(
            [(full, "full", full, 2, 5), (increment, "increment", full, 3, 8)],
            [tuple(run[key] for key in ("name", "kind", "chain", "files", "bytes"))
             for run in value["runs"]])
        stored = sum(path.stat().st_size for path in self.store.rglob("*") if path.is_file())
        self.assertEqual(stored, sum(run["stored"] for run in value["runs"]))
        table = self.rota("list").out.splitlines()
        self.assertRegex(table[0], r"\ARUN +KIND +TIME")
        self.assertEqual([full, increment], [line.split()[0] for line in table[1:]])

    def test_without_a_terminal_success_is_silent(self):
        self.init()
        self.write("a")
        first = self.backup()
        self.silent("backup")
        self.silent("verify")
        self.silent("verify", "--data")
        self.silent("restore", "--to", self.dir / "r")
        self.silent("fetch", "a", self.dir / "got")
        self.silent("purge")
        self.silent("purge-incr")
        self.silent("adopt")
        self.silent("diff", first, first)

    def test_verbose_says_what_was_done(self):
        self.init()
        self.write("a", "12345")
        self.assertRegex(self.rota("backup", "--verbose").out, r"\Afull \S+: 2 entries, 5 B; ")
        self.assertRegex(self.rota("restore", "-v", "--to", self.dir / "r").out, "2 entries, 5 B")
        self.assertRegex(self.rota("verify", "-v").out, "1 runs?, .*all there and right")

    def test_results_as_json(self):
        self.init()
        self.write("a", "12345")
        backup = self.rota("backup", "--json").json()
        self.assertEqual(("full", 2, 5, 0),
                         tuple(backup[key] for key in ("kind", "files", "bytes", "warnings")))
        self.assertEqual(self.runs()[0]["name"], backup["run"])
        verify = self.rota("verify", "--data", "--json").json()
        self.assertEqual((True, True, 1, []),
                         tuple(verify[key] for key in ("good", "data", "runs", "problems")))
        restore = self.rota("restore", "--json", "--to", self.dir / "r").json()
        self.assertEqual((backup["run"], 2, 0),
                         tuple(restore[key] for key in ("run", "entries", "damaged")))
        purge = self.rota("purge", "--json").json()
        self.assertEqual([False], [run["remove"] for run in purge["runs"]])

    def test_a_terminal_shows_progress_and_a_summary(self):
        self.init()
        self.write("big", os.urandom(40 << 20))
        self.hook("pre", "sleep 0.5\n")
        status, shown = self.on_terminal("backup")
        self.assertEqual(DONE, status, shown)
        self.assertRegex(shown, r"\r\x1b\[K[a-z ]+: [\d,]+ files, [^,]+B, [^,]+B/s")
        self.assertRegex(shown.split("\x1b[K")[-1], r"\Afull \S+: 2 entries, 41.9 MB")
        status, shown = self.on_terminal("restore", "--to", self.dir / "r")
        self.assertEqual(DONE, status, shown)
        self.assertRegex(shown.split("\x1b[K")[-1], "2 entries, 41.9 MB")

    def test_status_tells_what_to_do_and_as_json_too(self):
        self.init()
        self.assertIn("rota backup main", self.rota("status").out)
        self.write("a", "12345")
        run = self.backup()
        self.assertIn("rota verify main", self.rota("status").out)
        self.silent("verify")
        value = self.rota("status", "main", "--json").json()
        self.assertEqual({"level", "exposure", "exposures", "disks", "sets", "notices", "duties",
                          "drills", "profiles"}, set(value))
        self.assertLessEqual({"sentence", "falls_back_to", "seconds"}, set(value["exposure"]))
        (profile,) = value["profiles"]
        self.assertEqual(("main", 1, 1, run, 2, 5, True),
                         (profile["profile"], profile["runs"], profile["chains"],
                          profile["newest"]["name"], profile["newest"]["files"],
                          profile["newest"]["bytes"], profile["last_verification"]["good"]))
        self.assertEqual([], profile["messages"])

    def test_a_reader_that_goes_away_does_no_harm(self):
        self.init()
        for i in range(1500):
            self.write(f"a file with a long name, the number {i:08}")
        self.backup()
        with self.start("ls") as process:  # enough to fill the pipe
            process.stdout.readline()
            process.stdout.close()
            self.assertEqual(b"", process.stderr.read())
        self.assertEqual(DONE, process.returncode)
        reader, writer = os.pipe()
        os.close(reader)
        self.assertEqual("", self.rota("list", stdout=writer).err)
        os.close(writer)

    def test_output_that_cannot_be_written_is_an_error(self):
        self.init()
        self.write("a")
        self.backup()
        for command in (["ls"], ["list", "--json"], ["status"], ["--help"]):
            with self.subTest(command=command), open("/dev/full", "wb") as full:
                self.fails(FAILED, "no space left", *command, stdout=full)

    def test_closed_standard_descriptors_do_no_harm(self):
        self.init()
        self.write("a")
        done = subprocess.run(["sh", "-c", 'exec "$0" backup --verbose <&- >&- 2>&-',
                               os.environ["ROTA"]], env=self.environment(), check=False)
        self.assertEqual(DONE, done.returncode)
        self.assertTrue(self.rota("verify", "--data", "--json").json()["good"])


class Diff(Machine):
    def test_diff_shows_what_changed(self):
        self.init()
        for name in ("changed", "gone", "same", "mode", "d/inside"):
            self.write(name)
        first = self.backup()
        self.write("changed", "other")
        (self.source / "gone").unlink()
        (self.source / "mode").chmod(0o600)
        self.write("new")
        second = self.backup()
        lines = self.rota("diff", first, second).out.splitlines()
        self.assertEqual(["m . (mtime)", "M changed", "- gone", "m mode (mode)", "+ new"], lines)
        changes = self.rota("diff", "main", first, second, "--json").json_lines()
        self.assertIn({"change": "added", "path": "new", "what": ""}, changes)
        self.assertEqual("", self.rota("diff", second, second).out)
        backwards = self.rota("diff", second, first).out.splitlines()
        self.assertIn("+ gone", backwards)
        self.assertIn("- new", backwards)


class Restore(Machine):
    def setUp(self):
        super().setUp()
        self.init()
        self.write("etc/fstab", "fstab")
        self.write("etc/ssh/config", "config")
        self.write("home/me/notes", "notes")
        self.write("home/you/notes", "yours")
        self.backup()

    def test_parts_are_restored_with_the_directories_above_them(self):
        to = self.restored("--path", "etc/ssh", "--path", "home/me/notes", "--path", "etc/ssh")
        self.assertEqual(["etc", "etc/ssh", "etc/ssh/config", "home", "home/me", "home/me/notes"],
                         sorted(str(path.relative_to(to)) for path in to.rglob("*")))
        to = self.restored("--path", f"{self.source}/etc/fstab", "--path", "/home/you/")
        self.assertEqual(["fstab", "notes"], sorted(p.name for p in to.rglob("*") if p.is_file()))

    def test_a_part_that_is_not_there_is_one_sentence(self):
        self.fails(FAILED, "no etc/nothing", "restore", "--path", "etc/nothing", "--to",
                   self.dir / "x")
        self.assertFalse((self.dir / "x" / "etc").exists())

    def test_a_directory_that_is_not_empty_is_refused_and_taken_when_told(self):
        to = self.dir / "to"
        (to / "etc").mkdir(parents=True)
        (to / "etc" / "fstab").write_text("mine")
        (to / "etc" / "other").write_text("stays")
        self.fails(REFUSED, "not empty.*--overwrite", "restore", "--to", to)
        self.assertEqual("mine", (to / "etc" / "fstab").read_text())
        self.silent("restore", "--to", to, "--overwrite")
        self.assertEqual("fstab", (to / "etc" / "fstab").read_text())
        self.assertEqual("stays", (to / "etc" / "other").read_text())
        (to / "etc" / "other").unlink()
        os.utime(to / "etc", ns=(0, (self.source / "etc").stat().st_mtime_ns))
        self.assert_same(self.source, to)

    def test_a_target_that_is_no_directory_is_one_sentence(self):
        (self.dir / "file").write_text("x")
        self.fails(FAILED, "file", "restore", "--to", self.dir / "file")
        self.fails(FAILED, "file", "restore", "--to", self.dir / "file" / "below")
        self.assertEqual("x", (self.dir / "file").read_text())

    def test_fetch_takes_a_file_to_a_new_name_or_into_a_directory(self):
        self.silent("fetch", "etc/fstab", self.dir / "got")
        self.assertEqual("fstab", (self.dir / "got").read_text())
        original = (self.source / "etc" / "fstab").stat()
        self.assertEqual(original.st_mtime_ns, (self.dir / "got").stat().st_mtime_ns)
        (self.dir / "into").mkdir()
        mtime = (self.dir / "into").stat().st_mode
        self.silent("fetch", "main", "etc/fstab", self.dir / "into")
        self.assertEqual("fstab", (self.dir / "into" / "fstab").read_text())
        self.assertEqual(mtime, (self.dir / "into").stat().st_mode)
        self.silent("fetch", f"{self.source}/etc/fstab", "relative", cwd=self.dir)
        self.assertEqual("fstab", (self.dir / "relative").read_text())
        self.silent("fetch", "etc/fstab", "./into/", "--overwrite", cwd=self.dir)
        for nowhere in ("", "./here/"):
            self.fails(USAGE, "no directory", "fetch", "etc/fstab", nowhere, cwd=self.dir)
        self.assertFalse((self.dir / "here").exists())

    def test_fetch_takes_a_directory(self):
        self.silent("fetch", "etc", self.dir / "copy")
        self.assert_same(self.source / "etc", self.dir / "copy")
        (self.dir / "into").mkdir()
        self.silent("fetch", "etc/", self.dir / "into")
        self.assert_same(self.source / "etc", self.dir / "into" / "etc")

    def test_fetch_replaces_only_when_told(self):
        (self.dir / "got").write_text("mine")
        self.fails(REFUSED, "exists.*--overwrite", "fetch", "etc/fstab", self.dir / "got")
        self.assertEqual("mine", (self.dir / "got").read_text())
        self.silent("fetch", "etc/fstab", self.dir / "got", "--overwrite")
        self.assertEqual("fstab", (self.dir / "got").read_text())
        (self.dir / "into" / "etc").mkdir(parents=True)
        self.fails(REFUSED, "exists.*--overwrite", "fetch", "etc", self.dir / "into")

    def test_fetch_of_nothing_or_of_all_is_one_sentence(self):
        self.fails(FAILED, "no etc/nothing", "fetch", "etc/nothing", self.dir / "x")
        self.fails(USAGE, "restore", "fetch", ".", self.dir / "x")
        self.assertFalse((self.dir / "x").exists())


class StoreAlone(Machine):
    def test_a_target_is_read_without_profile_state_or_cache(self):
        self.init()
        self.write("etc/fstab", "fstab")
        first = self.backup()
        self.write("etc/hosts", "hosts")
        self.backup()
        names = [run["name"] for run in self.runs()]
        self.places = {name: f"/proc/nowhere/{name}" for name in self.places}
        url = ("--target", f"file://{self.store}")
        runs = self.rota("list", *url, "--json").json()["runs"]
        self.assertEqual(names, [run["name"] for run in runs])
        self.assertEqual(["etc", "etc/fstab"], self.paths("etc", "--at", first, *url))
        self.silent("verify", "--data", *url)
        self.assertIn("+ etc/hosts", self.rota("diff", first, "now", *url).out)
        self.silent("fetch", "etc/hosts", self.dir / "got", *url)
        self.silent("restore", "--to", self.dir / "to", *url)
        self.assert_same(self.source, self.dir / "to")
        home = {"HOME": None, "ROTA_CONFIG_DIR": None, "ROTA_STATE_DIR": None,
                "ROTA_CACHE_DIR": None}
        self.silent("restore", "--to", self.dir / "to2", *url, env=home)
        self.fails(USAGE, "--target", "ls", "main", "etc", *url)

    def test_a_store_that_is_not_there_is_no_empty_store(self):
        url = ("--target", f"file://{self.dir}/nothing")
        self.fails(FAILED, "does not exist|no run", "restore", "--to", self.dir / "to", *url)
        self.assertFalse((self.dir / "to").exists())
        self.fails(FAILED, "no run in", "verify", *url)


class Hooks(Machine):
    def setUp(self):
        super().setUp()
        self.init()
        self.write("a")

    def test_hooks_run_before_and_after_and_what_pre_makes_is_backed_up(self):
        log = self.dir / "log"
        self.hook("pre", f'echo "$ROTA_HOOK $ROTA_PROFILE" >>{log}; echo dump >{self.source}/dump')
        self.hook("post", f'echo "$ROTA_HOOK" >>{log}; ls {self.store}/runs/* >>{log}')
        run = self.backup()
        self.assertEqual(["pre main", "post", f"{run}.full"], log.read_text().splitlines())
        self.assertIn("dump", self.paths())

    def test_when_pre_fails_nothing_is_backed_up(self):
        self.hook("pre", "echo no database >&2; exit 7")
        self.hook("post", f"touch {self.dir}/post")
        self.fails(FAILED, "nothing was backed up.*status 7.*no database", "backup")
        self.assertEqual([], self.runs())
        self.assertFalse((self.dir / "post").exists())

    def test_when_post_fails_the_run_stays(self):
        self.hook("post", "exit 9")
        result = self.rota("backup", status=WARNINGS)
        self.assertRegex(result.err, "the backup is complete.*status 9")
        self.assertEqual(1, len(self.runs()))
        # The night goes on.
        self.set(max_fulls_with_incrs=1)
        result = self.rota("cron", status=WARNINGS)
        self.assertRegex(result.err, r"\A[^\n]*the backup is complete[^\n]*status 9[^\n]*\n\Z")
        self.assertEqual("listing", self.rota("status", "--json").json()["profiles"][0]
                         ["last_verification"]["what"])

    def test_a_hook_that_others_could_change_is_refused(self):
        self.hook("pre", "true")
        pre = self.dir / "config" / "main" / "pre"
        pre.chmod(0o722)
        self.fails(USAGE, "chmod go-w", "backup")
        pre.chmod(0o600)
        self.fails(USAGE, "not executable", "backup")


class Lock(Machine):
    def test_a_second_job_on_a_profile_is_locked_out_but_may_read(self):
        self.init()
        self.write("a")
        self.backup()
        os.mkfifo(self.dir / "gate")
        self.hook("pre", f"touch {self.dir}/here; read line <{self.dir}/gate")
        with self.start("backup") as first:
            wait_for((self.dir / "here").exists, "the pre hook")
            for command in ("backup", "purge", "purge-incr", "adopt", "verify"):
                with self.subTest(command=command):
                    self.fails(LOCKED, f"process {first.pid}", command)
            self.assertEqual(["a"], self.paths())
            self.rota("status")
            self.restored()
            (self.dir / "gate").write_text("go\n")
            self.assertEqual((b"", b""), first.communicate())
        self.assertEqual(DONE, first.returncode)
        self.assertEqual(2, len(self.runs()))


class Purge(Machine):
    def two_chains(self):
        """Two chains, a full and an increment each; the first older than a second."""
        self.init(max_age='"1s"', max_fulls_with_incrs="1")
        self.write("a", "first")
        names = [self.backup()]
        self.write("a", "second")
        names.append(self.backup())
        time.sleep(1.1)
        names.append(self.backup("--full"))
        self.write("a", "third")
        names.append(self.backup())
        time.sleep(1.1)
        return names

    def verdicts(self, command):
        runs = self.rota(command, "--dry-run", "--json").json()["runs"]
        return [(run["name"], run["remove"]) for run in runs]

    def test_purge_removes_old_chains_and_never_the_newest(self):
        names = self.two_chains()
        self.assertEqual(list(zip(names, (True, True, False, False))), self.verdicts("purge"))
        table = self.rota("purge", "--dry-run").out
        self.assertRegex(table, rf"(?m)^remove +{names[0]} .*older than 1s")
        self.assertRegex(table, rf"(?m)^keep +{names[2]} .*newest chain")
        self.assertEqual(4, len(self.runs()))
        self.silent("purge")
        self.assertEqual(names[2:], [run["name"] for run in self.runs()])
        self.assertEqual([names[2]], [path.name for path in (self.store / "data").iterdir()])
        self.silent("verify", "--data")
        self.assertEqual("third", (self.restored() / "a").read_text())
        self.silent("purge")
        self.silent("backup")
        profile = self.rota("status", "--json").json()["profiles"][0]
        self.assertEqual((3, 1), (profile["runs"], profile["chains"]))

    def test_purge_incr_removes_the_increments_of_older_chains(self):
        names = self.two_chains()
        self.assertEqual(list(zip(names, (False, True, False, False))),
                         self.verdicts("purge-incr"))
        self.silent("purge-incr")
        self.assertEqual([names[0], *names[2:]], [run["name"] for run in self.runs()])
        self.silent("verify", "--data")
        self.assertEqual("first", (self.restored("--at", names[0]) / "a").read_text())
        self.assertEqual("third", (self.restored() / "a").read_text())


class Adopt(Machine):
    def test_a_second_machine_is_refused_until_it_adopts_and_then_the_first(self):
        self.init()
        self.write("a", "first")
        self.backup()
        first = self.places
        self.places = dict(first, STATE=str(self.dir / "state2"), CACHE=str(self.dir / "cache2"))
        self.fails(REFUSED, "rota adopt", "backup")
        self.assertEqual(1, len(self.runs()))
        self.silent("adopt")
        self.write("a", "second")
        self.assertEqual("increment", self.rota("backup", "--json").json()["kind"])
        self.assertEqual("second", (self.restored() / "a").read_text())
        self.places = first
        self.fails(REFUSED, "another machine.*rota adopt", "backup")
        self.fails(REFUSED, "another machine.*rota adopt", "backup", "--full")
        self.silent("adopt")
        self.silent("backup")
        self.silent("verify", "--data")
        self.assertEqual(3, len(self.runs()))

    def test_what_was_adopted_or_lost_is_known_again_by_what_the_store_shows(self):
        self.init()
        self.backup()
        self.backup("--full")
        for way in ("adopt", "list", "verify"):
            if way == "adopt":
                subprocess.run(["rm", "-rf", self.places["STATE"]], check=True)
            else:
                os.unlink(os.path.join(self.places["STATE"], "ledger.db"))
            self.rota(way)
            status = self.rota("status").out
            self.assertIn("2 runs in 2 chains", status, way)
            self.assertNotIn("There is no run yet", status, way)
        # With an empty store there is none.
        subprocess.run(["rm", "-rf", self.store], check=True)
        self.rota("list", status=None)
        self.assertIn("2 runs in 2 chains", self.rota("status").out)
        self.silent("adopt")
        self.assertIn("There is no run yet", self.rota("status").out)

    def test_without_its_cache_a_machine_goes_on_alone(self):
        self.init()
        self.write("a", "first")
        self.backup()
        subprocess.run(["rm", "-rf", self.places["CACHE"]], check=True)
        self.write("b", "second")
        self.backup()
        self.assertEqual(["full", "increment"], [run["kind"] for run in self.runs()])
        self.assert_same(self.source, self.restored())

    def test_fulls_in_quick_succession_stay_in_order(self):
        self.init()
        names = []
        for i in range(4):
            self.write("a", f"content {i}")
            names.append(self.backup("--full"))
            self.assertEqual(f"content {i}", (self.restored() / "a").read_text())
        self.assertEqual(names, [run["name"] for run in self.runs()])


class Warned(Machine):
    def give_to_nobody(self):
        """All that rota writes to when it runs as nobody."""
        self.need_nobody()
        for name in ("CONFIG", "STATE", "CACHE"):
            os.mkdir(self.places[name])
            os.chown(self.places[name], 65534, 65534)
        self.store.mkdir()
        os.chown(self.store, 65534, 65534)

    def test_an_unreadable_file_is_a_warning_and_the_rest_is_backed_up(self):
        self.give_to_nobody()
        self.write("open")
        self.write("secret").chmod(0o600)
        self.write("closed/inside")
        (self.source / "closed").chmod(0o700)
        self.write("odd\nname").chmod(0o600)
        self.rota("init", "main", "--source", self.source, "--target", self.store, user=65534)
        result = self.rota("backup", status=WARNINGS, user=65534)
        self.assertEqual("", result.out)
        lines = sorted(result.err.splitlines())
        self.assertEqual(3, len(lines), result.err)
        for line, path in zip(lines, ("closed", "odd\\\\x0aname", "secret")):
            self.assertRegex(line, rf"\Awarning: {self.source}/{path}: cannot be read: permission")
        ls = self.rota("ls", "--json", user=65534).json_lines()
        self.assertIn("open", [line["path"] for line in ls])
        status = self.rota("status", "--json", user=65534).json()
        self.assertEqual("warning", status["profiles"][0]["level"])
        self.assertEqual(3, status["profiles"][0]["newest"]["warnings"])
        # What could not be read before is taken as soon as it can be.
        (self.source / "secret").chmod(0o644)
        self.rota("backup", status=WARNINGS, user=65534)
        self.assertEqual(2, self.rota("status", "--json", user=65534).json()["profiles"][0]
                         ["newest"]["warnings"])
        self.rota("fetch", "secret", self.dir / "store" / "got", status=WARNINGS, user=65534)
        self.assertEqual("content\n", (self.dir / "store" / "got").read_text())

    def test_what_may_not_be_looked_at_is_not_taken_for_removed(self):
        self.give_to_nobody()
        self.write("half/a", "a")
        self.write("half/b/c", "c")
        self.write("z", "z")
        self.rota("init", "main", "--source", self.source, "--target", self.store, user=65534)
        self.silent("backup", user=65534)
        before = self.rota("ls", user=65534).out
        (self.source / "half").chmod(0o744)  # its names can be read, and no more
        (self.source / "z").write_text("changed")
        result = self.rota("backup", status=WARNINGS, user=65534)
        self.assertEqual(2, result.err.count("cannot be looked at: permission denied"), result.err)
        paths = [line["path"] for line in self.rota("ls", "--json", user=65534).json_lines()]
        self.assertEqual(["", "half", "half/a", "half/b", "half/b/c", "z"], sorted(paths), before)
        (self.source / "half").chmod(0o755)
        (self.source / "half" / "a").unlink()
        self.silent("backup", user=65534)
        paths = [line["path"] for line in self.rota("ls", "--json", user=65534).json_lines()]
        self.assertNotIn("half/a", paths)
        self.assertIn("half/b/c", paths)

    def test_a_restore_without_the_right_to_set_owners_says_so_once(self):
        self.need_nobody()
        self.init()
        for name in ("a", "b", "d/c"):
            self.write(name, name)
        self.backup()
        subprocess.run(["chmod", "-R", "a+rX", str(self.store)], check=True)
        (self.dir / "home").mkdir()
        os.chown(self.dir / "home", 65534, 65534)
        result = self.rota("restore", "--target", self.store, "--to", self.dir / "home" / "r",
                           status=WARNINGS, user=65534)
        self.assertRegex(result.err, r"\Awarning: [^\n]*owner[^\n]*\n\Z")
        restored = self.dir / "home" / "r"
        self.assertEqual("d/c", (restored / "d" / "c").read_text())
        self.assertEqual((self.source / "a").stat().st_mtime_ns,
                         (restored / "a").stat().st_mtime_ns)
