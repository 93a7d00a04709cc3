"""The screen over a slow line: how many bytes it sends, and when. At 9,600 bit/s a thousand of them take
a second. With ROTA_SHOW_BYTES=1 the figures are printed."""

import ctypes
import fcntl
import json
import os
import pathlib
import pty
import select
import signal
import struct
import termios
import time

import cli_disks
import machine

TUI = os.path.join(os.path.dirname(machine.ROTA), "rota-tui")
FRAME_END = b"\x1b[m"  # all attributes off, which ncurses sends behind each frame and nowhere else
IN_ACCESS = 1  # of inotify


class Line:
    """The screen at the other end of a line, on which only bytes are counted."""

    def __init__(self, test, columns, rows, **env):
        environment = test.environment(TERM="xterm-256color", LC_ALL="C.UTF-8", **env)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                os.execve(TUI, [TUI], {k: v for k, v in environment.items() if v is not None})
            finally:
                os._exit(127)
        test.addCleanup(self.end)

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def told(self, text=b"", least=1):
        """What it sends up to the end of a frame, at least so many bytes, this text among them."""
        sent, end = b"", time.monotonic() + 60
        while not (sent.endswith(FRAME_END) and text in sent and len(sent) >= least):
            left = end - time.monotonic()
            if left < 0 or not select.select([self.fd], [], [], left)[0]:
                raise AssertionError(f"nothing but {sent} for a minute")
            sent += os.read(self.fd, 65536)
        return sent

    def after(self, keys):
        os.write(self.fd, keys.encode())
        return self.told()


class Readers:
    """Hears of whoever reads a file."""

    def __init__(self, test, path):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_CLOEXEC)
        test.addCleanup(os.close, self.fd)
        if self.fd < 0 or libc.inotify_add_watch(self.fd, os.fsencode(path), IN_ACCESS) < 0:
            raise OSError(ctypes.get_errno(), "inotify")

    def wait(self):
        if not select.select([self.fd], [], [], 60)[0]:
            raise AssertionError("nobody has read the file for a minute")


class SlowLine(machine.Machine):
    taken_in = cli_disks.Disks.taken_in
    two_disks = cli_disks.Disks.two_disks

    def setUp(self):
        super().setUp()
        self.now = int(time.time())
        self.init()
        self.taken_in(self.two_disks())

    def progress(self, disk):
        """A job as its progress file tells it; returns what tells of a second more, and the file."""
        run = pathlib.Path(self.places["RUN"])
        run.mkdir(exist_ok=True)
        held = open(run / "new", "a", encoding="utf-8")
        self.addCleanup(held.close)
        fcntl.flock(held, fcntl.LOCK_EX)  # as a job that runs

        def write(*lines):  # with one call: they are one frame
            held.write("".join(json.dumps(line) + "\n" for line in lines))
            held.flush()
        times = (f"2026-01-01T00:00:{second:02}Z" for second in range(60))
        seconds = iter(range(1, 60))

        def tick():
            second = next(seconds)
            write({"time": next(times), "activity": "copying", "files": 41 * second,
                   "bytes": 48_000_000 * second, "total_files": 0, "total_bytes": 10_000_000_000})
        write({"job": f"disk {disk}", "pid": os.getpid(), "started": "2026-01-01T00:00:00Z"},
              {"time": next(times), "step": "copy", "state": "begins", "server": "main"})
        tick()
        path = run / f"disk-{disk}.json"
        os.rename(run / "new", path)
        return tick, path

    def assert_silent(self, line, seconds):
        """Nothing happens that is seen, and nothing is sent."""
        self.assertEqual([], select.select([line.fd], [], [], seconds)[0])

    def assert_sent(self, sent, most):
        if os.environ.get("ROTA_SHOW_BYTES"):
            print(sent)
        for what, count in sent.items():
            self.assertLessEqual(count, most[what], f"{what}: {sent}")

    def test_a_key_and_a_tick_send_only_what_changes(self):
        line = Line(self, 80, 24)
        sent = {"first screen": len(line.told(b"q quit", 1000))}
        self.assert_silent(line, 0.8)
        sent["down"] = len(line.after("j"))
        sent["menu"] = len(line.after("\r"))
        sent["menu, down"] = len(line.after("j"))
        sent["back"] = len(line.after("q"))
        tick, file = self.progress("A")
        line.told(b"48 MB of 10 GB")
        ticks = []
        for _ in range(4):
            tick()
            ticks.append(len(line.told()))
        sent["tick"] = max(ticks)
        line.after("d")
        readers = Readers(self, file)
        tick()
        readers.wait()
        self.assert_silent(line, 0.5)  # this page does not show it
        self.assert_sent(sent, {"first screen": 2_500, "down": 500, "menu": 1_200,
                                "menu, down": 150, "back": 2_300, "tick": 150})

    def test_a_large_window_sends_little_more(self):
        line = Line(self, 160, 50)
        sent = {"first screen": len(line.told(b"q quit", 1000)), "down": len(line.after("j"))}
        self.assert_sent(sent, {"first screen": 3_200, "down": 600})
