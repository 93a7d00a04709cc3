"""A machine for one test: rota itself, a source, a store and places of its own."""

import contextlib
import ctypes
import functools
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

ROTA = os.environ.get("ROTA", "")
NOBODY = 65534
TIMEOUT = 300  # with sanitizers everything takes several times as long

DONE, FAILED, USAGE, WARNINGS, CORRUPT, REFUSED, LOCKED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 11, 130

# What has no place in a message for people.
JARGON = re.compile(r"errno|std::|exception|terminate|what\(\)|basic_|\.cpp|filesystem error|"
                    r"\(os error|does not know|parse_error|AddressSanitizer|runtime error")


class Result:
    """What a program did: its exit status and, as text, what it printed."""

    def __init__(self, status, out, err):
        self.status = status
        self.out = out.decode("utf-8", "surrogateescape")
        self.err = err.decode("utf-8", "surrogateescape")

    def json(self):
        return json.loads(self.out)

    def json_lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


@functools.lru_cache(None)
def private_mounts():
    """True when this process can mount: in a namespace of its own, which vanishes with it."""
    new_namespace = 0x00020000
    if os.geteuid() != 0 or ctypes.CDLL(None, use_errno=True).unshare(new_namespace) != 0:
        return False
    made = subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, check=False)
    if made.returncode != 0:
        return False
    with tempfile.TemporaryDirectory() as place:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "rota-test", place],
                                 capture_output=True, check=False)
        if mounted.returncode == 0:
            subprocess.run(["umount", place], check=True)
        return mounted.returncode == 0


