"""The screen, before a real terminal: typed into and looked at through tmux. Its ledgers are those
of cli_disks.py, made back-dated, and of real disks."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import cli_disks
import disk_machine
import machine
import udev_machine
from cli_disks import DAY
from machine import USAGE
from tmux import Tmux, stty

TUI = os.path.join(os.path.dirname(machine.ROTA), "rota-tui")


def processes(tmux):
    """The pids of guard and screen, which the shell in the window started."""
    shell = tmux.ask("#{pane_pid}")

    def children(pid):
        path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        return [int(child) for child in path.read_text().split()]

    guard, = children(shell)
    screen, = children(guard)
    return guard, screen


class Screen(machine.Machine):
    def setUp(self):
        super().setUp()
        self.now = int(time.time())
        self.init()
        self.write("a")
        self.backup()
        self.silent("verify")

    taken_in = cli_disks.Disks.taken_in
    two_disks = cli_disks.Disks.two_disks

    def tmux(self, *size, **env):
        return Tmux(self, *size, **env)

    def open(self, tmux, expected="rota  "):
        tmux.type(f"{machine.ROTA} tui\n")
        return tmux.see(expected)

    def test_the_first_start_says_what_to_do(self):
        tmux = self.tmux(80, 24)
        self.open(tmux, r"What to do first(.|\n)*rota disk prepare(.|\n)*\? help")
        tmux.type("?")
        tmux.see("a barcode scanner")
        tmux.type("qq")
        tmux.see(r"ready>$")

    def assert_frame(self, tmux, columns, rows, keys=()):
        """The window shows, cell for cell, what a screen of this size is from the beginning."""
        done = subprocess.run([TUI, "--replay", self.dir / "recording", "--snapshot",
                               f"{columns}x{rows}", *keys], check=True, env=self.environment(),
                              stdout=subprocess.PIPE, encoding="utf-8")
        frame = done.stdout.splitlines()

        def shown():
            return [line.rstrip() for line in tmux.screen().splitlines()]
        tmux.wait("\n".join(frame) + f"\nat {columns}x{rows}", lambda: shown() == frame)

    def test_it_follows_its_window_from_small_to_large(self):
        self.taken_in(self.two_disks())
        self.rota("disk", "move", "B", "off-site", "--place", "金庫 の銀行", "--by", "jo")
        # A recording, so that the time is the same in all frames.
        self.rota("tui", "--record", self.dir / "recording")
        tmux = self.tmux(80, 24)
        tmux.type(f"{machine.ROTA} tui --replay {self.dir}/recording\n")
        tmux.see("A    on site")
        sizes = ((160, 50), (80, 24), (121, 31), (80, 24), (41, 12), (80, 24))
        for columns, rows in sizes:
            tmux.resize(columns, rows)
            self.assert_frame(tmux, columns, rows)
        tmux.type("j\na")
        tmux.see("> Why: _")
        typed = "j\na"
        for (columns, rows), letters in zip(sizes, ("why", " so", " 日本", " x", "yz", "!")):
            tmux.type(letters)
            typed += letters
            tmux.resize(columns, rows)
            self.assert_frame(tmux, columns, rows, ("--keys", typed))
        tmux.see("> Why: why so 日本 xyz!_")
        tmux.resize(40, 12)
        tmux.key("Escape", "Escape")
        tmux.see(r"\n40x12 is too small to show all: make it")

    def test_a_terminal_without_colour_or_utf8_says_the_same(self):
        self.taken_in(self.two_disks())
        tmux = self.tmux(80, 24, NO_COLOR="1")
        self.open(tmux, "A    on site")
        self.assertNotRegex(tmux.screen("-e"), "\x1b\\[[0-9;]*(3[0-7]|38|9[0-7])m")
        tmux.type("q")
        tmux.see(r"ready>$")
        tmux.type("unset NO_COLOR\n")
        # Good, warning and alarm, with 8 or 16 colours and with 256.
        history = self.two_disks()
        history.add("alarm", {"kind": "tripwire", "disk": "A", "opened": self.now - DAY,
                              "severity": "alarm", "message": "Too many files vanished."})
        self.taken_in(history, "--replace")
        few, many = {"32", "33", "31"}, {"38;5;34", "38;5;178", "38;5;196"}
        for term, known in (("xterm", few), ("xterm-16color", few), ("xterm-256color", many)):
            with self.subTest(term=term):
                if subprocess.run(["infocmp", term], capture_output=True, check=False).returncode:
                    continue  # this machine does not know it
                tmux.type(f"clear; TERM={term} {machine.ROTA} tui\n")
                tmux.see("X Too many files vanished")
                colours = set(re.findall("\x1b\\[[0-9;]*?((?:38;5;[0-9]+)|(?:[39][0-7]))m",
                                         tmux.screen("-e")))
                tmux.type("q")
                tmux.see(r"ready>$")
                self.assertEqual(known, colours)
        for setting in ("TERM=vt100", "LC_ALL=C"):
            tmux.type(f"clear; {setting} {machine.ROTA} tui\n")
            shown = tmux.see(r"A    on site(.|\n)*####(.|\n)*\? help")
            self.assertTrue(shown.isascii(), shown)
            tmux.type("q")
            tmux.see(r"ready>$")

    def test_the_terminal_is_as_it_was_however_the_screen_ends(self):
        self.taken_in(self.two_disks())
        tmux = self.tmux(80, 24)
        before = stty(self, tmux, "before")
        ends = {
            "q": lambda guard, screen: tmux.type("q"),
            "ctrl-c": lambda guard, screen: tmux.key("C-c"),
            "term": lambda guard, screen: os.kill(guard, signal.SIGTERM),
            "hup": lambda guard, screen: os.kill(screen, signal.SIGHUP),
            "crash": lambda guard, screen: os.kill(screen, signal.SIGSEGV),
            "kill": lambda guard, screen: os.kill(screen, signal.SIGKILL),
            "kill-guard": lambda guard, screen: os.kill(guard, signal.SIGKILL),
        }
        for name, end in ends.items():
            with self.subTest(end=name):
                self.open(tmux, "A    on site")
                self.assertEqual("1", tmux.ask("#{alternate_on}"))
                guard, screen = processes(tmux)
                end(guard, screen)
                tmux.wait("the end", lambda: not os.path.exists(f"/proc/{screen}"))
                tmux.wait("the old screen", lambda: tmux.ask("#{alternate_on}") == "0")
                self.assertEqual("1", tmux.ask("#{cursor_flag}"))
                self.assertEqual("0", tmux.ask("#{mouse_any_flag}"))
                tmux.type("clear\n")
                tmux.see(r"\Aready>$")
                self.assertEqual(before, stty(self, tmux, f"after-{name}"))

    def test_the_mouse_selects_a_disk_and_opens_what_to_do(self):
        self.taken_in(self.two_disks())
        tmux = self.tmux(80, 24)
        shown = self.open(tmux, r"\+ B    off site").splitlines()
        row = next(i for i, line in enumerate(shown) if "+ B    off site" in line)
        click = "".join("\x1b[M" + "".join(chr(32 + n) for n in (button, 5, row + 1))
                        for button in (0, 3))  # pressed, released
        tmux.type(click)
        tmux.see(r">.\+ B    off site")
        tmux.type(click)
        tmux.see("ROTA-B what to do")

    def test_it_sees_at_once_what_others_record(self):
        self.taken_in(self.two_disks())
        tmux = self.tmux(80, 24)
        self.open(tmux, "A    on site")
        self.rota("disk", "move", "A", "in-transit-out", "--by", "jo")
        tmux.see("> A    in transit out")

    def test_a_scanned_label_checks_a_disk_in_and_out_again(self):
        self.taken_in(self.two_disks())
        tmux = self.tmux(140, 30)
        self.open(tmux, "A    on site")
        tmux.type("ROTA-B\n")
        tmux.see("> i  Check in")
        tmux.type("\n")
        tmux.see("Who says so: _")
        tmux.type("kim\n")
        tmux.see("Check in: it is here again: done")
        tmux.key("Escape", "Escape")
        tmux.see(r"B    on site +kim ")
        tmux.type("ROTA-B\n")
        tmux.see("> o  Check out")
        tmux.type("p")
        tmux.see("Where to: _")
        tmux.type("vault 日本\n\n")
        tmux.see("It has arrived off site: done")
        tmux.key("Escape", "Escape")
        tmux.see(r"B    off site vault 日本 kim ")
        self.assertIn("off site at 'vault 日本'", self.rota("history").out)

    def test_the_files_of_a_run_are_listed_and_restored(self):
        self.write("etc/fstab", "content")
        self.backup()
        tmux = self.tmux(100, 30)
        self.open(tmux)
        tmux.type("T")
        tmux.see("> .* increment")
        tmux.type("\n")
        tmux.see(r"/  2 names(.|\n)*\n  d .* etc/")
        tmux.type("j\n")
        tmux.see(r"/etc  1 name\n> - +7 B  .*  fstab")
        tmux.type("hf")
        tmux.see("Which file or directory .*: etc\n> Into which directory: _")
        tmux.type(f"{self.dir}/to\n")
        tmux.see("Restore files from it: done")
        self.assertEqual("content", (self.dir / "to/etc/fstab").read_text())
        # What is no run any more is told by rota.
        tmux.type("q")
        tmux.see("> d .* etc/")
        shutil.move(self.store, self.dir / "gone")
        tmux.type("\n")
        tmux.see("should hold\\s+run")

    def test_a_list_that_nobody_waits_for_any_more_is_stopped(self):
        program = self.dir / "programs"
        program.mkdir()
        shutil.copy(TUI, program)
        row = '{"path":"%s","kind":"directory","size":0,"mtime":"2026-01-01T00:00:00Z"}'
        fake = program / "rota"
        fake.write_text(f'''#!/bin/sh
            echo $$ $3 >> {self.dir}/calls
            case $3 in
              ./) printf '%s\\n' '{row % "fast"}' '{row % "slow"}';;
              ./slow) trap 'sleep 0.3; kill $!; exit 1' TERM  # it takes a moment to end
                sleep 120 & wait;;
              ./fast) printf '%s\\n' '{row % "fast"}' '{row % "fast/found"}';;
            esac''')
        fake.chmod(0o700)

        def pids_of(path):
            file = self.dir / "calls"
            calls = file.read_text().splitlines() if file.exists() else []
            return [int(call.split()[0]) for call in calls if call.endswith(path)]

        def ended(pid):
            return not os.path.exists(f"/proc/{pid}")
        tmux = self.tmux(80, 24)
        tmux.type(f"{program}/rota-tui\n")
        tmux.see("rota  ")
        tmux.type("T\n")
        tmux.see("/  2 names")
        tmux.type("j\n")
        tmux.see("Reading /slow")
        tmux.wait("the call", lambda: pids_of("./slow"))
        tmux.type("h\n")  # left, and asked for anew
        tmux.wait("a second call", lambda: len(pids_of("./slow")) == 2)
        tmux.type("hk\n")  # not this one, the other
        tmux.see("/fast  1 name\n> d .* found/")
        self.assertTrue(all(map(ended, pids_of("./slow"))))
        # Nor does one stay behind when the screen is left.
        tmux.type("hj\n")
        tmux.wait("a third call", lambda: len(pids_of("./slow")) == 3)
        tmux.key("C-c")
        tmux.see(r"ready>$")
        tmux.wait("its end", lambda: all(map(ended, pids_of("./slow"))))

    def test_a_drill_is_made_and_recorded(self):
        self.write("etc/fstab", "content" * 100)
        self.backup()
        tmux = self.tmux(100, 30)
        self.open(tmux, "main: no drill yet")
        tmux.type("D")
        tmux.see("> Of which server: main_")
        tmux.type("\n\n\n")
        tmux.see(r"Make a drill: try a recovery: done\n +main from the store, as it was at .*: \d+ "
                 r"entries, \d+ B, restored(.|\n)*compared: the drill passed")
        tmux.type("q")
        tmux.see("main: drill passed just now from the store")
        tmux.type("H")
        tmux.see("main: drill from the store, as of .*: passed")
        tmux.type("q")
        for volume in self.volumes():
            volume.chmod(0o600)
            volume.write_bytes(volume.read_bytes()[:-30] + bytes(30))
        tmux.type("D\n\n\n")
        tmux.see(r"Make a drill: try a recovery: NOT DONE(.|\n)*the drill FAILED")
        tmux.type("q")
        tmux.see("rota  ALARM(.|\n)*main: drill FAILED just now(.|\n)*X The drill of main")

    def test_a_drill_that_is_stopped_leaves_nothing(self):
        scratch, waiting = self.dir / "scratch", self.dir / "waiting"
        scratch.mkdir()
        check = self.dir / "check"
        check.write_text(f"#!/bin/sh\ntouch {waiting}; sleep 120\n")
        check.chmod(0o700)
        with open(pathlib.Path(self.places["CONFIG"]) / "main/profile.toml", "a") as profile:
            profile.write(f'\n[drill]\ncheck = "{check}"\nscratch = "{scratch}"\n')
        tmux = self.tmux(100, 30)
        self.open(tmux, "main: no drill yet")
        tmux.type("D\n\n\n")
        tmux.wait("the check", waiting.exists)
        tmux.see(r"under way(.|\n)*\* checking main")
        tmux.type("q")
        tmux.see(r"\* drill: checking main")
        # Something else is done meanwhile, and has a page of its own.
        tmux.type("D\n\n\n")
        refused = r"try a recovery: NOT DONE\n.*(already|another)"
        tmux.see(refused)
        tmux.type("S")
        tmux.see("main: Stop the drill\nWhat was restored to try it is removed")
        tmux.type("\n")
        tmux.see(refused + r"(.|\n)*Make a drill: try a recovery: NOT DONE: .*(stopped|interrupted)")
        tmux.type("q")
        tmux.see("main: no drill yet")
        self.assertEqual([], os.listdir(scratch))

    def test_what_rota_refuses_is_told(self):
        self.taken_in(self.two_disks())
        tmux = self.tmux(100, 30)
        self.open(tmux, "A    on site")
        tmux.type("\ne\n")
        tmux.see("Eject it: NOT DONE")
        self.assertIn("disk A", tmux.screen())

    def test_a_lost_disk_and_a_tripwire_that_is_accepted(self):
        history = self.two_disks()
        history.add("alarm", {"kind": "tripwire", "disk": "A", "opened": self.now - DAY,
                              "severity": "alarm", "message": "Too many files vanished.",
                              "details": ["home/jo/letter", "home/jo/photo"]})
        self.taken_in(history)
        tmux = self.tmux(100, 40)
        self.open(tmux, "X Too many files vanished")
        tmux.type("A")
        tmux.see("    home/jo/letter\n    home/jo/photo")
        tmux.type("q\na")
        tmux.see("Why: _")
        tmux.type("jo left")
        tmux.key("Tab")
        tmux.type("kim\n\n")
        tmux.see("Take note of its tripwires and alarms: done")
        tmux.type("qq")
        tmux.see("Too many files vanished", absent=True)
        self.assertIn("acknowledged by kim: jo left", self.rota("history").out)
        tmux.type("j\nx")
        tmux.see("Why: _")
        tmux.type("left on a train\n\n")
        tmux.see("It is lost: done")
        tmux.type("qq")
        tmux.see("rota  ALARM(.|\n)*Disk B is lost")
        tmux.see("Xx B    lost")
        self.assertEqual("lost", self.rota("disk", "show", "B", "--json").json()["state"])

    def test_a_frame_is_printed_and_a_recording_shown_again(self):
        self.taken_in(self.two_disks())
        kept = self.dir / "recording"
        frame = self.rota("tui", "--snapshot", "100x30", "--record", kept).out
        self.assertEqual(30, len(frame.splitlines()))
        self.assertIn(". A    on site", frame)
        self.assertEqual(0o600, kept.stat().st_mode & 0o777)
        for file in pathlib.Path(self.places["STATE"]).glob("ledger.db*"):
            file.unlink()
        again = self.rota("tui", "--snapshot", "100x30", "--replay", kept).out
        self.assertEqual(frame, again)
        ascii_frame = self.rota("tui", "--snapshot", "100x30", "--replay", kept, "--ascii").out
        self.assertTrue(ascii_frame.isascii())
        kept.write_text("{}")
        result = self.rota("tui", "--snapshot", "100x30", "--replay", kept, status=machine.CORRUPT)
        self.assertRegex(result.err, r"\Arota-tui: \S+ cannot be shown: it is no recording")
        for words in (("--snapshot", "0x0"), ("--snapshot", "12"), ("--now", "now"), ("--what",)):
            done = subprocess.run([TUI, *words], env=self.environment(), capture_output=True,
                                  text=True, check=False)
            self.assertEqual(USAGE, done.returncode, done.stderr)
        result = self.rota("tui", status=USAGE)
        self.assertIn("needs a terminal", result.err)


class Ports:
    """A disk that comes and goes while nobody presses a key, whoever tells of it."""

    def come_and_go(self, disk, command):
        tmux = Tmux(self, 110, 30)
        disk.unplug()
        tmux.type(f"{command}\n")
        tmux.see(rf"[o.] {disk.name} (new|on site)")
        for _ in range(2):
            disk.plug_in()
            tmux.see(rf"\* {disk.name} connected")
            disk.unplug()
            tmux.see(rf"[o.] {disk.name} (new|on site)")


class KernelPorts(Ports, disk_machine.DiskMachine):
    def test_without_udevd_a_disk_is_seen_to_come_and_go(self):
        self.init()
        self.come_and_go(self.prepared(), f"{machine.ROTA} tui")


class UdevPorts(Ports, udev_machine.UdevMachine):
    def test_with_udevd_a_disk_is_seen_to_come_and_go(self):
        disk = self.disk(plug_in=False)
        self.start_udevd()
        self.disk = lambda size=None: disk
        disk.plug_in()
        self.init()
        self.come_and_go(self.prepared(), f"{' '.join(self.prefix)} {machine.ROTA} tui")


class RealDisks(disk_machine.DiskMachine):
    def test_a_copy_that_is_stopped_is_resumed_and_sealed(self):
        self.small_reserve()
        self.init()
        for number in range(300):
            self.write(f"home/file{number}", f"content {number}\n" * 100)
        # It takes no room, and reading it takes long.
        archive = self.write("z-archive", "")
        os.truncate(archive, 16 << 30)
        disk = self.prepared(size=20 << 30)
        tmux = Tmux(self, 110, 36)
        tmux.type(f"{machine.ROTA} tui\n")
        tmux.see(rf"[*o] {disk.name} ")
        tmux.type("\nc\n")
        tmux.see(r"Copy to it now: under way(.|\n)*\* copy main: \d+ files, .* GB")
        tmux.type("qs")
        tmux.see("What is complete on the disk stays(.|\n)*> Enter: do it")
        self.assertEqual([], self.copies(disk))
        tmux.type("\n")
        tmux.see(r"Copy to it now: NOT DONE: .*(stopped|interrupted)")
        tmux.type("q")
        tmux.see(rf"!.?! ?{disk.name} interrupted")
        partial, = (name for name in self.on_disk(disk) if name.endswith(".partial"))
        self.assertEqual(0, len(self.copies(disk)))
        os.truncate(archive, 1 << 20)
        tmux.type("\nc\n")
        tmux.see(r"Copy to it now: done(.|\n)*copy main: 30\d entries, .*; \d+ taken over from the "
                 rf"attempt before(.|\n)*SAFE TO UNPLUG ROTA-{disk.name}")
        self.assertEqual(1, len(self.copies(disk)))
        left = self.on_disk(disk)
        self.assertNotIn(partial, left)
        self.assertEqual([], [name for name in left if "partial" in name])

    def test_the_monthly_swap_from_plug_to_off_site(self):
        self.small_reserve('place = "bank"')
        self.init()
        self.write("home/jo/letter", b"x" * 3_000_000)
        self.backup()
        disk = self.prepared()
        tmux = Tmux(self, 110, 36)
        tmux.type(f"{machine.ROTA} tui\n")
        tmux.see(rf"\* {disk.name} connected|o {disk.name} new")
        tmux.type("\nc")
        tmux.see("The disk must be plugged in")
        tmux.type("\n")
        shown = tmux.see(f"SAFE TO UNPLUG ROTA-{disk.name} – take it to bank")
        self.assertRegex(shown, r"Copy to it now: (done|NOT DONE)")
        self.assertEqual(1, len(self.copies(disk)))
        tmux.type("qq")
        tmux.see(rf"\^ {disk.name} safe to remove")
        disk.unplug()
        tmux.see(rf"\. {disk.name} on site")
        tmux.type(f"ROTA-{disk.name}\n\n")
        tmux.see("Where to: bank_")
        tmux.type("\njo\n")
        tmux.see("Check out: it leaves now: done")
        tmux.type("qq")
        tmux.see(rf"> {disk.name} in transit out")
        tmux.type("\np\n\n")
        tmux.see("It has arrived off site: done")
        tmux.type("qq")
        tmux.see(rf"\+ {disk.name} off site +bank")
        tmux.see("you would go back to")
        # And back again, and a file from it: by its name, and by looking.
        tmux.type("C\n")
        tmux.see(f"no disk {disk.name} is plugged in")
        tmux.type("qq")
        disk.plug_in()
        tmux.see(rf"\^ {disk.name} safe to remove")  # no job has begun since the last one
        tmux.type("\nf")
        tmux.see("Of which server: main_")
        tmux.type("\nhome/jo/letter\n")
        to = self.dir / "restored"
        tmux.type(f"{to}\n")
        tmux.see("Restore files from it: done")
        self.assertEqual(3_000_000, (to / "home/jo/letter").stat().st_size)
        tmux.type("qqC\n")
        tmux.see(rf"{disk.name} main \d+T\d+Z files +2.*\n/  1 name\n> d .* home/")
        tmux.type("\n")
        tmux.see("/home  1 name\n> d .* jo/")
        tmux.type("l")
        tmux.see("/home/jo  1 name\n> - +3 MB  .*  letter")
        tmux.type("f")
        tmux.see("home/jo/letter\n> Into which directory: _")
        tmux.type(f"{to}-2\n")
        tmux.see("Restore files from it: done")
        self.assertEqual(3_000_000, (self.dir / "restored-2/home/jo/letter").stat().st_size)
        self.drill_from(disk, tmux)

    def drill_from(self, disk, tmux):
        """While it runs, nobody is told that the disk may be unplugged."""
        waiting = self.dir / "waiting"
        check = self.fake("check", f"touch {waiting}; while test -e {waiting}; do sleep 0.05; done")
        with open(pathlib.Path(self.places["CONFIG"]) / "main/profile.toml", "a") as profile:
            profile.write(f'\n[drill]\ncheck = "{check}"\n')
        tmux.type("qqq")
        tmux.see(f"SAFE TO UNPLUG ROTA-{disk.name}")
        tmux.type("\nD")
        tmux.see(f"> Of which server: main_\n  From which disk .*: {disk.name}\n")
        tmux.type("\n\n\n")
        tmux.see(r"try a recovery: under way(.|\n)*\* checking main")
        tmux.type("qq")
        tmux.see(rf"\* drill from {disk.name}: checking main")
        tmux.see("SAFE TO UNPLUG", absent=True)
        waiting.unlink()
        tmux.see(f"main: drill passed just now from disk {disk.name}")
        tmux.see("Make a drill: try a recovery: done")
        tmux.see(f"SAFE TO UNPLUG ROTA-{disk.name}")
