"""Keys of encrypted backups: made, checked, typed at a terminal, printed and scanned."""

import os
import re
import shutil
import stat
import subprocess
import termios
import time

from machine import DONE, INTERRUPTED, REFUSED, TIMEOUT, USAGE, Machine, wait_for

PASSPHRASE = "correct horse battery"
SECRET = re.compile(r"ROTA-SECRET-KEY-1(-[A-Z2-7]{1,4})+")
RECIPIENT = re.compile(r"rota-(?:pub|lock)-1-[a-z2-7]+")


def modules(lines):
    """The dark modules of a code in half-block characters, as rows of booleans."""
    rows = []
    for line in lines:
        rows.append([c in "█▀" for c in line])
        rows.append([c in "█▄" for c in line])
    return rows


def typed_key(page):
    """The key as somebody types it who has the page."""
    lines = page.splitlines()
    start = lines.index("    ROTA-SECRET-KEY-1")
    groups = [line for line in lines[start:] if re.fullmatch(r"    [A-Z2-7]{4}  .*", line)]
    return "rota-secret-key-1\n" + "\n".join(groups).lower() + "\n"


def code_of(page):
    """The lines of the page's code, quiet zone included."""
    lines = page.splitlines()
    start = lines.index("The same, to be scanned:") + 2
    end = next(i for i, line in enumerate(lines) if line.startswith("To restore with it"))
    return [line[4:] for line in lines[start:end - 1]]