class Machine(unittest.TestCase):
    """A test with directories of its own. Names of tests are sentences with underscores."""

    maxDiff = None
    place = None  # where the directories are made; None: where temporary files go

    def setUp(self):
        # Not resolved: what a person gives as a source may lie behind a symlink, too.
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="rota-system-", dir=self.place))
        self.addCleanup(self._remove)
        self.mounts = []
        self.source = self.dir / "source"
        self.store = self.dir / "store"
        self.source.mkdir()
        self.places = {name: str(self.dir / name.lower()) for name in ("CONFIG", "STATE", "CACHE", "RUN")}

    def _remove(self):
        for place in reversed(self.mounts):
            subprocess.run(["umount", "-l", place], check=False)
        subprocess.run(["rm", "-rf", str(self.dir)], check=False)  # any depth, any name

    def skip(self, reason):
        """Says loudly that the test cannot run here: see tests/support/skip.h."""
        name = self.id().rsplit(".", maxsplit=1)[-1].removeprefix("test_").replace("_", " ")
        line = f"SKIPPED: {name}: {reason}\n"
        sys.stderr.write(line)
        if log := os.environ.get("ROTA_SKIP_LOG"):
            with open(log, "a", encoding="utf-8") as file:
                file.write(line)
        self.skipTest(reason)

    # ---- running rota ----

    def environment(self, **more):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("ROTA_", "XDG_"))}
        env.update({"LC_ALL": "C.UTF-8", "TZ": "UTC"})
        env.update({f"ROTA_{name}_DIR": place for name, place in self.places.items()})
        env.update(more)
        return {name: value for name, value in env.items() if value is not None}

    def start(self, *args, user=None, env=None, **more):
        """Starts rota; as another user through a descriptor, because that one may not be allowed to
        go where the program lies."""
        settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                    "stderr": subprocess.PIPE, "env": self.environment(**(env or {}))}
        settings.update(more)
        argv = [ROTA, *map(os.fspath, args)]
        if user is None:
            return subprocess.Popen(argv, **settings)
        program = os.open(ROTA, os.O_RDONLY)
        try:
            return subprocess.Popen(argv, executable=f"/proc/self/fd/{program}",
                                    pass_fds=(program,), user=user, group=user, extra_groups=[],
                                    cwd="/", **settings)
        finally:
            os.close(program)

    def rota(self, *args, status=DONE, **more):
        """Runs rota to its end and checks its exit status (None: any)."""
        with self.start(*args, **more) as process:
            try:
                out, err = process.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        result = Result(process.returncode, out or b"", err or b"")
        if status is not None:
            shown = f"rota {' '.join(map(str, args))}\n{result.out}{result.err}"
            self.assertEqual(status, result.status, shown)
        return result

    def fails(self, status, pattern, *args, **more):
        """Runs rota, which must fail with this status and one clear sentence that `pattern` finds
        something in."""
        result = self.rota(*args, status=status, **more)
        self.assertEqual("", result.out)
        self.assert_sentence(result.err)
        self.assertRegex(result.err, pattern)
        return result

    def silent(self, *args, **more):
        """Runs rota, which must succeed and say nothing, as under cron."""
        result = self.rota(*args, **more)
        self.assertEqual(("", ""), (result.out, result.err))

    def assert_sentence(self, text):
        self.assertRegex(text, r"\Arota: [^\n]+\n\Z", "not one line")
        self.assertNotRegex(text, JARGON)
        self.assertLessEqual(len(text), 600, "too long to be read")
        self.assertNotRegex(text, r"rota: .*: .*: .*: .*: ", "a stack of wrapped errors")

    def on_terminal(self, *args, typed=b""):
        """Runs rota on a terminal. Returns its exit status and all that the terminal was sent."""
        master, slave = pty.openpty()
        with self.start(*args, stdin=slave, stdout=slave, stderr=slave,
                        start_new_session=True) as process:
            os.close(slave)
            if typed:
                os.write(master, typed)
            shown = b""
            while True:
                try:
                    part = os.read(master, 65536)
                except OSError:  # EIO: nobody holds the other end any more
                    break
                if not part:
                    break
                shown += part
            os.close(master)
            return process.wait(TIMEOUT), shown.decode("utf-8", "surrogateescape")

    def with_terminal(self, *args):
        """Starts rota with a controlling terminal, where it asks what it reads from nowhere else.
        Its process and the terminal's two ends: ours and, held open so that its settings can be
        looked at, rota's."""
        master, slave = pty.openpty()

        def take_terminal():
            os.setsid()
            os.close(os.open(os.ttyname(slave), os.O_RDWR))  # becomes the controlling one

        process = self.start(*args, preexec_fn=take_terminal, pass_fds=(slave,))
        self.addCleanup(os.close, slave)
        self.addCleanup(os.close, master)
        return process, master, slave

    # ---- settings ----

    def init(self, name="main", excludes="", **settings):
        """A profile for self.source and self.store; further settings as TOML values."""
        self.rota("init", name, "--source", self.source, "--target", f"file://{self.store}")
        self.set(name, **settings)
        if excludes:
            file = pathlib.Path(self.places["CONFIG"]) / name / "exclude"
            file.write_text(excludes, encoding="utf-8")

    def set(self, name="main", **settings):
        """Sets keys in a profile, replacing what is there."""
        file = pathlib.Path(self.places["CONFIG"]) / name / "profile.toml"
        lines = file.read_text(encoding="utf-8").splitlines()
        for key, value in settings.items():
            lines = [line for line in lines if not re.match(rf"#?{key} = ", line)]
            lines.append(f"{key} = {value}")
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def hook(self, when, script):
        file = pathlib.Path(self.places["CONFIG"]) / "main" / when
        file.write_text("#!/bin/sh\n" + script, encoding="utf-8")
        file.chmod(0o700)

    # ---- the store ----

    def runs(self):
        """The runs as `rota list --json` gives them."""
        return self.rota("list", "main", "--json").json()["runs"]

    def backup(self, *args):
        """Makes a run and returns its name."""
        self.silent("backup", "main", *args)
        return self.runs()[-1]["name"]

    def objects(self, pattern):
        found = sorted(self.store.glob(pattern))
        self.assertTrue(found, f"the store has no {pattern}")
        return found

    def volumes(self):
        return self.objects("data/*/*/v*")

    # ---- trees ----

    def write(self, name, text="content\n"):
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def paths(self, *args):
        """The paths that `rota ls --json` gives, without the root."""
        return [line["path"] for line in self.rota("ls", *args, "--json").json_lines()
                if line["path"]]

    def restored(self, *args):
        """Restores into a new directory and returns it."""
        to = self.dir / f"restored{len(list(self.dir.glob('restored*')))}"
        self.silent("restore", "main", *args, "--to", to)
        return to

    def assert_same(self, first, second):
        """The same in content and metadata, by rsync, which knows nothing of rota."""
        if not shutil.which("rsync"):
            self.skip("needs rsync to compare trees")
        done = subprocess.run(
            ["rsync", "-aHAXnic", "--numeric-ids", "--delete", "--modify-window=-1",
             f"{first}/", f"{second}/"], capture_output=True, check=False)
        self.assertEqual((b"", b""), (done.stdout, done.stderr))
        self.assertEqual(0, done.returncode)

    def mount(self, place, options):
        """A tmpfs there, until the test ends."""
        if not private_mounts():
            self.skip("needs the right to mount")
        pathlib.Path(place).mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "rota-test", str(place)], check=True)
        self.mounts.append(str(place))

    def remount(self, place, options):
        subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)

    def need_nobody(self):
        """For tests that run rota as a user without rights: opens the test's directory to it."""
        if os.geteuid() != 0:
            self.skip("needs root to run rota as the user nobody")
        self.dir.chmod(0o755)
        try:
            self.rota("--version", user=NOBODY)
            os.stat(self.dir)
            reachable = subprocess.run(["test", "-x", str(self.dir)], user=NOBODY, group=NOBODY,
                                       extra_groups=[], check=False).returncode == 0
        except (AssertionError, OSError):
            reachable = False
        if not reachable:
            self.skip("the user nobody cannot run rota here, or cannot reach the test's directory")


