"""Unusual trees: odd names, long paths, many files, links, and what is left out."""

import hashlib
import json
import os
import sys
import threading
import time
import urllib.parse

from machine import WARNINGS, Machine, contents, private_mounts

NOT_UTF8 = b"caf\xe9 \xff\xfe"
ODD = [NOT_UTF8, b"line\nbreak", b"tab\t quote\" back\\slash", b" leading and trailing ", b"-rf",
       b"\x1b[31mred\x1b[0m", "Ünïcödé ✓".encode(), b"*?[a-c]", b"%41%", b"\xc2\x9b", b"a" * 255,
       b"$(reboot)", b"\xed\xa0\x80"]


def odd_name(name):
    """The name as an argument for a program."""
    return os.fsdecode(name)


class Names(Machine):
    def make_odd(self):
        os.mkdir(os.fsencode(self.source) + b"/dir")
        for name in ODD:
            with open(os.fsencode(self.source) + b"/dir/" + name, "wb") as file:
                file.write(name)

    def test_any_name_is_backed_up_listed_and_restored(self):
        self.init()
        self.make_odd()
        run = self.backup()
        self.assertEqual(len(ODD) + 2, len(self.rota("ls").out.splitlines()))
        found = []
        for line in self.rota("ls", "--json").json_lines():
            found.append(urllib.parse.unquote_to_bytes(line["path_bytes"])
                         if "path_bytes" in line else line["path"].encode())
        for name in filter(self.is_plain, ODD):
            self.assertIn(b"dir/" + name, found)
        self.assert_same(self.source, self.restored())
        self.assertEqual("", self.rota("diff", run, run, "--json").out)

    @staticmethod
    def is_plain(name):
        """Stands in JSON as it is, or in path_bytes; others have \\x1b and so on."""
        try:
            text = name.decode()
        except UnicodeDecodeError:
            return True  # given in path_bytes
        return text.isprintable() and "\\" not in text

    def test_a_name_that_is_not_utf8_is_given_by_its_bytes(self):
        self.init()
        self.make_odd()
        first = self.backup()
        for name in ODD:
            with self.subTest(name=name):
                path = "dir/" + odd_name(name)
                line = json.loads(self.rota("ls", path, "--json").out)
                self.assertEqual(len(name), line["size"])
                to = self.dir / f"got{ODD.index(name)}"
                self.silent("fetch", path, to)
                self.assertEqual(name, to.read_bytes())
                self.silent("restore", "--path", path, "--to", str(to) + ".d")
                with open(os.fsencode(to) + b".d/dir/" + name, "rb") as file:
                    self.assertEqual(name, file.read())
        with open(os.fsencode(self.source) + b"/dir/" + NOT_UTF8, "ab") as file:
            file.write(b"more")
        second = self.backup()
        lines = self.rota("diff", first, second).out.splitlines()
        self.assertEqual(["M dir/caf\\xe9 \\xff\\xfe"], lines)
        (line,) = self.rota("diff", first, second, "--json").json_lines()
        self.assertEqual(("content", "dir/caf\\xe9 \\xff\\xfe"), (line["change"], line["path"]))
        self.fails(1, "caf\\\\xe9x", "fetch", "caf\udce9x", self.dir / "none")

    def test_a_terminal_is_not_sent_control_characters_of_names(self):
        self.init()
        self.make_odd()
        self.backup()
        for output in (self.rota("ls").out, self.rota("diff", "now", "now").out):
            self.assertNotIn("\x1b", output)
            self.assertNotIn("\x9b", output)