class Keys(Machine):
    def setUp(self):
        super().setUp()
        self.key = self.dir / "rota.key"

    def generate(self, *args):
        """Makes a key and returns its recipient."""
        return self.rota("key", "generate", *args, "--json").json()["recipient"]

    def secret(self):
        return SECRET.search(self.key.read_text()).group()

    def passphrase_file(self, text=PASSPHRASE + "\n"):
        file = self.dir / "passphrase"
        file.write_text(text)
        file.chmod(0o600)
        return file

    def recipients(self, *texts):
        self.set(encrypt_to="[" + ", ".join(f'"{text}"' for text in texts) + "]")

    def test_a_new_key_goes_to_a_file_that_is_its_owners_alone(self):
        shown = self.rota("key", "generate", "--to", self.key, preexec_fn=lambda: os.umask(0)).out
        line = re.search(r'(?m)^encrypt_to = \["(rota-pub-1-[a-z2-7]+)"\]$', shown)
        self.assertTrue(line, shown)
        self.assertIn(f"off this server, and on paper (`rota key export --paper {self.key}`)",
                      shown)
        self.assertNotRegex(shown, SECRET)
        self.assertEqual(0o600, stat.S_IMODE(self.key.stat().st_mode))
        self.assertIn(line[1], self.key.read_text())
        self.assertEqual([self.key.name, "source"], sorted(os.listdir(self.dir)))
        self.init()
        self.recipients(line[1])
        self.assertIn(line[1], self.rota("key", "check", "--key", self.key).out)

    def test_an_existing_file_is_never_replaced(self):
        self.generate("--to", self.key)
        before = self.key.read_text()
        self.fails(REFUSED, "exists already", "key", "generate", "--to", self.key)
        page = self.dir / "page.txt"
        page.write_text("precious")
        self.fails(REFUSED, "exists already", "key", "export", "--paper", self.key, "--out", page)
        self.assertEqual(before, self.key.read_text())
        self.assertEqual("precious", page.read_text())

    def test_a_key_that_others_can_read_is_refused_everywhere(self):
        recipient = self.generate("--to", self.key)
        self.init()
        self.recipients(recipient)
        for mode in (0o640, 0o604, 0o660):
            self.key.chmod(mode)
            self.fails(USAGE, "chmod 600", "key", "check", "--key", self.key)
            self.fails(USAGE, "chmod 600", "key", "export", "--paper", self.key)
        self.key.chmod(0o400)
        self.rota("key", "check", "--key", self.key)
        file = self.passphrase_file()
        file.chmod(0o644)
        self.fails(USAGE, "chmod 600", "key", "check", "--passphrase-file", file)

    def test_check_says_whose_key_it_is(self):
        mine = self.generate("--to", self.key)
        other = self.generate("--to", self.dir / "other.key")
        self.assertIn(mine, self.rota("key", "check", "--key", self.key).out)  # no profile
        self.init()
        self.fails(USAGE, "not encrypted", "key", "check", "--key", self.key)
        self.recipients(other)
        error = self.fails(USAGE, "belongs to", "key", "check", "main", "--key", self.key).err
        self.assertIn(mine[:19] + "…", error)
        self.assertIn(other[:19] + "…", error)
        self.recipients(other, mine)
        self.assertEqual({"recipient": mine, "profile": "main"},
                         self.rota("key", "check", "--key", self.key, "--json").json())
        self.fails(USAGE, "which key", "key", "check", start_new_session=True)
        self.set(key=f'"{self.key}"')
        self.assertEqual(mine, self.rota("key", "check", "--json").json()["recipient"])

    def test_what_is_wrong_with_a_recipient_is_said_and_no_secret_shown(self):
        recipient = self.generate("--to", self.key)
        self.init()
        wrong = recipient[:-1] + ("a" if recipient[-1] != "a" else "b")
        for texts, pattern in (((wrong,), "wrong character"), ((recipient, recipient), "twice"),
                               ((recipient[:-3],), "cut off"), (("me",), "no recipient"),
                               ((self.secret(),), "belongs on paper")):
            self.recipients(*texts)
            error = self.fails(USAGE, pattern, "key", "check", "--key", self.key).err
            self.assertNotRegex(error, SECRET)

    def test_a_passphrase_locks_a_key(self):
        file = self.passphrase_file()
        recipient = self.generate("--passphrase-file", file)
        self.assertTrue(recipient.startswith("rota-lock-1-"))
        self.init()
        self.recipients(recipient)
        self.assertIn("fits", self.rota("key", "check", "--passphrase-file", file).out)
        self.fails(USAGE, "opens none", "key", "check", "--passphrase-file",
                   self.passphrase_file("correct horse batterx\n"))
        for short, pattern in (("\n", "empty"), ("correct hor\n", "11 characters"),
                               ("äöüäöüäöüäö\n", "11 characters")):
            self.fails(USAGE, pattern, "key", "generate", "--passphrase-file",
                       self.passphrase_file(short))
        self.fails(USAGE, "no terminal", "key", "generate", "--passphrase", start_new_session=True)

    def test_words_that_do_not_fit_are_one_sentence(self):
        self.fails(USAGE, r"generate\|check\|export", "key")
        self.fails(USAGE, '"frob"', "key", "frob")
        self.fails(USAGE, "--to FILE", "key", "generate")
        self.fails(USAGE, "where shall", "key", "generate", "--to", self.key, "--passphrase")
        self.fails(USAGE, "--paper FILE", "key", "export")
        self.fails(USAGE, "rota key check", "key", "check", "--to", self.key)
        self.fails(USAGE, "rota key generate", "key", "generate", "--key", self.key)
        self.assertFalse(self.key.exists())

    # ---- the terminal ----

    @staticmethod
    def echoes(fd):
        return bool(termios.tcgetattr(fd)[3] & termios.ECHO)

    def answer(self, master, slave, question, text):
        shown = b""
        while question not in shown:
            shown += os.read(master, 4096)
        wait_for(lambda: not self.echoes(slave), "the end of the echo")
        os.write(master, text)
        return shown

    def test_a_typed_passphrase_is_asked_twice_and_not_shown(self):
        process, master, slave = self.with_terminal("key", "generate", "--passphrase", "--json")
        shown = self.answer(master, slave, b"New passphrase: ", PASSPHRASE.encode() + b"\n")
        shown += self.answer(master, slave, b"again: ", PASSPHRASE.encode() + b"\n")
        out, err = process.communicate(timeout=TIMEOUT)
        self.assertEqual((DONE, b""), (process.returncode, err))
        self.assertTrue(self.echoes(slave))
        self.assertNotIn(PASSPHRASE.encode(), shown + out)
        self.init()
        self.recipients(RECIPIENT.search(out.decode()).group())
        self.rota("key", "check", "--passphrase-file", self.passphrase_file())
        process, master, slave = self.with_terminal("key", "check")
        self.answer(master, slave, b"Passphrase of the backup: ", PASSPHRASE.encode() + b"\n")
        out, _ = process.communicate(timeout=TIMEOUT)
        self.assertIn(b"fits", out)

    def test_two_passphrases_that_differ_make_nothing(self):
        process, master, slave = self.with_terminal("key", "generate", "--passphrase")
        self.answer(master, slave, b"New passphrase: ", PASSPHRASE.encode() + b"\n")
        self.answer(master, slave, b"again: ", b"correct horse batterx\n")
        out, err = process.communicate(timeout=TIMEOUT)
        self.assertEqual((USAGE, b""), (process.returncode, out))
        self.assertIn(b"differ", err)

    def test_ctrl_c_gives_the_terminal_back_its_echo(self):
        process, master, slave = self.with_terminal("key", "generate", "--passphrase")
        self.answer(master, slave, b"New passphrase: ", b"half of it\x03")
        _, err = process.communicate(timeout=TIMEOUT)
        self.assertEqual(INTERRUPTED, process.returncode)
        self.assertTrue(self.echoes(slave))
        self.assertNotIn(b"half", err)

    # ---- paper ----

    def export(self):
        self.generate("--to", self.key)
        return self.rota("key", "export", "--paper", self.key).out

    def test_the_page_fits_a4_and_says_how_to_restore(self):
        page = self.export()
        lines = page.splitlines()
        self.assertLess(len(lines), 66)
        self.assertLessEqual(max(map(len, lines)), 80)
        self.assertIn(RECIPIENT.search(self.key.read_text()).group(), page)
        self.assertIn(time.strftime("%Y-"), page)
        self.assertIn("rota restore --target URL --key rota.key --to DIR", page)

    def test_the_key_can_be_typed_in_from_the_page(self):
        page = self.export()
        typed = self.dir / "typed.key"
        typed.write_text(typed_key(page))
        typed.chmod(0o600)
        self.assertEqual(self.rota("key", "check", "--key", self.key).out,
                         self.rota("key", "check", "--key", typed).out)

    def test_a_page_in_a_file_is_its_owners_alone(self):
        page = self.export()
        file = self.dir / "page.txt"
        self.silent("key", "export", "--paper", self.key, "--out", file)
        self.assertEqual(page, file.read_text())
        self.assertEqual(0o600, stat.S_IMODE(file.stat().st_mode))

    def test_the_code_has_its_shape_and_a_quiet_zone(self):
        rows = modules(code_of(self.export()))
        self.assertEqual((42, 41), (len(rows), len(rows[0])))  # version 4, 33 modules, rounded up
        dark = [(x, y) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell]
        self.assertEqual((4, 36), (min(x for x, _ in dark), max(x for x, _ in dark)))
        self.assertEqual((4, 36), (min(y for _, y in dark), max(y for _, y in dark)))
        finder = ["#######", "#.....#", "#.###.#", "#.###.#", "#.###.#", "#.....#", "#######"]
        for left, top in ((4, 4), (30, 4), (4, 30)):
            found = ["".join(".#"[cell] for cell in row[left:left + 7])
                     for row in rows[top:top + 7]]
            self.assertEqual(finder, found)

    def test_a_scanner_reads_the_key_from_the_page(self):
        if not shutil.which("zbarimg"):
            self.skip("needs zbarimg (zbar-tools) to scan a code")
        rows = modules(code_of(self.export()))
        scale = 4
        bits = [" ".join(str(int(cell)) for cell in row for _ in range(scale)) for row in rows
                for _ in range(scale)]
        image = self.dir / "code.pbm"
        image.write_text(f"P1\n{len(rows[0]) * scale} {len(rows) * scale}\n" + "\n".join(bits))
        done = subprocess.run(["zbarimg", "-q", "--raw", str(image)], capture_output=True,
                              text=True, check=False)
        self.assertEqual(self.secret() + "\n", done.stdout, done.stderr)
