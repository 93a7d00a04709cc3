"""rota with a store at Backblaze B2."""

import signal

from b2_machine import KEY, B2Machine
from machine import INTERRUPTED, REFUSED, USAGE


class B2(B2Machine):
    def test_a_backup_lives_at_b2(self):
        (self.source / "a").write_text("one")
        (self.source / "large").write_bytes(bytes(range(256)) * 100_000)
        self.init_b2()
        self.silent("backup")
        self.control(advance_ms=1000)
        (self.source / "a").write_text("two")
        self.silent("backup")
        runs = self.rota("list", "--json").json()["runs"]
        self.assertEqual(2, len(runs))
        self.silent("verify")
        self.silent("purge")
        self.rota("restore", "--to", self.dir / "new")
        self.assertEqual("two", (self.dir / "new/a").read_text())
        self.rota("restore", "--at", runs[0]["name"], "--to", self.dir / "old")
        self.assertEqual("one", (self.dir / "old/a").read_text())
        self.assertEqual((self.source / "large").read_bytes(), (self.dir / "new/large").read_bytes())
        self.assertEqual({}, self.control()["mistakes"])

    def test_a_night_without_changes_asks_three_questions(self):
        (self.source / "a").write_text("one")
        self.init_b2()
        self.silent("backup")
        self.control(reset=True)
        self.silent("backup")
        counted = self.control()
        self.assertLessEqual(counted["classes"]["C"], 3, counted["calls"])
        self.assertNotIn("B", counted["classes"], counted["calls"])

    def test_old_chains_are_purged_from_b2(self):
        (self.source / "a").write_text("one")
        self.init_b2()
        self.set(max_fulls_with_incrs=1)
        self.silent("backup")
        (self.source / "a").write_text("two")
        self.silent("backup")
        before = self.control()["versions"]["bucket-1"]
        self.silent("backup", "--full")
        after = self.control()["versions"]["bucket-1"]
        self.silent("purge-incr")
        self.assertEqual(2, len(self.runs()))
        self.assertLess(self.control()["versions"]["bucket-1"], after)
        self.assertGreater(after, before)
        self.silent("verify")

    def test_faults_of_a_night_are_overcome(self):
        (self.source / "large").write_bytes(bytes(range(251)) * 200_000)
        self.init_b2()
        self.control(faults=[
            {"call": "b2_upload_file", "kind": "status", "status": 503},
            {"call": "b2_upload_file", "kind": "lose", "after": 1},
            {"call": "b2_list_file_names", "kind": "expire"},
            {"call": "b2_get_upload_url", "kind": "cut_response"}])
        self.silent("backup")
        self.rota("restore", "--to", self.dir / "new")
        self.assertEqual((self.source / "large").read_bytes(), (self.dir / "new/large").read_bytes())
        counted = self.control()
        self.assertGreaterEqual(sum(counted["fired"].values()), 3, counted["fired"])
        self.assertEqual({}, counted["mistakes"])

    def test_credentials_that_others_can_read_are_refused(self):
        open_file = self.write_credentials("open.toml", KEY, 0o644)
        self.fails(USAGE, "chmod 600", "init", "main", "--source", self.source, "--target",
                   "b2://bucket-1/srv", "--credentials", open_file)
        self.fails(USAGE, "needs an access key", "init", "--target", "b2://bucket-1/srv")
        self.init_b2()
        self.credentials.chmod(0o640)
        for command in ("backup", "list", "verify", "purge"):
            self.fails(USAGE, "chmod 600", command)

    def test_a_wrong_key_is_explained_at_once(self):
        self.init_b2(self.write_credentials("wrong.toml", "anothersecret"))
        self.fails(REFUSED, "does not accept the access key masterkeyid", "backup")
        self.assertEqual({"b2_authorize_account": 1}, self.control()["calls"])
        self.assertNotIn("anothersecret", self.said)

    def test_a_target_that_is_not_there_is_explained(self):
        self.init_b2(bucket="bucket-2")
        self.fails(USAGE, "no bucket bucket-2", "backup")

    def test_an_interrupt_ends_the_wait_for_a_server(self):
        self.init_b2()
        self.control(faults=[{"kind": "status", "status": 503, "retry_after": 600, "times": 99}])
        with self.start("backup") as process:
            while not self.control()["fired"]:
                pass
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
        self.assertEqual(INTERRUPTED, process.returncode)
        self.assert_sentence(err.decode())