class Sizes(Machine):
    def make_deep(self, length):
        """Directories below each other up to a path of that many bytes, with files on the way."""
        fd = os.open(self.source, os.O_RDONLY | os.O_DIRECTORY)
        path = 0
        level = 0
        while path < length:
            name = f"{level:03}" + "x" * 117
            os.mkdir(name, 0o750, dir_fd=fd)
            child = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
            os.close(fd)
            fd = child
            path += len(name) + 1
            level += 1
            if level % 10 == 0 or path >= length:
                with open(os.open("file", os.O_WRONLY | os.O_CREAT, 0o640, dir_fd=fd), "w",
                          encoding="utf-8") as file:
                    file.write(f"at {path}")
                os.utime("file", ns=(0, 1_234_567_890_123_456_789 + level), dir_fd=fd)
                os.symlink("file", "link", dir_fd=fd)
        os.utime(fd, ns=(0, 1_111_111_111_111_111_111))
        os.close(fd)

    def nest(self, top, levels):
        """Directories below each other, named by 250 letters each that do not repeat."""
        os.mkdir(top)
        fd = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
        for level in range(levels):
            name = (hashlib.sha512(f"{level}".encode()).hexdigest() * 2)[:250]
            os.mkdir(name, 0o755, dir_fd=fd)
            child = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
            os.close(fd)
            fd = child
        os.close(fd)

    def test_who_nests_directories_without_end_spoils_nobody_s_backup(self):
        self.init()
        self.write("home/ann/file", "ann's")
        self.nest(self.source / "home" / "bob", 1700)
        self.write("z", "last")
        for _ in range(2):
            result = self.rota("backup", status=WARNINGS)
            self.assertRegex(result.err, r"\Awarning: [^\n]{1,700}longer than 32,768 bytes[^\n]*\n\Z")
            self.write("home/ann/file", "ann's, changed")
        self.assertEqual(2, len(self.runs()))
        self.silent("verify", "--data")
        restored = self.restored()
        self.assertEqual("last", (restored / "z").read_text())
        self.assertTrue((restored / "home" / "bob").is_dir())

    def test_a_path_of_ten_thousand_bytes_is_restored_exactly(self):
        self.init()
        self.make_deep(10_000)
        self.backup()
        deepest = max(self.paths(), key=len)
        self.assertGreater(len(deepest), 10_000)
        # rsync opens nothing that is longer than 4,096 bytes.
        self.assertEqual(contents(self.source), contents(self.restored()))
        self.silent("fetch", deepest, self.dir / "got")
        self.assertRegex((self.dir / "got").read_text(), r"\Aat \d{5}\Z")
        with open(self.source / ("000" + "x" * 117) / "file2", "w", encoding="utf-8") as file:
            file.write("more")
        self.backup()
        self.assertEqual(contents(self.source), contents(self.restored()))

    def test_the_comparison_of_long_paths_sees_a_nanosecond_a_mode_and_a_byte(self):
        self.make_deep(5_000)
        before = contents(self.source)
        parent = self.source
        for level in range(10):
            parent = parent / f"{level:03}{'x' * 117}"
        file = parent / "file"
        st = file.stat()
        os.utime(file, ns=(0, st.st_mtime_ns + 1))
        self.assertNotEqual(before, contents(self.source))
        os.utime(file, ns=(0, st.st_mtime_ns))
        self.assertEqual(before, contents(self.source))
        file.chmod(0o600)
        self.assertNotEqual(before, contents(self.source))
        file.chmod(0o640)
        file.write_text("At 1210")
        os.utime(file, ns=(0, st.st_mtime_ns))
        self.assertNotEqual(before, contents(self.source))

    def test_a_hundred_thousand_files_in_one_directory(self):
        if private_mounts():  # in memory: a disk would be busy with the inodes for long
            self.mount(self.dir / "memory", "size=1g,nr_inodes=500k")
            self.source = self.dir / "memory" / "source"
            self.source.mkdir()
        to = self.source.parent / "restored"
        self.init()
        directory = self.source / "many"
        directory.mkdir()
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        for i in range(100_000):
            os.mknod(f"{i * 7919 % 100_000:05}", 0o644, dir_fd=fd)
            if i % 100 == 0:
                self.write(f"many/{i * 7919 % 100_000:05}", str(i))
        os.close(fd)
        seconds = {}
        for what, args in (("full", ["backup"]), ("increment", ["backup"]),
                           ("restore", ["restore", "--to", to])):
            start = time.monotonic()
            self.silent(*args)
            seconds[what] = time.monotonic() - start
        sys.stderr.write("\n100,000 files: " + ", ".join(
            f"{what} {taken:.1f} s" for what, taken in seconds.items()) + "\n")
        self.assertEqual([100_002, 100_002], [run["files"] for run in self.runs()])
        self.assert_same(self.source, to)

    def test_sparse_and_empty_files_stay_so(self):
        self.init()
        self.write("empty", "")
        with open(self.source / "sparse", "wb") as file:
            file.write(b"start")
            file.truncate(200 << 20)
        self.backup()
        to = self.restored()
        self.assert_same(self.source, to)
        self.assertLess((to / "sparse").stat().st_blocks, 1000)


class Kinds(Machine):
    def test_every_kind_but_sockets_comes_back(self):
        self.init()
        self.write("file").chmod(0o4751)
        os.symlink("nowhere", self.source / "link")
        os.mkfifo(self.source / "fifo", 0o640)
        os.link(self.source / "file", self.source / "second name")
        (self.source / "dir").mkdir(mode=0o700)
        os.utime(self.source / "dir", ns=(1, 1_500_000_000_987_654_321))
        if os.geteuid() == 0:
            os.mknod(self.source / "device", 0o20600, os.makedev(1, 3))
            os.chown(self.source / "link", 1234, 5678, follow_symlinks=False)
        self.backup()
        to = self.restored()
        self.assert_same(self.source, to)
        self.assertEqual(2, (to / "file").stat().st_nlink)

    def test_a_hard_link_whose_first_name_was_left_out(self):
        self.init(excludes=f"- {self.source}/a\n")
        first = self.write("a/first", "shared")
        (self.source / "b").mkdir()
        os.link(first, self.source / "b" / "second")
        os.link(first, self.source / "c")
        self.backup()
        to = self.restored()
        self.assertFalse((to / "a").exists())
        self.assertEqual("shared", (to / "b" / "second").read_text())
        self.assertTrue(os.path.samefile(to / "b" / "second", to / "c"))
        part = self.restored("--path", "c")  # and the first name not wanted
        self.assertEqual("shared", (part / "c").read_text())
        self.silent("fetch", "c", self.dir / "got")
        self.assertEqual("shared", (self.dir / "got").read_text())

    def test_a_first_name_that_is_left_out_later(self):
        self.init()
        os.link(self.write("a", "shared"), self.source / "b")
        self.backup()
        (self.source / "a").unlink()
        self.backup()
        to = self.restored()
        self.assert_same(self.source, to)
        self.write("0")
        os.link(self.source / "b", self.source / "0b")
        self.backup()
        self.assert_same(self.source, self.restored())