def wait_for(condition, what, seconds=60):
    """Waits until a condition holds; polls fast, because some moments are short."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen in {seconds} s")
        time.sleep(0.002)


def opened(process, file):
    """The numbers of the process's descriptors of this file; none if it ended."""
    file, found = os.path.realpath(file), []
    with contextlib.suppress(OSError):
        for number in os.listdir(f"/proc/{process.pid}/fd"):
            with contextlib.suppress(OSError):  # closed meanwhile
                if os.readlink(f"/proc/{process.pid}/fd/{number}") == file:
                    found.append(number)
    return found


def wait_until_it_waits(process, lock):
    """Waits until a process has found this lock held by another: it has the file open, and then it
    sleeps. (Between its opening and its first try there is nothing to sleep for.)"""
    def sleeps():
        stat = pathlib.Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8")
        return stat.rpartition(")")[2].split()[0] == "S"
    wait_for(lambda: process.poll() is not None or opened(process, lock) and sleeps(),
             f"waiting for {lock}")
    if process.poll() is not None:
        raise AssertionError(f"it ended with status {process.poll()} and did not wait for {lock}")


def read_until(fd, text, seconds=60):
    """Reads from a terminal or a pipe until it has said this, and returns all that it said."""
    shown, end = b"", time.monotonic() + seconds
    while text not in shown:
        left = end - time.monotonic()
        if left < 0 or not select.select([fd], [], [], left)[0]:
            raise AssertionError(f"{text} was not said in {seconds} s: {shown}")
        part = os.read(fd, 65536)
        if not part:
            raise AssertionError(f"it ended without {text}: {shown}")
        shown += part
    return shown


def contents(directory):
    """Every entry below a directory, by descriptors, so that no path is too long: its path, mode,
    owner, mtime in nanoseconds and content or target."""
    found = []

    def walk(fd, path):
        for name in sorted(os.listdir(fd)):
            st = os.stat(name, dir_fd=fd, follow_symlinks=False)
            here = path + (name,)
            content = None
            if stat.S_ISLNK(st.st_mode):
                content = os.readlink(name, dir_fd=fd)
            elif stat.S_ISREG(st.st_mode):
                with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=fd), "rb") as file:
                    content = file.read()
            found.append((here, st.st_mode, st.st_uid, st.st_gid, st.st_mtime_ns, content))
            if stat.S_ISDIR(st.st_mode):
                child = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
                try:
                    walk(child, here)
                finally:
                    os.close(child)

    top = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        walk(top, ())
    finally:
        os.close(top)
    return found


def stop_at(process, moment, number=signal.SIGKILL):
    """Sends a signal when `moment` holds, unless the process ended before. Returns what it did."""
    wait_for(lambda: moment() or process.poll() is not None, "the moment to stop")
    process.send_signal(number)
    out, err = process.communicate(timeout=TIMEOUT)
    return Result(process.returncode, out, err)
