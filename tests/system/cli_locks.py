"""Locked chains and keys that may not delete, at the fake of Backblaze B2, from outside."""

from b2_machine import B2Machine
from machine import REFUSED, USAGE

MONTH_MS = 31 * 86_400_000
WRITER = ["listBuckets", "listFiles", "readFiles", "writeFiles"]


class Locks(B2Machine):
    def prepare(self, bucket, capabilities=None, **settings):
        """A profile with a run that is due for purge-incr, once another full is made."""
        self.control(bucket={"name": bucket, **settings})
        credentials = self.credentials
        if capabilities:
            self.control(key={"id": "writer", "secret": "writersecret",
                              "capabilities": capabilities, "buckets": [bucket]})
            credentials = self.dir / "writer.toml"
            credentials.touch(mode=0o600)
            credentials.write_text('key_id = "writer"\nkey = "writersecret"\n', encoding="ascii")
        self.write("a", "one")
        self.init_b2(credentials, bucket)
        self.set(max_fulls_with_incrs=1)

    def make_due(self):
        self.silent("backup")
        self.write("a", "two")
        self.silent("backup")
        due = self.runs()[-1]["name"]
        self.silent("backup", "--full")
        return due

    def test_a_locked_run_is_due_later_and_the_night_is_silent(self):
        self.prepare("locked", lock=True)
        self.set(lock_days=30)
        due = self.make_due()
        before = self.control()["versions"]["locked"]
        purged = self.rota("purge-incr", "--json").json()
        self.assertEqual(([due], 0), (purged["due_later"], purged["removed_runs"]))
        self.assertEqual(before, self.control()["versions"]["locked"])
        self.assertRegex(self.rota("purge-incr", "-v").out, f"1 run is due and stays for now.*{due}")
        self.silent("cron")
        self.silent("verify", "--data")
        self.assertEqual({}, self.control()["mistakes"])

    def test_a_bucket_or_key_that_cannot_lock_is_explained_and_nothing_is_stored(self):
        self.prepare("plain")
        self.set(lock_days=30)
        self.fails(USAGE, "lock", "backup")
        self.assertEqual([], self.runs())

    def test_a_key_without_the_right_to_lock_is_explained(self):
        self.prepare("locked", [*WRITER, "deleteFiles"], lock=True)
        self.set(lock_days=30)
        self.fails(REFUSED, "writeFileRetentions", "backup")
        self.assertEqual([], self.runs())

    def test_without_the_right_to_delete_runs_are_hidden_where_a_rule_deletes_them(self):
        self.prepare("ruled", WRITER,
                     rules=[{"fileNamePrefix": "", "daysFromHidingToDeleting": 30}])
        due = self.make_due()
        purged = self.rota("purge-incr", "--json").json()
        self.assertEqual((True, 1, []),
                         (purged["hidden"], purged["removed_runs"], purged["due_later"]))
        self.assertNotIn(due, [run["name"] for run in self.runs()])
        self.silent("cron")
        self.silent("verify", "--data")

    def test_without_a_rule_what_is_due_is_reported_and_stays_whole(self):
        self.prepare("unruled", WRITER)
        due = self.make_due()
        self.assertEqual([due], self.rota("purge-incr", "--json").json()["due_later"])
        self.silent("cron")
        self.assertIn(due, [run["name"] for run in self.runs()])
        self.silent("verify", "--data")

    def test_uploads_that_others_never_finished_go_when_they_are_old(self):
        self.prepare("parts")
        self.silent("backup")
        unfinished = [{"bucket": "parts", "name": f"{place}/\u00fcber{n}.iso", "parts": ["x"]}
                      for place in ("srv", "else") for n in range(2)]
        self.control(large_files=unfinished)
        before = self.control()["versions"]["parts"]
        self.assertNotIn("cancel", self.rota("purge", "--dry-run").out)  # they are young
        self.silent("cron")
        self.assertEqual([], self.rota("purge", "--json").json()["unfinished_uploads"])
        # Time passes at the store alone: by its clock they are old.
        self.control(advance_ms=MONTH_MS)
        shown = self.rota("purge", "--dry-run").out
        self.assertRegex(shown, r"cancel the upload of \S*ber0\.iso, which another program began ")
        self.assertNotIn("else/", shown)
        dry = self.rota("purge", "--dry-run", "--json").json()
        self.assertEqual((2, 0), (len(dry["unfinished_uploads"]), dry["cancelled_uploads"]))
        self.assertGreaterEqual(self.control()["versions"]["parts"], before)
        said = self.rota("purge", "-v").out
        self.assertIn("2 of 2 uploads that other programs never finished cancelled", said)
        self.assertEqual(0, len(self.rota("purge", "--json").json()["unfinished_uploads"]))
        self.assertEqual(2, self.control()["calls"]["b2_cancel_large_file"])
        self.silent("verify")
        self.assertEqual({}, self.control()["mistakes"])

    def test_the_night_ends_old_uploads_and_a_key_that_cannot_is_no_failure(self):
        self.prepare("parts", WRITER)
        self.silent("backup")
        self.control(large_files=[{"bucket": "parts", "name": "srv/x", "parts": ["x"]}])
        self.control(advance_ms=MONTH_MS)
        refusal = {"call": "b2_cancel_large_file", "kind": "status", "status": 401,
                   "code": "unauthorized"}
        self.control(faults=[refusal])
        purged = self.rota("purge", "--json").json()
        self.assertEqual((1, 0), (len(purged["unfinished_uploads"]), purged["cancelled_uploads"]))
        self.control(faults=[{**refusal, "call": "b2_list_unfinished_large_files"}])
        self.rota("purge", "--json")
        self.silent("cron")
        self.assertEqual([], self.rota("purge", "--json").json()["unfinished_uploads"])
