"""`rota cron`, the nightly run; and encrypted backups from end to end."""

import fcntl
import json

from machine import CORRUPT, DONE, REFUSED, USAGE, WARNINGS, Machine, wait_until_it_waits


class Cron(Machine):
    def setUp(self):
        super().setUp()
        self.write("file", "content")
        self.init()

    def test_is_silent_when_all_is_well_and_backs_up_verifies_and_purges(self):
        self.silent("cron")
        self.silent("cron")
        self.assertEqual(["full", "increment"], [run["kind"] for run in self.runs()])
        self.set(max_fulls_with_incrs="1")
        self.silent("backup", "--full")
        result = self.rota("cron", "--json").json()
        self.assertEqual(1, result["purged_runs"])  # the increment of the older chain
        self.assertEqual(["full", "full", "increment"], [run["kind"] for run in self.runs()])
        self.assertEqual(result["run"], self.runs()[-1]["name"])
        status = self.rota("status", "--json").out
        self.assertIn("listing", status)
        self.assert_same(self.source, self.restored())

    def test_purges_nothing_when_an_object_is_missing(self):
        self.silent("cron")
        self.silent("cron")
        self.silent("backup", "--full")
        self.set(max_fulls_with_incrs="1")
        oldest = self.runs()[0]["name"]
        next((self.store / "data" / oldest / oldest).glob("v*")).unlink()
        before = [run["name"] for run in self.runs()]
        self.fails(CORRUPT, "the backup is complete, but .* nothing was purged: .*missing", "cron")
        self.assertEqual(before, [run["name"] for run in self.runs()][:-1])

    def test_a_failed_backup_is_one_sentence(self):
        self.silent("cron")
        for record in self.store.glob("runs/*/*"):
            record.unlink()
        self.fails(REFUSED, "rota adopt", "cron")

    def test_two_at_once_do_not_meet(self):
        self.silent("cron")
        lock = next((self.dir / "state").glob("*/lock"))
        with open(lock, "r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            with self.start("cron") as night:
                wait_until_it_waits(night, lock)
                self.assertEqual(1, len(self.runs()))
                fcntl.flock(file, fcntl.LOCK_UN)
                self.assertEqual((b"", b""), night.communicate())
        self.assertEqual(DONE, night.returncode)
        self.assertEqual(2, len(self.runs()))


class Encrypted(Machine):
    def setUp(self):
        super().setUp()
        self.write("secret-name", "secret content")
        self.write("big", "0123456789" * 1_000_000)
        self.init()
        self.key = self.dir / "secret.key"
        made = self.rota("key", "generate", "--to", self.key, "--json").json()
        self.set(encrypt_to=f'["{made["recipient"]}"]')

    def test_comes_back_on_a_machine_that_has_the_key_and_nothing_else(self):
        self.silent("cron")
        self.write("big", "0123456789" * 999_999 + "changed!!!")
        self.silent("cron")
        self.assertEqual(["full", "increment"], [run["kind"] for run in self.runs()])
        for path in self.store.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"secret", path.read_bytes())
        elsewhere = {f"ROTA_{name}_DIR": str(self.dir / "elsewhere" / name)
                     for name in ("CONFIG", "STATE", "CACHE", "RUN")}
        target = f"file://{self.store}"
        to = self.dir / "to"
        self.fails(USAGE, "encrypted for rota-pub-1-.*--key FILE", "restore", "--target", target,
                   "--to", to, env=elsewhere)
        self.fails(USAGE, "another", "restore", "--target", target, "--key", self.other_key(),
                   "--to", to, env=elsewhere)
        self.rota("restore", "--target", target, "--key", self.key, "--to", to, env=elsewhere)
        self.assert_same(self.source, to)
        listed = self.rota("list", "--target", target, "--json", status=None, env=elsewhere)
        self.assertEqual(WARNINGS, listed.status)
        runs = json.loads(listed.out)["runs"]
        self.assertEqual(["full", "increment"], [run["kind"] for run in runs])
        self.assertIsNone(runs[0]["files"])
        good = self.rota("verify", "--target", target, "--data", "--json", "--key", self.key,
                         env=elsewhere).json()
        self.assertTrue(good["good"])

    def other_key(self):
        other = self.dir / "other.key"
        self.rota("key", "generate", "--to", other)
        return other

    def test_the_server_verifies_and_goes_on_without_the_key(self):
        self.fails(USAGE, "another|belongs", "key", "check", "--key", self.other_key())
        self.silent("cron")
        checked = self.rota("key", "check", "--key", self.key)
        self.assertIn(self.runs()[0]["name"], checked.out)
        self.silent("verify", "--data")
        volume = next(self.store.glob("data/*/*/v*"))
        data = bytearray(volume.read_bytes())
        data[1000] ^= 1
        volume.write_bytes(data)
        self.rota("verify", "--data", status=CORRUPT)


if __name__ == "__main__":
    raise SystemExit("run cli_test.py")
