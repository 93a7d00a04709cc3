"""Reminders, the calendar, and what people are told at the end of a job."""

import json
import pathlib
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

from disk_machine import DiskMachine
from machine import DONE, FAILED, REFUSED, USAGE, WARNINGS


class Told(DiskMachine):
    """With fakes of wall and sendmail in front of the machine's own."""

    def setUp(self):
        super().setUp()
        for name in ("wall", "sendmail", "systemd-inhibit"):
            self.fake(name, "cat >> $0.in; echo \"$@\" >> $0.args")
        self.init()
        self.write("etc/fstab", "one\n")
        self.small_reserve()

    def given(self, name):
        file = self.bin / f"{name}.in"
        return file.read_text() if file.exists() else ""

    def mail_words(self):
        """The mails without the ends of their lines."""
        return " ".join(self.given("sendmail").split())

    def test_safe_to_unplug_is_told_once_by_each_way_and_the_heartbeat_follows(self):
        disk = self.prepared()
        seen = []

        class Ping(BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append(self.path)
                self.send_response(200 if self.path == "/ping" else 500)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Ping)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        awake = self.bin / "systemd-inhibit.args"  # written when the machine may sleep again
        told = self.fake("told", f"cat >> $0.in; for i in $(seq 50); do "
                                 f"[ -e {awake} ] && exec touch {self.bin}/asleep; sleep 0.1; done")
        address = f"http://127.0.0.1:{server.server_port}"
        self.small_reserve(f'[notify]\non_event = "{told}"\nheartbeat = "{address}/ping"\n')
        self.attach(disk)
        self.assertEqual(1, self.given("wall").count(f"SAFE TO UNPLUG ROTA-{disk.name}"))
        mail = self.given("sendmail")
        self.assertEqual(1, mail.count("To: root\n"))
        self.assertRegex(mail, f"Subject: rota on .*: disk {disk.name}: safe to unplug\n")
        event = json.loads(self.given("told"))
        self.assertEqual(("safe to unplug", "good", disk.name),
                         (event["event"], event["level"], event["disk"]))
        self.assertEqual(["/ping"], seen)
        # The machine was kept awake until then, and no longer: telling may take its time.
        self.assertIn("--what=sleep:shutdown", awake.read_text())
        self.assertTrue((self.bin / "asleep").exists(), "it was kept awake while people were told")
        # A heartbeat that nobody answers is no failure.
        disk.replug()
        time.sleep(1.1)  # copies have names of seconds
        self.small_reserve(f'[notify]\nmail = ""\nconsole = false\nheartbeat = "{address}/gone"\n')
        result = self.attach(disk, status=3)
        self.assertIn("heartbeat", result.err)
        self.assertNotIn("gone", result.err)
        self.assertEqual(2, len(self.copies(disk)))

    def test_a_held_copy_and_a_failure_are_told(self):
        disk = self.prepared()
        for number in range(60):
            self.write(f"file{number}")
        self.attach(disk)
        time.sleep(1.1)  # copies have names of seconds
        for number in range(60):
            (self.source / f"file{number}").unlink()
        disk.replug()
        self.attach(disk, status=REFUSED)
        self.assertRegex(self.given("sendmail"), r"Subject: ALARM: .*: held\n")
        self.assertIn("nothing older was removed", self.mail_words())
        self.assertIn("--reason", self.rota("status").out)
        self.rota("disk", "accept", disk.name, "--reason", "moved", "--by", "jo")
        disk.replug()
        self.attach(disk, status=WARNINGS)
        self.assertIn("Not held, because somebody had looked: main: accepted by jo (moved): ",
                      self.mail_words())
        self.rota("disk", "lost", disk.name, "--reason", "gone", "--by", "jo")
        self.attach(disk, status=REFUSED)
        self.assertRegex(self.given("sendmail"), r"Subject: ALARM: .*: failed\n")

    def test_what_a_person_mistyped_is_told_to_nobody_else(self):
        self.fails(FAILED, "no disk NONE is plugged in", "disk", "attach", "NONE")
        self.assertEqual("", self.given("wall") + self.given("sendmail"))
        self.rota("disk", "attach", "--started-by=watch", "NONE", status=FAILED)
        self.assertIn("failed", self.given("sendmail"))

    def test_a_request_to_end_after_the_seal_changes_nothing(self):
        # As systemd does when the job has switched the disk off, and the device is gone.
        disk = self.prepared()
        self.fake("wall", "kill -TERM $PPID; sleep 0.2; cat >> $0.in")
        self.fake("sendmail", "cat >> $0.in")
        result = self.attach(disk, status=DONE)
        self.assertEqual("", result.out + result.err)
        self.assertIn("SAFE TO UNPLUG", self.given("wall"))
        self.assertIn("safe to unplug", self.given("sendmail"))
        self.assertEqual(1, len(self.copies(disk)))

    def test_a_machine_without_logind_wall_or_sendmail_makes_its_copy(self):
        disk = self.prepared()
        for name in ("wall", "sendmail", "systemd-inhibit"):
            self.fake(name, "exit 1")
        result = self.attach(disk)
        self.assertEqual("", result.out + result.err)
        self.assertEqual(1, len(self.copies(disk)))

    def test_reminders_are_silent_until_something_is_due_and_then_not_repeated_at_once(self):
        (pathlib.Path(self.places["CONFIG"]) / "rotation.toml").unlink()
        self.silent("remind")  # no disks, and none wanted
        disk = self.prepared()
        disk.unplug()
        self.rotation(f'[set.monthly]\ninterval = "2D"\ndisks = ["{disk.name}"]\n')
        first = self.rota("remind").out
        self.assertIn(f"plug in disk {disk.name}", first)
        self.silent("remind")
        (pathlib.Path(self.places["STATE"]) / "reminders.json").write_text("{nonsense")
        self.assertEqual(first, self.rota("remind").out)
        (pathlib.Path(self.places["STATE"]) / "reminders.json").unlink()
        self.assertEqual(first, self.rota("remind", "--notify").out)  # for the journal
        self.assertIn(first.splitlines()[0], " ".join(self.given("sendmail").split()))
        self.assertEqual(1, self.given("sendmail").count("To: root"))

    def test_what_could_not_be_mailed_is_said_again(self):
        disk = self.prepared()
        disk.unplug()
        self.rotation(f'[set.monthly]\ninterval = "2D"\ndisks = ["{disk.name}"]\n'
                      '[notify]\nmail = "jo@example.org"\n')
        self.fake("sendmail", "exit 75")
        self.assertIn("nobody was told", self.rota("remind", "--notify", status=WARNINGS).err)
        self.fake("sendmail", "cat >> $0.in")
        self.rota("remind", "--notify")
        self.assertEqual(1, self.given("sendmail").count("To: jo@example.org"))
        self.silent("remind", "--notify")
        self.assertEqual(1, self.given("sendmail").count("To: jo@example.org"))

    def test_the_calendar_is_one_that_others_can_read(self):
        first, second = self.prepared(), self.prepared()
        names = f'["{first.name}", "{second.name}"]'
        self.rotation(f'[set.monthly]\ninterval = "1M"\ndisks = {names}\n')
        text = self.rota("calendar").out
        self.assertEqual(text, text.replace("\r\n", "\n").replace("\n", "\r\n"))
        lines = re.sub(r"\r\n ", "", text).split("\r\n")
        self.assertGreaterEqual(lines.count("BEGIN:VEVENT"), 11)
        uids = [line for line in lines if line.startswith("UID:")]
        self.assertEqual(len(uids), len(set(uids)))
        out = self.dir / "swaps.ics"
        self.silent("calendar", "-o", out, "--for", "6M")
        short = re.sub(r"\r\n ", "", out.read_bytes().decode()).split("\r\n")
        self.assertTrue({line for line in short if line.startswith("UID:")} < set(uids))
        self.fails(USAGE, "started-by", "disk", "attach", first.name, "--started-by", "me")
