"""A terminal that a test types into and looks at: tmux, with a server of its own."""

import os
import re
import shutil
import subprocess
import time

WAIT = float(os.environ.get("ROTA_TMUX_WAIT", 30))  # seconds; what is waited for comes in a tenth of one


class Tmux:
    """One window with a shell in it, until the test ends."""

    def __init__(self, test, columns=100, rows=30, **env):
        if not shutil.which("tmux"):
            test.skip("needs tmux")
        self.test, self.socket = test, str(test.dir / "tmux")
        settings = test.environment(**{"TERM": None, "TMUX": None, "ENV": None, **env})
        # A shell that reads no file of the person who runs the tests.
        self("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
             "sh", env={name: value for name, value in settings.items() if value is not None})
        test.addCleanup(self.end)
        self("set-option", "-g", "escape-time", "0")
        # Some shells take no prompt from the environment when root runs them.
        self.type("PS1='ready> '; clear\n")
        self.see(r"\Aready>$")

    def __call__(self, *words, env=None):
        done = subprocess.run(["tmux", "-S", self.socket, *words], check=True, env=env,
                              stdout=subprocess.PIPE, text=True, encoding="utf-8")
        return done.stdout

    def end(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False,
                       stderr=subprocess.DEVNULL)

    def type(self, text):
        """As a keyboard does; a line feed is Enter."""
        for part in re.split("(\n)", text):
            if part == "\n":
                self("send-keys", "Enter")
            elif part:
                self("send-keys", "-l", "--", part)

    def key(self, *names):
        self("send-keys", *names)

    def resize(self, columns, rows):
        self("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self, *options):
        return self("capture-pane", "-p", *options)

    def ask(self, form):
        return self("display-message", "-p", form).strip()

    def see(self, pattern, absent=False):
        """Waits until the screen shows the pattern, or no longer does; returns the screen."""
        end = time.monotonic() + WAIT
        while True:
            shown = self.screen().rstrip()
            if bool(re.search(pattern, shown)) != absent:
                return shown
            if time.monotonic() > end:
                self.test.fail(f"{pattern!r} {'stays' if absent else 'never comes'}:\n{shown}")
            time.sleep(0.03)

    def wait(self, what, condition):
        end = time.monotonic() + WAIT
        while not condition():
            if time.monotonic() > end:
                self.test.fail(f"{what} never comes:\n{self.screen()}")
            time.sleep(0.03)


def stty(test, tmux, name):
    """What the terminal is set to, asked by the shell in it."""
    file = test.dir / name
    tmux.type(f"stty -a > {file}.part; mv {file}.part {file}\n")
    tmux.wait(f"stty in {name}", lambda: os.path.exists(file))
    return file.read_text()