class LeftOut(Machine):
    def kept(self):
        self.silent("backup")
        return self.paths()

    def test_exclude_rules_are_taken_in_order(self):
        s = self.source
        self.init(excludes=f"""# a comment
+ {s}/home/*/keep
- {s}/home/*
- {s}/**/*.o
+ {s}/var/log/[a-c]*
- {s}/var/log
- {s}/x?
- {s}/with blank
""")
        for name in ("home/me/junk", "home/me/keep/this", "home/you/junk", "src/a.o",
                     "src/deep/b.o", "src/a.c", "var/log/auth", "var/log/daemon", "x1", "xy",
                     "x12", "with blank/f", "etc/fstab"):
            self.write(name)
        self.assertEqual(
            ["etc", "etc/fstab", "home", "home/me", "home/me/keep", "home/me/keep/this", "src",
             "src/a.c", "src/deep", "var", "var/log", "var/log/auth", "x12"], self.kept())

    def test_caches_and_marked_directories_are_left_out(self):
        self.init(exclude_if_present='[".nobackup"]')
        self.write("cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# cache\n")
        self.write("cache/big")
        self.write("no cache/CACHEDIR.TAG", "something else")
        self.write("no cache/file")
        self.write("marked/.nobackup", "")
        self.write("marked/file")
        self.assertEqual(["cache", "cache/CACHEDIR.TAG", "marked", "marked/.nobackup", "no cache",
                          "no cache/CACHEDIR.TAG", "no cache/file"], self.kept())
        self.set(exclude_caches="false")
        self.assertIn("cache/big", self.kept())

    def test_rotas_own_cache_credentials_and_store_are_left_out(self):
        self.store = self.source / "srv" / "store"
        own = self.source / "var"
        self.places = {name: str(own / name.lower()) for name in self.places}
        self.write("file")
        self.write("var/cache/keep")
        secret = self.write("etc/credentials", "the key")
        self.places["CACHE"] = str(own / "cache" / "rota")
        self.init(credentials=f'"{secret}"')
        (self.source / "srv").mkdir()
        self.write("var/config/keys/disk", "a key")
        for _ in range(2):
            paths = self.kept()
            for path in ("srv/store", "etc/credentials", "var/config/keys", "var/cache/rota"):
                self.assertNotIn(path, paths)
            for path in ("file", "srv", "etc", "var/cache/keep", "var/config/main/profile.toml"):
                self.assertIn(path, paths)
        self.silent("verify", "--data")

    def test_the_same_when_the_source_is_reached_through_a_symlink(self):
        real = self.source
        self.source = self.dir / "alias"
        self.source.symlink_to(real)
        self.store = real / "store"
        self.write("file")
        self.init()
        self.assertEqual(["file"], self.kept())

    def test_one_file_system(self):
        self.write("file")
        self.mount(self.source / "other", "size=1m")
        self.write("other/inside")
        self.init()
        self.assertIn("other/inside", self.kept())
        self.set(one_file_system="true")
        self.assertEqual(["file", "other"], self.kept())

    def test_what_is_excluded_later_is_gone_from_the_next_run_only(self):
        self.init()
        self.write("a")
        self.write("b")
        first = self.backup()
        (self.dir / "config" / "main" / "exclude").write_text(f"- {self.source}/a\n")
        self.assertEqual(["b"], self.kept())
        self.assertEqual(["a", "b"], self.paths("--at", first))


class Vanishing(Machine):
    def test_a_file_that_grows_while_it_is_read_is_kept_with_a_warning_at_most(self):
        self.init()
        log = self.write("log", os.urandom(8 << 20))
        done = threading.Event()

        def append():
            while not done.wait(0.002):
                with open(log, "ab") as file:
                    file.write(b"a line\n")

        writer = threading.Thread(target=append)
        writer.start()
        result = self.rota("backup", status=None)
        done.set()
        writer.join()
        self.assertIn(result.status, (0, WARNINGS), result.err)
        if result.status == WARNINGS:
            self.assertRegex(result.err, r"\Awarning: \S*log: changed while it was read")
        self.silent("fetch", "log", self.dir / "got")
        got = (self.dir / "got").read_bytes()
        self.assertEqual(log.read_bytes()[:8 << 20], got[:8 << 20])
