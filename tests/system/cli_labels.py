"""Labels and the recovery plan, from the ledger of a real disk to paper."""

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

from disk_machine import DiskMachine, events
from machine import DONE, FAILED, ROTA, USAGE, WARNINGS, Machine

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from cups_queue import CupsQueue, missing  # noqa: E402  pylint: disable=wrong-import-position


class Paper(Machine):
    """What needs no disk."""

    def test_rota_itself_needs_no_library_that_draws(self):
        needed = subprocess.run(["ldd", ROTA], check=True, stdout=subprocess.PIPE, text=True).stdout
        self.assertNotRegex(needed, r"cairo|pango|zint")

    def test_a_rota_without_its_label_program_says_so(self):
        alone = self.dir / "alone"
        alone.mkdir()
        shutil.copy(ROTA, alone / "rota")
        env = self.environment(PATH="/nonexistent")
        for words in (["label", "B", "--preview"], ["plan", "--pdf", self.dir / "plan.pdf"]):
            result = subprocess.run([alone / "rota", *words], env=env, capture_output=True, text=True,
                                    check=False)
            self.assertEqual(USAGE, result.returncode)
            self.assertRegex(result.stderr, r"\Arota: the program rota-label.* is not installed")

    def test_what_is_wrong_with_a_label_is_one_sentence(self):
        self.assertIn("Usage: rota label", self.rota("label", "--help").out)
        self.assertIn("L7163", self.rota("label", "--list-stock").out)
        self.fails(USAGE, "which disk", "label", "-o", "x.pdf")
        self.fails(USAGE, "-o FILE, --print or --preview", "label", "B")
        self.fails(FAILED, "no rotation disk yet", "label", "B", "--preview")
        self.fails(USAGE, "no label stock.*L7163", "label", "B", "--preview", "--stock", "L1")
        self.fails(USAGE, "--help", "label", "B", "--preview", "--style", "loud")
        self.fails(USAGE, "go with --calibrate", "label", "B", "--offset-x", "3", "--preview")

    def test_a_printer_is_calibrated_once(self):
        page = self.dir / "page.pdf"
        self.silent("label", "--calibrate", "-o", page)
        self.assertTrue(page.read_bytes().startswith(b"%PDF"))
        self.silent("label", "--calibrate", "Laser", "--offset-x", "50.8", "--offset-y", "49.5",
                    "--scale", "99.2")
        kept = (self.dir / "state/printers/Laser.toml").read_text()
        self.assertIn("offset_x = 50.800\noffset_y = 49.500\nscale_x = 99.200\nscale_y = 99.200\n", kept)
        self.fails(USAGE, "offset_x", "label", "--calibrate", "Laser", "--offset-x", "3")

    def test_the_plan_of_an_encrypted_server_holds_its_key_only_for_the_safe(self):
        key = self.dir / "rota.key"
        recipient = self.rota("key", "generate", "--to", key, "--json").json()["recipient"]
        self.init()
        self.set(encrypt_to=f'["{recipient}"]')
        text = self.rota("plan").out
        self.assertIn(recipient, text)
        self.assertIn(str(self.store), text)
        self.assertNotIn("SECRET-KEY", text)
        plan = self.dir / "plan.pdf"
        self.silent("plan", "--pdf", plan)
        self.assertNotIn("SECRET-KEY", self.words(plan))
        self.silent("plan", "--pdf", plan, "--with-key", "--key", key,
                    preexec_fn=lambda: os.umask(0))
        self.assertIn("ROTA-SECRET-KEY-1", self.words(plan))
        self.assertEqual(0o600, stat.S_IMODE(plan.stat().st_mode))
        self.fails(USAGE, "give --pdf FILE", "plan", "--with-key")
        self.fails(USAGE, "no secret key to print", "plan", "--pdf", plan, "--with-key")

    def words(self, pdf):
        return subprocess.run(["pdftotext", "-layout", pdf, "-"], check=True, stdout=subprocess.PIPE,
                              text=True).stdout


