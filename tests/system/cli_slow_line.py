"""The screen over a slow line: how many bytes it sends, and when. At 9,600 bit/s a thousand of them take
a second. With ROTA_SHOW_BYTES=1 the figures are printed."""

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
CALM = 0.2  # seconds without a byte: it has said all


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

    def told(self, least=1, calm=CALM):
        """What it sends until it is calm, at least so many bytes."""
        sent, end = b"", time.monotonic() + 15
        while time.monotonic() < end:
            ready, _, _ = select.select([self.fd], [], [], calm)
            if ready:
                sent += os.read(self.fd, 65536)
            elif len(sent) >= least:
                return sent
        raise AssertionError(f"nothing but {sent} for 15 s")

    def after(self, keys):
        os.write(self.fd, keys.encode())
        return self.told()


class SlowLine(machine.Machine):
    taken_in = cli_disks.Disks.taken_in
    two_disks = cli_disks.Disks.two_disks

    def setUp(self):
        super().setUp()
        self.now = int(time.time())
        self.init()
        self.taken_in(self.two_disks())

    def progress(self, disk):
        """A job as its progress file tells it; returns what tells of a second more."""
        run = pathlib.Path(self.places["RUN"])
        run.mkdir(exist_ok=True)
        path = run / f"disk-{disk}.json"
        held = open(path, "a", encoding="utf-8")
        self.addCleanup(held.close)
        fcntl.flock(held, fcntl.LOCK_EX)  # as a job that runs

        def write(**line):
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        write(job=f"disk {disk}", pid=os.getpid(), started="2026-01-01T00:00:00Z")
        write(time="2026-01-01T00:00:00Z", step="copy", state="begins", server="main")
        seconds = iter(range(1, 60))

        def tick():
            second = next(seconds)
            write(time=f"2026-01-01T00:00:{second:02}Z", activity="copying", files=41 * second,
                  bytes=48_000_000 * second, total_files=0, total_bytes=10_000_000_000)
        return tick

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
        sent = {"first screen": len(line.told(1000, calm=1))}
        self.assert_silent(line, 0.8)
        sent["down"] = len(line.after("j"))
        sent["menu"] = len(line.after("\r"))
        sent["menu, down"] = len(line.after("j"))
        sent["back"] = len(line.after("q"))
        tick = self.progress("A")
        tick()
        line.told(calm=0.5)
        ticks = []
        for _ in range(4):
            tick()
            ticks.append(len(line.told()))
        sent["tick"] = max(ticks)
        line.after("d")
        tick()
        self.assert_silent(line, 0.5)  # this page does not show it
        self.assert_sent(sent, {"first screen": 2_500, "down": 500, "menu": 1_200,
                                "menu, down": 150, "back": 2_300, "tick": 150})

    def test_a_large_window_sends_little_more(self):
        line = Line(self, 160, 50)
        sent = {"first screen": len(line.told(1000, calm=1)), "down": len(line.after("j"))}
        self.assert_sent(sent, {"first screen": 3_200, "down": 600})