class Printed(DiskMachine):
    def setUp(self):
        super().setUp()
        self.init()
        self.write("etc/fstab", "/dev/sda1 / ext4\n")

    def queue(self):
        if reason := missing():
            self.skip(reason)
        # Short: a socket's path has 107 bytes at most.
        place = tempfile.mkdtemp(prefix="rota-cups-", dir="/tmp")
        self.addCleanup(shutil.rmtree, place)
        os.chmod(place, 0o755)
        queue = CupsQueue(place)
        self.addCleanup(queue.close)
        if not queue.start():
            self.skip("cupsd does not run here: " + (queue.place / "out").read_text()[-200:])
        return queue

    def codes(self, pdf):
        file = self.dir / "printed.pdf"
        file.write_bytes(pdf)
        subprocess.run(["pdftoppm", "-gray", "-r", "203", file, self.dir / "page"], check=True)
        pages = sorted(self.dir.glob("page-*.pgm"))
        read = subprocess.run(["zbarimg", "--quiet", "--nodbus", *pages], check=False,
                              stdout=subprocess.PIPE, text=True).stdout.splitlines()
        for page in pages:
            page.unlink()
        return read

    def test_a_sealed_copy_prints_its_label_and_leaves_its_plan_on_the_disk(self):
        queue = self.queue()
        self.rotation('print_after_copy = "Test"\nlabel_stock = "99014"\ncontacts = ["Jo 030-1234"]\n'
                      'owner = "Example Ltd"\n[set.monthly]\nreserve = "1M"\nplace = "bank"\n')
        disk = self.prepared()
        lines = events(self.attach(disk, "--json", env=queue.env))
        self.assertEqual(["done"], [e["state"] for e in lines if e["step"] == "label"])
        self.assertEqual("end", lines[-1]["step"])
        snapshot = self.copies(disk)[0]
        place = disk.mount()
        sums = subprocess.run(["sha256sum", place / "rota/main" / snapshot / "SHA256SUMS"],
                              check=True, stdout=subprocess.PIPE, text=True).stdout[:8]
        plan = (place / "PLAN.txt").read_text()
        disk.umount()
        # What the label says is what is on the disk.
        self.assertEqual([f"QR-Code:ROTA:{disk.name}:monthly:{snapshot[:13]}Z:{sums}"],
                         self.codes(queue.take()))
        self.assertIn("print-scaling=none", queue.options())
        self.assertRegex(queue.options(), r"media=Custom\.54x101mm")
        # The disk is not encrypted: it tells what is on it, and nothing of the rest.
        self.assertIn(f"rota restore --disk {disk.name} --to", plan)
        self.assertNotRegex(plan, r"Jo|Example|bank|" + re.escape(str(self.store)))
        self.assertRegex(self.rota("plan").out, r"(?s)Jo 030-1234.*" + re.escape(str(self.store)))

        self.silent("label", disk.name, "--kind", "both", "--print", "Test", env=queue.env)
        self.assertEqual(3, len(self.codes(queue.take())))
        self.silent("label", disk.name, "--print", env=queue.env)
        queue.take()
        self.fails(FAILED, "the printer Nowhere took nothing", "label", disk.name, "--print",
                   "Nowhere", env=queue.env)

    def test_a_label_that_cannot_be_printed_is_a_warning_and_the_copy_stands(self):
        self.rotation('print_after_copy = "Nowhere"\n[set.monthly]\nreserve = "1M"\n')
        disk = self.prepared()
        result = self.attach(disk, "--json", status=WARNINGS,
                             env={"CUPS_SERVER": str(self.dir / "no-socket")})
        self.assertRegex(result.err, "the monthly label was not printed")
        self.assertEqual(1, len(self.copies(disk)))
        self.small_reserve()
        text = self.rota("label", disk.name, "--kind", "monthly", "--preview").out
        self.assertRegex(text, rf"\[QR ROTA:{disk.name}:monthly:\d{{8}}T\d{{4}}Z:[0-9a-f]{{8}}\]")
        self.assertIn("By hand: ROTA-", text)
        picture = self.dir / "label.png"
        self.silent("label", disk.name, "--kind", "both", "--outline", "--start", "14", "-o", picture)
        self.assertTrue((self.dir / "label-2.png").read_bytes().startswith(b"\x89PNG"))
        self.fails(USAGE, "labels 1 to 14", "label", disk.name, "--start", "15", "-o", picture)
        self.assertEqual(DONE, self.rota("label", disk.name, "--style", "discreet", "-o",
                                         self.dir / "label.pdf").status)
